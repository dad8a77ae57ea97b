import Plans

/// The classes around a model that transformers asks for.
struct TransformersText {
  /// What the model and its files are called.
  let names: TransformersNames
  let plan: Plan
  let model: ModelWriter
  let layers: TransformersLayers
  /// The names of the classes of layers.
  let layerClasses: [String]

  /// What a model that records the states between its layers does before each.
  static let recorded = "states = (*states, x) if output_hidden_states else None"

  /// What a layer with states keeps, beside keys and values.
  var stateLayer: String {
    """
    class StateLayer(DynamicLayer):
        \"""What a layer keeps of a text: how long it is, keys and values, and the states of what is recurrent.\"""

        is_croppable = False

        def __init__(self):
            super().__init__()
            self.length, self.states = 0, {}

        def get_seq_length(self):
            return self.length

        def reset(self):
            super().reset()
            self.length = 0
            self.states.clear()

        def crop(self, tokens_to_remove):
            if tokens_to_remove:
                raise ValueError("states cannot be taken back to an earlier token")

        def change(self, function):
            if self.is_initialized:
                self.keys, self.values = function(self.keys), function(self.values)
            for name, state in self.states.items():
                self.states[name] = function(state)

        def reorder_cache(self, beam_idx):
            self.change(lambda x: x.index_select(0, beam_idx.to(x.device)))

        def batch_repeat_interleave(self, repeats):
            self.change(lambda x: x.repeat_interleave(repeats, dim=0))

        def batch_select_indices(self, indices):
            self.change(lambda x: x[indices, ...])
    """
  }

  /// The class that both have in common.
  var base: String {
    let starts = InitialWeights(plan, functions: "init", place: PyTorchFile.place)
    let isLibrarys = layers.usesLibrary
    let flags = [
      ("sdpa", !isLibrarys || layers.isPlain),
      ("flash_attn", isLibrarys && layers.attention.allSatisfy { !$0.sinks } && layers.isEven),
      ("flex_attn", isLibrarys), ("attention_backend", isLibrarys && !layers.keepsStates),
    ]
    var lines = ["class \(names.type)PreTrainedModel(PreTrainedModel):"]
    lines.append("    config_class = \(names.type)Config")
    lines.append("    base_model_prefix = \"model\"")
    lines.append("    supports_gradient_checkpointing = True")
    let classes = layerClasses.map { "\"\($0)\"" }.joined(separator: ", ")
    lines += PythonText.wrapped("_no_split_modules = (\(classes)\(layerClasses.count == 1 ? "," : ""))", indent: 4)
    lines += flags.map { "    _supports_\($0.0) = \(PyTorchExpression($0.1).text)" }
    lines.append("    _can_compile_fullgraph = \(PyTorchExpression(canCompileWhole).text)")
    if layers.keepsStates { lines.append("    _is_stateful = True") }
    lines += [
      "", "    def post_init(self):", "        # Weights start by their names, which a module does not know.",
      "        for name, module in self.named_modules():", "            module.place = name",
      "        super().post_init()", "", "    @torch.no_grad()", "    def _init_weights(self, module):",
      "        for kind, tensor in module.named_parameters(recurse=False):",
      "            name = f\"{getattr(module, 'place', '')}.{kind}\"",
    ]
    return (lines + starts.lines.map { "            \($0)" }).joined(separator: "\n")
  }

  /// Whether `generate` may compile the whole model, over a cache of fixed size.
  private var canCompileWhole: Bool {
    layers.usesLibrary && !layers.keepsStates && !model.needs.length && layers.windows.compactMap { $0 }.count < 2
      && !plan.parameters.contains { $0.chosen != nil }
  }

  /// The model without its head.
  var main: String {
    let type = names.type
    var lines = ["class \(type)Model(\(type)PreTrainedModel):"]
    lines += ["    \"\"\"\(plan.name): tokens to hidden states.\"\"\"", "", "    def __init__(self, config):"]
    lines += ClassText.statements(
      ["super().__init__(config)"] + model.constructor + ["self.gradient_checkpointing = False", "self.post_init()"])
    lines += ["", "    def get_input_embeddings(self):", "        return self.\(embedding)"]
    lines += ["", "    def set_input_embeddings(self, value):", "        self.\(embedding) = value"]
    if !plan.states.isEmpty {
      lines += [
        "", "    def new_cache(self):", "        \"\"\"What is kept of texts of which nothing is read yet.\"\"\"",
      ]
      lines += ClassText.statements(newCache)
    }
    lines += ["", "    @can_return_tuple", "    def forward("]
    lines += Self.arguments([]).map { "        \($0)," } + ["    ):"]
    lines += ClassText.statements(Self.used(starting + model.forward + ending))
    return lines.joined(separator: "\n")
  }

  /// The statements without those that name what no other reads.
  private static func used(_ statements: [String]) -> [String] {
    func reads(_ text: String, _ name: String) -> Bool {
      text.split { !($0.isLetter || $0.isNumber || $0 == "_") }.contains(Substring(name))
    }
    var left = statements
    for name in ["past", "texts", "T", "given"] {
      guard let index = left.firstIndex(where: { $0.contains("\(name) = ") || $0.hasPrefix("\(name), ") }) else {
        continue
      }
      if !left.indices.contains(where: { $0 != index && reads(left[$0], name) }) {
        // The device is asked for with the length.
        if name != "T" || !left.contains(where: { $0.contains("device=device") }) { left.remove(at: index) }
      }
    }
    return left
  }

  private static func arguments(_ others: [String]) -> [String] {
    [
      "self", "input_ids=None", "attention_mask=None", "position_ids=None", "past_key_values=None",
      "inputs_embeds=None", "use_cache=None", "output_hidden_states=None", "cache=None",
    ] + others + ["**kwargs"]
  }

  /// Where the module stands that is looked up first.
  private var embedding: String {
    let step = plan.steps.first { $0.role == .embedding && !$0.parameters.isEmpty } ?? plan.steps[0]
    return step.parameters.first.map { plan.parameters[$0].name.owner.path.joined(separator: ".") } ?? "embed"
  }

  private var newCache: [String] {
    guard layers.keepsStates else { return ["return DynamicCache(config=self.config)"] }
    var kinds = ["\"full_attention\": DynamicLayer"]
    if layers.window != nil {
      kinds.append("\"sliding_attention\": lambda: DynamicSlidingWindowLayer(self.config.sliding_window)")
    }
    return [
      "kinds = {\(kinds.joined(separator: ", "))}",
      "return Cache(layers=[kinds.get(kind, StateLayer)() for kind in self.config.layer_types])",
    ]
  }

  /// What stands before the embedding: which cache, where the texts are, where their padding is.
  private var starting: [String] {
    var lines = [
      "if (input_ids is None) == (inputs_embeds is None):\n    raise ValueError(\"give either input_ids or inputs_embeds\")",
      "if output_hidden_states is None:\n    output_hidden_states = self.config.output_hidden_states",
      "states = ()",
    ]
    if plan.states.isEmpty {
      lines.append("cache = None")
    } else {
      lines += [
        "cache = past_key_values if cache is None else cache",
        "use_cache = self.config.use_cache if use_cache is None else use_cache",
        "if use_cache and cache is None and not self.training:\n    cache = self.new_cache()",
      ]
    }
    if layers.keepsStates {
      lines.append(
        """
        if cache is not None and not any(isinstance(x, StateLayer) for x in cache.layers):
            raise ValueError("this model keeps states: make its cache with new_cache()")
        """)
    }
    lines += [
      "tokens = input_ids", "given = input_ids if inputs_embeds is None else inputs_embeds",
      "T, device = given.size(1), given.device", "past = 0 if cache is None else cache.get_seq_length()",
      "# A mask of two axes says which tokens are padding.\ntexts = attention_mask if getattr(attention_mask, \"ndim\", None) == 2 else None",
    ]
    let needs = model.needs
    if needs.padding || needs.keyPositions {
      lines.append(
        "if attention_mask is not None and texts is None:\n    raise ValueError(\"masks of this model are [batch, tokens]\")"
      )
    }
    if model.file.countsPadding {
      lines.append(
        "if texts is not None and not bool(texts.all()):\n    raise ValueError(\"this model reads no texts with padding\")"
      )
    }
    if needs.positions || needs.keyPositions || needs.length {
      lines += [
        """
        if position_ids is None:
            position_ids = torch.arange(T, device=device).unsqueeze(0) + past
            if texts is not None:
                position_ids = (texts.long().cumsum(-1) - 1).clamp(min=0)[:, -T:]
        """, "positions = position_ids",
      ]
    }
    if needs.length { lines.append("length = past + T if texts is None else int(positions.max()) + 1") }
    if needs.keyPositions {
      lines += [
        "key_positions = torch.arange(past + T, device=device).unsqueeze(0)",
        "if texts is not None:\n    key_positions = (texts.long().cumsum(-1) - 1).masked_fill(texts == 0, -1)",
      ]
    }
    if needs.padding { lines.append("padding = None if texts is None else texts[:, -T:]") }
    return lines
  }

  private var ending: [String] {
    var lines: [String] = []
    if layers.keepsStates {
      lines.append(
        "for kept in cache.layers if cache is not None else ():\n    if isinstance(kept, StateLayer):\n        kept.length += T"
      )
    }
    return lines + [
      "states = (*states, x) if output_hidden_states else None",
      "return BaseModelOutputWithPast(\n    last_hidden_state=x, past_key_values=cache, hidden_states=states\n)",
    ]
  }

  /// The model with its head.
  func causal(_ head: HeadWriter) -> String {
    let type = names.type
    var lines = ["class \(type)ForCausalLM(\(type)PreTrainedModel, GenerationMixin):"]
    lines += ["    \"\"\"\(plan.name): tokens to logits.\"\"\"", ""]
    if let tied = head.tiedTo {
      // The library wants a dictionary of the class.
      lines += ["    _tied_weights_keys = {\"lm_head.weight\": \"\(tied)\"}  # noqa: RUF012", ""]
    }
    lines += ["    def __init__(self, config):"]
    lines += ClassText.statements(
      ["super().__init__(config)", "self.model = \(type)Model(config)"] + head.constructor + ["self.post_init()"])
    lines += ["", "    @can_return_tuple", "    def forward("]
    lines += Self.arguments(["labels=None", "logits_to_keep=0"]).map { "        \($0)," } + ["    ):"]
    lines += ClassText.statements(
      [
        """
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values if cache is None else cache,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            output_hidden_states=output_hidden_states,
            **kwargs,
        )
        keep = logits_to_keep
        keep = slice(-keep, None) if isinstance(keep, int) else keep
        x = outputs.last_hidden_state[:, keep]
        """
      ] + head.forward + [
        """
        loss = None
        if labels is not None:
            size = self.config.vocab_size
            loss = self.loss_function(logits, labels, vocab_size=size, **kwargs)
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
        )
        """
      ])
    lines += generation
    return lines.joined(separator: "\n")
  }
}
