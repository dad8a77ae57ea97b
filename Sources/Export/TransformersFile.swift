import Operators
import Plans

/// A plan as two files of Python for transformers: the classes of `PyTorchFile` in the library's clothes, and their
/// configuration.
///
/// Texts may come with padding on either side, which counts nowhere; positions are those of the tokens. Tensors have the
/// names of `PyTorchFile` behind `model.`, and the matrix that gives logits is `lm_head.weight`.
public struct TransformersFile: Sendable {
  /// The file of the classes.
  public let modeling: String
  /// The file of the configuration.
  public let configuration: String
  /// What the files and classes are called.
  public let names: TransformersNames
  /// The name of each of the plan's tensors in the module, in the plan's order.
  public let tensorNames: [String]
  /// What `config.json` says beside the ids of texts.
  public let settings: [(name: String, value: String)]
  /// What each layer is, in the library's words.
  public let layerTypes: [String]
  /// Whether the matrix that gives logits is the embedding's.
  public let isTied: Bool

  /// What the library calls the settings of a plan.
  private static let words = [
    "num_layers": "num_hidden_layers", "num_heads": "num_attention_heads", "num_kv_heads": "num_key_value_heads",
    "context_length": "max_position_embeddings", "top_k": "num_experts_per_tok", "window": "sliding_window",
    "softcap": "attn_logit_softcapping", "norm_eps": "norm_eps",
  ]

  /// The names of the tensors of `plan`. Throws `ExportProblem` where there are none.
  public static func tensorNames(of plan: Plan) throws -> [String] {
    names(plan, try ModelWriter(plan, for: .transformers).head)
  }

  private static func names(_ plan: Plan, _ head: HeadWriter?) -> [String] {
    plan.parameters.indices.map { head?.names[$0] ?? "model." + PyTorchFile.place(plan.parameters[$0]) }
  }

  /// The files of `plan`, which `command` writes. Throws `ExportProblem` where an operator has no rendering.
  public init(_ plan: Plan, command: String, words: PyTorchFile.Words) throws {
    let model = try ModelWriter(plan, for: .transformers)
    guard let head = model.head else { throw ExportProblem.noPlace(scope: plan.name, what: "it has no layers") }
    let file = model.file
    let layers = try TransformersLayers(plan)
    names = TransformersNames(plan.name)
    tensorNames = Self.names(plan, head)
    isTied = head.tiedTo != nil
    layerTypes = layers.types
    let type = names.type
    let taken = ["PreTrainedModel", "Model", "ForCausalLM", "Config"].map { type + $0 } + Self.imports.map(\.name)
    let classNames = ClassNames(file.classes, besides: Set(file.definitions.map(\.name)).union(taken))
    var classes: [String] = []
    for (index, written) in file.classes.enumerated() where !written.isLeftOut {
      let numbered = written.needs.cache ? ["layer_idx"] : []
      classes.append(
        ClassText(
          name: classNames.names[index], base: written.path.isEmpty ? "GradientCheckpointingLayer" : "nn.Module",
          doc: words(written.scope), told: numbered + written.kinds + written.told,
          constructor: written.statements,
          arguments: written.arguments + written.needs.arguments, forward: written.forward
        ).text)
    }
    let text = TransformersText(
      names: names, plan: plan, model: model, layers: layers,
      layerClasses: model.layerClasses.map { classNames.names[$0] })
    let own = (layers.keepsStates ? [text.stateLayer] : []) + [text.base, text.main, text.causal(head)]
    var body = (file.definitions.map(\.text) + classes + own).map {
      classNames.fill(classNames.tell($0, file.classes))
    }
    let config = ConfigText(body.joined(separator: "\n"), plan: plan, words: Self.words)
    body = body.map { config.resolve($0) }
    var settings = config.settings
    for (name, value) in Self.facts(layers, head) where !settings.contains(where: { $0.name == name }) {
      settings.append((name, value))
    }
    self.settings = settings
    modeling = Self.head(plan, command, body, file.imports, names) + body.joined(separator: "\n\n\n") + "\n"
    configuration = Self.configuration(plan, names, settings, layers.types, isTied: isTied)
  }

  /// Numbers that readers of a config look for by name, where no class reads them.
  private static func facts(_ layers: TransformersLayers, _ head: HeadWriter) -> [(String, String)] {
    var facts: [(String, String)] = []
    if let first = layers.attention.first {
      facts.append(("num_attention_heads", String(first.heads)))
      facts.append(("num_key_value_heads", String(first.keyHeads)))
    }
    if let window = layers.window { facts.append(("sliding_window", String(window))) }
    let after = head.steps.drop { !($0.operation is Linear) }.dropFirst()
    if after.count == 1, let step = after.first {
      if let cap = step.operation as? Softcap {
        facts.append(("final_logit_softcapping", PyTorchExpression(cap.cap).text))
      }
      if let scale = step.operation as? Scale { facts.append(("logit_scale", PyTorchExpression(scale.factor).text)) }
    }
    return facts
  }

  private static let imports: [(name: String, module: String)] = [
    ("GenerationMixin", "transformers"), ("PreTrainedModel", "transformers"), ("init", "transformers"),
    ("Cache", "transformers.cache_utils"), ("DynamicCache", "transformers.cache_utils"),
    ("DynamicLayer", "transformers.cache_utils"), ("DynamicSlidingWindowLayer", "transformers.cache_utils"),
    ("create_causal_mask", "transformers.masking_utils"),
    ("create_sliding_window_causal_mask", "transformers.masking_utils"),
    ("sliding_window_overlay", "transformers.masking_utils"),
    ("GradientCheckpointingLayer", "transformers.modeling_layers"),
    ("BaseModelOutputWithPast", "transformers.modeling_outputs"),
    ("CausalLMOutputWithPast", "transformers.modeling_outputs"),
    ("ALL_ATTENTION_FUNCTIONS", "transformers.modeling_utils"), ("can_return_tuple", "transformers.utils.generic"),
  ]

  private static func head(
    _ plan: Plan, _ command: String, _ body: [String], _ modules: Set<String>, _ names: TransformersNames
  ) -> String {
    let words = Set(body.flatMap { $0.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init) })
    var lines = ["\"\"\"\(plan.name): \(plan.parameterCount.grouped) parameters.", ""]
    lines += PythonText.filled(
      "Written by `\(command)` for transformers 5.23 and later. Shapes in comments are [batch, tokens, …].", indent: 0)
    lines += ["\"\"\"", ""]
    let plain = modules.union(words.contains("math") ? ["math"] : []).sorted().map { "import \($0)" }
    lines += plain + (plain.isEmpty ? [] : [""])
    lines +=
      ["import torch"] + (words.contains("F") ? ["import torch.nn.functional as F"] : []) + ["from torch import nn"]
    var modules: [String] = []
    for (_, module) in imports where !modules.contains(module) { modules.append(module) }
    for module in modules {
      let used = imports.filter { $0.module == module && words.contains($0.name) }.map(\.name)
      let plain = used.filter { $0 != "init" }
      if !plain.isEmpty {
        let line = "from \(module) import \(plain.joined(separator: ", "))"
        lines +=
          line.count <= PythonText.columns
          ? [line] : ["from \(module) import ("] + plain.map { "    \($0)," } + [")"]
      }
      if used.contains("init") { lines.append("from \(module) import initialization as init") }
    }
    lines += ["", "from .\(names.configuration) import \(names.type)Config", "", "", ""]
    return lines.joined(separator: "\n")
  }

  private static func configuration(
    _ plan: Plan, _ names: TransformersNames, _ settings: [(name: String, value: String)], _ types: [String],
    isTied: Bool
  ) -> String {
    var runs: [(String, Int)] = []
    for type in types {
      if runs.last?.0 == type { runs[runs.count - 1].1 += 1 } else { runs.append((type, 1)) }
    }
    let isRepeated = runs.contains { $0.1 > 2 } || runs.count > 12
    let list =
      isRepeated
      ? runs.map { $0.1 == 1 ? "[\"\($0.0)\"]" : "[\"\($0.0)\"] * \($0.1)" }.joined(separator: " + ")
      : "[" + types.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
    var lines = [
      "\"\"\"The configuration of \(plan.name).\"\"\"", "", "from transformers import PreTrainedConfig", "", "",
    ]
    lines += ["class \(names.type)Config(PreTrainedConfig):"]
    lines += [
      "    model_type = \"\(names.modelType)\"", "    keys_to_ignore_at_inference = (\"past_key_values\",)", "",
    ]
    lines += ["    def __init__(", "        self,"]
    lines += settings.map { "        \($0.name)=\($0.value)," }
    lines += [
      "        layer_types=None,", "        use_cache=True,",
      "        tie_word_embeddings=\(isTied ? "True" : "False"),",
      "        **kwargs,", "    ):",
    ]
    lines += settings.map { "        self.\($0.name) = \($0.name)" }
    lines += ["        if layer_types is None:"]
    lines += PythonText.wrapped("layer_types = \(list)", indent: 12)
    lines += ["        self.layer_types = layer_types", "        self.use_cache = use_cache"]
    lines += ["        super().__init__(tie_word_embeddings=tie_word_embeddings, **kwargs)"]
    return lines.joined(separator: "\n") + "\n"
  }
}
