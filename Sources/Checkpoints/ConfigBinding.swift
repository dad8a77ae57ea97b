import Components
import Files

/// How a family reads its checkpoints' configuration into a spec, as its file says.
///
/// ```yaml
/// config:
///   match: {model_type: llama}            # which configurations are this family's
///   set: {position.pairing: half}         # facts of the container
///   bind:
///     vocab_size: vocab_size              # path in the spec: expression, see `BindingExpression`
///     mlp.activation: {from: [hidden_act, hidden_activation], map: {silu: silu, gelu: gelu}}
///   require: {scale_attn_weights: true}   # what must hold where it is said, for the spec has no word for the contrary
///   ignore: [summary_*, id2label.*]       # keys that carry no architecture; '*' is any text
///   floats: [rope_theta, '*_eps']         # keys that are written with a fraction, `30.0`: other readers ask for one
///   write: {architectures: [LlamaForCausalLM]}      # what a written configuration also says; a group is an expression
///   restore: {position.pairing: {attn.q: attention.num_heads}}     # see `TensorRestoration`
/// ```
///
/// A key that is absent or null binds nothing, and the spec's default holds, unless the binding has a `default`.
public struct ConfigBinding: Sendable {
  /// A spec patch, and what of the configuration went into nothing.
  public struct Result: Sendable {
    /// The patch to lay over the family's spec.
    public let patch: Setting
    /// The paths in the configuration that are neither bound, required nor ignored: a user should hear of them.
    public let unused: [String]
  }

  let match: [(path: String, values: [JSONValue])]
  /// Facts of the container that its configuration does not mention.
  public let set: [Setting.Entry]
  let bindings: [(path: String, expression: BindingExpression, place: Place?)]
  let require: [(path: String, values: [JSONValue], place: Place?)]
  private let ignored: [String]
  /// The keys whose values other readers take with a fraction alone.
  let floats: [String]
  /// What a written configuration says besides, by key.
  let constants: [(path: String, expression: BindingExpression)]

  /// How tensors are brought back from what `set` says of the container.
  public let restorations: [TensorRestoration]

  /// The keys a section may have besides those of a checkpoint map.
  private static let keys = ["match", "set", "bind", "require", "ignore", "floats", "write", "restore"]

  /// Keys whose values the reference implementation declares as floats and refuses as integers, whatever the family:
  /// the annotations of transformers 5.23's configuration classes, in which no key is a float here and an integer there.
  private static let floatKeys = [
    "*_eps", "*_epsilon", "*_theta", "rope_local_base_freq", "*factor", "*_softcapping", "*_multiplier", "beta_fast",
    "beta_slow", "mscale", "mscale_all_dim", "logits_scaling", "logit_scale", "attn_scale", "softmax_scale", "clip_qkv",
    "rotary_pct", "swiglu_limit", "swiglu_alpha", "moe_norm_min", "time_step_*", "*dropout*", "*_pdrop",
  ]

  /// What every configuration of the kind has and no architecture depends on.
  private static let housekeeping = [
    "architectures", "model_type", "transformers_version", "dtype", "torch_dtype", "use_cache", "bos_token_id",
    "eos_token_id", "pad_token_id", "initializer_range", "auto_map", "_name_or_path", "*dropout*", "*_pdrop",
    "layerdrop", "output_attentions", "output_hidden_states", "return_dict", "general.*", "tokenizer.*",
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
    set = group("set")
    require = group("require").map { ($0.key, values($0.value), $0.place) }
    var bindings: [(path: String, expression: BindingExpression, place: Place?)] = []
    for entry in group("bind") {
      do {
        bindings.append((entry.key, try BindingExpression(entry.value), entry.place ?? entry.value.place))
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

  /// Whether `source` is a configuration of this family.
  public func matches(_ source: ConfigSource) -> Bool {
    !match.isEmpty
      && match.allSatisfy { condition in
        let value = source.value(at: condition.path) ?? BindingExpression.absent
        return condition.values.contains { $0.means(value) }
      }
  }

  /// The patch that says in the spec's words what `source` says in its own. Throws every problem at once.
  public func bind(_ source: ConfigSource) throws(Problems) -> Result {
    var problems = Problems()
    var seen = Set(match.map(\.path))
    var patch = Setting(.group([]))
    for entry in set { patch[path: entry.key] = entry.value }
    for binding in bindings {
      do {
        guard let value = try binding.expression.value(in: source, seen: &seen) else { continue }
        patch[path: binding.path] = value.setting(at: binding.place)
      } catch {
        problems.add(
          Problem("\(source.name): \(error.sentence) (for \(binding.path))", at: binding.place, hint: error.hint))
      }
    }
    for requirement in require {
      seen.insert(requirement.path)
      guard let value = source.value(at: requirement.path),
        !requirement.values.contains(where: { $0.means(value) })
      else { continue }
      problems.add(
        Problem(
          "\(source.name): \(requirement.path) is \(value.serialized()), which this family's spec cannot say; "
            + "it holds for \(requirement.values.map { $0.serialized() }.joined(separator: " or "))",
          at: requirement.place))
    }
    try problems.check()
    let unused = source.leaves.filter { leaf in
      !seen.contains { leaf == $0 || leaf.hasPrefix($0 + ".") } && !ignored.contains { Self.fits(leaf[...], $0[...]) }
    }
    return Result(patch: patch, unused: unused)
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
