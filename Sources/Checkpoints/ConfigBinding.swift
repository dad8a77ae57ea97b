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
  private let unless: [(path: String, values: [JSONValue])]
  /// Facts of the container that its configuration does not mention.
  public let set: [Setting.Entry]
  let bindings: [(path: String, expression: BindingExpression, place: Place?)]
  let require: [Requirement]
  private let ignored: [String]
  /// The keys whose values other readers take with a fraction alone.
  let floats: [String]
  /// What a written configuration says besides, by key.
  let constants: [(path: String, expression: BindingExpression)]

  /// Groups of options of the spec that a container has no word for, with the type by which each of their types is said.
  public let restatements: [(path: String, types: [String: String])]

  /// How tensors are brought back from what `set` says of the container.
  public let restorations: [TensorRestoration]

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
    "match", "unless", "set", "bind", "require", "ignore", "floats", "write", "restore", "restate",
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
  private static let housekeeping = [
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

  /// Whether `source` is a configuration of this family.
  public func matches(_ source: ConfigSource) -> Bool {
    func holds(_ condition: (path: String, values: [JSONValue])) -> Bool {
      let value = source.value(at: condition.path) ?? BindingExpression.absent
      return condition.values.contains { $0.means(value) }
    }
    return !match.isEmpty && match.allSatisfy(holds) && !unless.contains(where: holds)
  }

  /// The patch that says in the spec's words what `source` says in its own. Throws every problem at once.
  public func bind(_ source: ConfigSource) throws(Problems) -> Result {
    var problems = Problems()
    var seen = Set((match + unless).map(\.path))
    var patch = Setting(.group([]))
    for entry in set { patch[path: entry.key] = entry.value }
    var lists: [(values: LayerValues, path: String, place: Place?)] = []
    for binding in bindings {
      do {
        guard let value = try binding.expression.value(in: source, seen: &seen) else { continue }
        if let option = LayerValues.option(of: binding.path) {
          if value.isNull { continue }
          lists.append((try LayerValues(value, at: option), binding.path, binding.place))
          continue
        }
        // A null without a place deletes what there is, and needs nothing to delete.
        patch[path: binding.path] = value.setting(at: value.isNull ? nil : binding.place)
      } catch {
        problems.add(
          Problem("\(source.name): \(error.sentence) (for \(binding.path))", at: binding.place, hint: error.hint))
      }
    }
    let layers = patch[path: "layers.count"]?.integer ?? 0
    var overrides: [Setting] = []
    for list in lists where layers > 0 {
      do {
        overrides += try list.values.overrides(layers: layers, at: list.place)
      } catch {
        problems.add(Problem("\(source.name): \(error.sentence) (for \(list.path))", at: list.place))
      }
    }
    if !overrides.isEmpty { patch[path: "layers.overrides"] = Setting(.list(overrides)) }
    for requirement in require {
      var condition = requirement.condition
      if let expression = requirement.expression {
        do {
          if let value = try expression.value(in: source, seen: &seen) { condition.values.insert(value, at: 0) }
        } catch {
          problems.add(
            Problem(
              "\(source.name): \(error.sentence) (for \(requirement.path))", at: requirement.place, hint: error.hint))
          continue
        }
      }
      let (paths, values) = (condition.paths, condition.values)
      seen.formUnion(paths)
      if condition.holds(in: source) { continue }
      guard let path = paths.first(where: { source.value(at: $0) != nil || source.isNull($0) }) else {
        // What is not said needs to be said only where that is required.
        if values.contains(BindingExpression.present) {
          problems.add(
            Problem(
              "\(source.name): there is no \(requirement.path), and what holds without it this family's spec cannot say",
              at: requirement.place))
        }
        continue
      }
      let value = source.value(at: path) ?? .null
      problems.add(
        Problem(
          "\(source.name): \(path) is \(value.word), which this family's spec cannot say; "
            + "it holds for \(values.map(\.word).joined(separator: " or "))",
          at: requirement.place))
    }
    try problems.check()
    seen = Set(
      seen.map { path in
        // Who reads an item reads the list.
        let spelled = source.spelled(path)
        guard let dot = spelled.lastIndex(of: "."), Int(spelled[spelled.index(after: dot)...]) != nil else {
          return spelled
        }
        return String(spelled[..<dot])
      })
    let unused = source.leaves.filter { leaf in
      !seen.contains { leaf == $0 || leaf.hasPrefix($0 + ".") } && !ignored.contains { Self.fits(leaf[...], $0[...]) }
    }
    return Result(patch: patch, unused: unused)
  }

  /// Whether `path` is passed over: ignored, and neither bound nor required.
  public func ignores(_ path: String) -> Bool {
    var seen = Set(require.flatMap(\.condition.paths) + (match + unless).map(\.path))
    let nothing = ConfigSource(name: "", values: JSONObject(), tensors: [:])
    for binding in bindings { _ = try? binding.expression.value(in: nothing, seen: &seen) }
    return !seen.contains { path == $0 || path.hasPrefix($0 + ".") }
      && ignored.contains { Self.fits(path[...], $0[...]) }
  }

  /// Whether `text` fits `pattern`, in which '*' is any text.
  static func fits(_ text: Substring, _ pattern: Substring) -> Bool {
    guard let star = pattern.firstIndex(of: "*") else { return text == pattern }
    guard text.hasPrefix(pattern[..<star]) else { return false }
    let rest = pattern[pattern.index(after: star)...]
    var tail = text[text.index(text.startIndex, offsetBy: pattern.distance(from: pattern.startIndex, to: star))...]
    while true {
      if fits(tail, rest) { return true }
      guard !tail.isEmpty else { return false }
      tail = tail.dropFirst()
    }
  }
}

extension ConfigBinding {
  /// What a file's tensors say of the wiring, for a model whose wiring is another file's: all of a group of which they
  /// hold numbers, such as factors of rotary frequencies.
  public func facts(storedIn source: ConfigSource) throws(Problems) -> Setting? {
    var groups: Set<Substring> = []
    var seen: Set<String> = []
    for binding in bindings {
      guard case .numbers = binding.expression, let dot = binding.path.lastIndex(of: ".") else { continue }
      if let value = try? binding.expression.value(in: source, seen: &seen), !value.isNull {
        groups.insert(binding.path[..<dot])
      }
    }
    guard !groups.isEmpty else { return nil }
    let all = try bind(source).patch
    var facts = Setting(.group([]))
    for group in groups { facts[path: group] = all[path: group] }
    return facts
  }
}
