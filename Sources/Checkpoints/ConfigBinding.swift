import Components
import Files

/// How a family reads its checkpoints' configuration into a spec, as its file says.
///
/// ```yaml
/// config:
///   match: {model_type: llama}            # which configurations are this family's,
///   unless: {num_local_experts: 0}        # but for those of which one of these holds
///   set: {position.pairing: half}         # facts of the container
///   bind:
///     vocab_size: vocab_size              # path in the spec: expression, see `BindingExpression`
///     mlp.activation: {from: [hidden_act, hidden_activation], map: {silu: silu, gelu: gelu}}
///   require: {scale_attn_weights: true, head_dim: {from: qk_rope_head_dim}}   # what must hold where it is said, for the
///                                         # spec has no word for the contrary: a value, or what an expression gives
///   ignore: [summary_*, id2label.*]       # keys that carry no architecture; '*' is any text
///   floats: [rope_theta, '*_eps']         # keys that are written with a fraction, `30.0`: other readers ask for one
///   write: {architectures: [LlamaForCausalLM]}      # what a written configuration also says; a group is an expression
///   restore: {position.pairing: {attn.q: attention.num_heads}}     # see `TensorRestoration`
///   within: text_config         # the group that bind, require and ignore speak of: a part's configuration inside a whole one
///   flat: true                  # where there is no such group, its keys stand in the whole
///   outer: {bind: {stacks.image.layers.count: vision_config.num_hidden_layers}}      # bind, require and ignore of the whole
///   restate: {position.scaling: {llama3: factors}}    # groups of options that are written by another of their types
/// ```
///
/// A key that is absent binds nothing, and the spec's default holds, unless the binding has a `default`, which is that
/// of the reference implementation's class. What null says, `BindingExpression` tells. What is required holds for a null
/// too, which `[false, null]` lets pass.
public struct ConfigBinding: Sendable {
  /// A spec patch, and what of the configuration went into nothing.
  public struct Result: Sendable {
    /// The patch to lay over the family's spec.
    public let patch: Setting
    /// The paths in the configuration that are neither bound, required nor ignored, and may decide numbers.
    public let unused: [String]
  }

  let match: [(path: String, values: [JSONValue])]
  let unless: [(path: String, values: [JSONValue])]
  /// Facts of the container that its configuration does not mention.
  public let set: [Setting.Entry]
  let bindings: [(path: String, expression: BindingExpression, place: Place?)]
  let require: [Requirement]
  let ignored: [String]
  /// The keys whose values other readers take with a fraction alone.
  let floats: [String]
  /// What a written configuration says besides, by key.
  let constants: [(path: String, expression: BindingExpression)]

  /// Groups of options of the spec that a container has no word for, with the type by which each of their types is said.
  public let restatements: [(path: String, types: [String: String])]

  /// How tensors are brought back from what `set` says of the container.
  public let restorations: [TensorRestoration]

  /// The group whose keys are bound, required and ignored; nil where they are those of the whole.
  let within: String?
  /// Whether those keys stand in the whole where there is no such group.
  let isFlatOtherwise: Bool
  /// What is bound, required and ignored of the whole, where there is such a group: one or none.
  let outer: [ConfigBinding]

  /// What must hold where a configuration says it.
  struct Requirement: Sendable {
    let path: String
    /// The values of which one must be there.
    let condition: BindingExpression.Condition
    /// What gives the value that must be there, where no list of values does.
    let expression: BindingExpression?
    let place: Place?
  }

  /// The keys a section may have besides those of a checkpoint map.
  private static let keys = [
    "match", "unless", "set", "bind", "require", "ignore", "floats", "write", "within", "flat", "outer", "restore",
    "restate",
  ]

  /// Keys whose values the reference implementation declares as floats and refuses as integers, whatever the family:
  /// the annotations of transformers 5.23's configuration classes, in which no key is a float here and an integer there.
  private static let floatKeys = [
    "*_eps", "*_epsilon", "*_theta", "rope_local_base_freq", "*factor", "*_softcapping", "*_multiplier", "beta_fast",
    "beta_slow", "mscale", "mscale_all_dim", "logits_scaling", "logit_scale", "attn_scale", "softmax_scale", "clip_qkv",
    "rotary_pct", "swiglu_limit", "swiglu_alpha", "moe_norm_min", "time_step_limit", "time_step_m*",
    "time_step_floor", "time_step_scale", "*dropout*", "*_pdrop",
  ]

  /// What every configuration of the kind has and no architecture depends on.
  static let housekeeping = [
    "architectures", "model_type", "transformers_version", "dtype", "torch_dtype", "use_cache", "*_token_id",
    "initializer_range", "auto_map*", "_name_or_path", "_commit_hash", "*attn_implementation*", "*dropout*", "*_pdrop",
    "layerdrop", "general.*", "tokenizer.*", "quantize.*", "split.*", "tokenizer_class", "unsloth_*",
    // The base class of every configuration of transformers 4: outputs, tasks, pruning, and how to generate.
    "output_attentions", "output_hidden_states", "output_scores", "return_dict", "return_dict_in_generate",
    "torchscript", "use_bfloat16", "tf_legacy_loss", "finetuning_task", "id2label*", "label2id*", "num_labels",
    "task_specific_params*", "problem_type", "prefix", "tie_encoder_decoder", "chunk_size_feed_forward", "max_length",
    "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature",
    "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences", "remove_invalid_values",
    "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens", "is_encoder_decoder",
  ]

  /// Reads a `config:` section, or the binding in a `gguf:` section. Throws every problem at once.
  public init(_ section: Setting) throws(Problems) {
    var problems = Problems()
    guard let entries = section.entries else {
      throw Problems([Problem("a binding is \(section.kindInWords); expected a group of keys", at: section.place)])
    }
    for entry in entries where !Self.keys.contains(entry.key) {
      problems.add(
        Problem(
          "a binding of configurations has no key '\(entry.key)'", at: entry.place,
          hint: nearestName(to: entry.key, in: Self.keys).map { "did you mean '\($0)'?" }
            ?? "its keys are \(Self.keys.joined(separator: ", "))"))
    }
    func group(_ key: String) -> [Setting.Entry] {
      guard let setting = section[key], !setting.isNull else { return [] }
      if setting.entries == nil {
        problems.add(Problem("'\(key)' is \(setting.kindInWords); expected a group of keys", at: setting.place))
      }
      return (setting.entries ?? []).filter { !$0.value.isNull }
    }
    within = section["within"]?.text
    if let setting = section["within"], setting.text == nil, !setting.isNull {
      problems.add(Problem("'within' is \(setting.kindInWords); expected a key", at: setting.place))
    }
    isFlatOtherwise = section["flat"]?.flag ?? false
    if let setting = section["flat"], setting.flag == nil, !setting.isNull {
      problems.add(Problem("'flat' is \(setting.kindInWords); expected true or false", at: setting.place))
    }
    var outer: [ConfigBinding] = []
    if let setting = section["outer"], !setting.isNull {
      do { outer.append(try ConfigBinding(setting)) } catch { for problem in error.list { problems.add(problem) } }
    }
    self.outer = outer
    func values(_ setting: Setting) -> [JSONValue] {
      guard let items = setting.list, !items.isEmpty else { return [JSONValue(setting)] }
      return items.map { JSONValue($0) }
    }
    match = group("match").map { ($0.key, values($0.value)) }
    unless = group("unless").map { ($0.key, values($0.value)) }
    set = group("set")
    var require: [Requirement] = []
    for entry in group("require") {
      let isExpression = entry.value.entries != nil
      do {
        require.append(
          Requirement(
            path: entry.key,
            condition: .init(entry.key, values: isExpression ? [BindingExpression.absent] : values(entry.value)),
            expression: isExpression ? try BindingExpression(entry.value) : nil, place: entry.place))
      } catch {
        problems.add(error)
      }
    }
    self.require = require
    var bindings: [(path: String, expression: BindingExpression, place: Place?)] = []
    let bind = section["bind"].map { $0.isNull ? [] : $0.entries ?? [] } ?? []
    _ = group("bind")
    for entry in BindingSection(bind, problems: &problems).entries {
      do {
        bindings.append((entry.path, try entry.expression(), entry.place))
      } catch {
        problems.add(error)
      }
    }
    self.bindings = bindings
    func keys(_ key: String) -> [String] {
      guard let setting = section[key], !setting.isNull else { return [] }
      let keys = (setting.list ?? []).compactMap(\.text)
      if keys.count != setting.list?.count {
        problems.add(Problem("'\(key)' is \(setting.kindInWords); expected a list of keys", at: setting.place))
      }
      return keys
    }
    ignored = keys("ignore") + Self.housekeeping
    floats = keys("floats") + Self.floatKeys
    var restorations: [TensorRestoration] = []
    for entry in group("restore") {
      do { restorations.append(try TensorRestoration(entry)) } catch { problems.add(error) }
    }
    self.restorations = restorations
    restatements = group("restate").map { entry in
      let types = (entry.value.entries ?? []).compactMap { type in type.value.text.map { (type.key, $0) } }
      return (entry.key, Dictionary(types) { first, _ in first })
    }
    var constants: [(path: String, expression: BindingExpression)] = []
    for entry in group("write") {
      let isExpression = entry.value.entries != nil
      do {
        constants.append(
          (entry.key, isExpression ? try BindingExpression(entry.value) : .constant(JSONValue(entry.value))))
      } catch {
        problems.add(error)
      }
    }
    self.constants = constants
    try problems.check()
  }

  /// The binding and the checkpoint map of a section that holds both, as a `gguf:` section does; `ignore` serves both.
  public static func parts(of section: Setting) -> (binding: Setting, map: Setting) {
    let entries = section.entries ?? []
    let binding = entries.filter { Self.keys.contains($0.key) }
    let map = entries.filter { !Self.keys.contains($0.key) || $0.key == "ignore" }
    return (Setting(.group(binding), at: section.place), Setting(.group(map), at: section.place))
  }

  /// The one kind of model that `match` names: of a GGUF file its `general.architecture`.
  public var kind: String? { match.first { $0.path == "general.architecture" }?.values.first?.string }
}
