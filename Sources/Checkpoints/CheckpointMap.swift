import Components

/// How a family's tensor names and layouts correspond to the canonical ones, as its file says; for loading and saving.
///
/// ```yaml
/// checkpoint:
///   prefix: model.               # optional when loading; a list gives older spellings after the one that is saved
///   tensors: {embed_tokens: embed.tokens, norm: final_norm, /lm_head: head}      # '/': without the prefix
///   layer_prefix: layers.*.      # '*' is the layer's number; a list as of prefixes, '/' as of names
///   layer:
///     input_layernorm: attn_norm
///     self_attn.qkv_proj: {to: [attn.q, attn.k, attn.v], layout: (q|k|v) m}
///   axes: {h: attention.num_heads}      # what a layout's 'h' counts: a path in the spec
///   tied: {head: embed.tokens}   # a stored copy is accepted when it is the same, byte for byte
///   ignore: [self_attn.rotary_emb.inv_freq]      # stored tensors that carry no parameters; a final '**' is anything
///   constants: {mlp.act_fn.beta: 0.5}            # tensors of one number in every layer, for readers who ask for them
///   stacks: {source: {layer_prefix: encoder.layers.*., layer: {…}, tensors: {…}}}   # the same of stacks beside the text's
/// ```
///
/// A rule with `beside: attn.conv.weight` holds in the layers that have that tensor too; `norm: {any: [attn_norm, mlp_norm]}`
/// is one name for what layers of several kinds have. `values: minus_exp` says that numbers are stored otherwise than
/// they are used: see `StoredValues`. `joins: {attn_k_b: h in k, attn_v_b: h v in}` says what a checkpoint may hold in place of one
/// tensor: see `JoinedTensor`.
///
/// `.weight` and `.bias` are added to both sides unless a rule says `exact: true`. Where two rules name one canonical
/// tensor, loading follows the one whose stored tensor is there, and saving follows the later one. A rule that is null
/// is no rule.
public struct CheckpointMap: Sendable {
  /// What may stand before every stored name; the first is used for saving.
  public let prefixes: [String]
  /// What the named groups of layouts count, as paths in the spec.
  public let axes: [String: String]
  let rules: [CheckpointRule]
  let layerPrefix: String
  /// Those of the stacks beside the text's.
  let otherLayerPrefixes: [String]
  let tied: [String: String]
  let ignored: [String]
  let constants: [(name: String, value: Float)]

  /// The suffixes that follow automatically.
  static let suffixes = [".weight", ".bias"]
  private static let keys = [
    "prefix", "tensors", "layer_prefix", "layer", "axes", "tied", "ignore", "constants", "stacks",
  ]
  private static let stackKeys = ["tensors", "layer_prefix", "layer"]

  /// Reads a map, whose `naming` has been resolved. Throws every problem at once.
  public init(_ setting: Setting) throws(Problems) {
    var problems = Problems()
    guard let entries = setting.entries else {
      throw Problems([
        Problem("a checkpoint map is \(setting.kindInWords); expected a group of keys", at: setting.place)
      ])
    }
    for entry in entries where !Self.keys.contains(entry.key) {
      problems.add(
        Problem(
          "a checkpoint map has no key '\(entry.key)'", at: entry.place,
          hint: nearestName(to: entry.key, in: Self.keys).map { "did you mean '\($0)'?" }
            ?? "its keys are \(Self.keys.joined(separator: ", "))"))
    }
    let prefixes = Self.texts(setting["prefix"], "prefix", &problems)
    var rules: [CheckpointRule] = []
    layerPrefix = Self.rules(of: setting, stack: "", into: &rules, &problems)
    var others: [String] = []
    for stack in Self.group(setting["stacks"], "stacks", &problems) where !stack.value.isNull {
      for entry in Self.group(stack.value, stack.key, &problems) where !Self.stackKeys.contains(entry.key) {
        problems.add(
          Problem(
            "the map of a stack has no key '\(entry.key)'", at: entry.place,
            hint: "its keys are \(Self.stackKeys.joined(separator: ", "))"))
      }
      others.append(Self.rules(of: stack.value, stack: stack.key + ".", into: &rules, &problems))
    }
    otherLayerPrefixes = others
    axes = Self.textGroup(setting["axes"], "axes", &problems)
    tied = Self.textGroup(setting["tied"], "tied", &problems)
    let constants = Self.group(setting["constants"], "constants", &problems)
    for entry in constants where entry.value.number == nil {
      problems.add(Problem("'\(entry.key)' is \(entry.value.kindInWords); expected a number", at: entry.value.place))
    }
    self.constants = constants.map { ($0.key, Float($0.value.number ?? 0)) }
    ignored = Self.texts(setting["ignore"], "ignore", &problems) + constants.map(\.key)
    self.prefixes = prefixes.isEmpty ? [""] : prefixes
    self.rules = rules
    try problems.check()
  }

  /// Adds the rules of `setting`, whose canonical names begin with `stack`, to `rules`; gives what stands before the names in
  /// its layers.
  private static func rules(
    of setting: Setting, stack: String, into rules: inout [CheckpointRule], _ problems: inout Problems
  ) -> String {
    var layerPrefixes = texts(setting["layer_prefix"], "layer_prefix", &problems)
    if layerPrefixes.isEmpty { layerPrefixes = [""] }
    for (index, prefix) in layerPrefixes.enumerated()
    where setting["layer"]?.entries?.isEmpty == false && TensorNamePattern(prefix).starCount != 1 {
      problems.add(
        Problem(
          "'layer_prefix' is '\(prefix)'; expected a text with one '*' for the layer's number",
          at: setting["layer_prefix"]?.place ?? setting["layer"]?.place))
      // So that the rules below are not all blamed for it.
      layerPrefixes[index] = "*."
    }
    // The first spelling is saved: that of the later rule.
    let layers = layerPrefixes.reversed().map { ("layer", $0, stack + "layers.*.") }
    for (key, storedPrefix, canonicalPrefix) in [("tensors", "", stack)] + layers {
      for entry in group(setting[key], key, &problems).flatMap({ alternatives($0, &problems) })
      where !entry.value.isNull {
        do {
          rules.append(
            try CheckpointRule(
              entry, order: rules.count, storedPrefix: storedPrefix, canonicalPrefix: canonicalPrefix))
        } catch {
          problems.add(error)
        }
      }
    }
    return layerPrefixes[0]
  }

  /// What one stored name is in layers of several kinds: an entry for each.
  private static func alternatives(_ entry: Setting.Entry, _ problems: inout Problems) -> [Setting.Entry] {
    guard let any = entry.value["any"] else { return [entry] }
    guard let items = any.list, !items.isEmpty, entry.value.entries?.count == 1 else {
      problems.add(
        Problem("'any' is a list of what a tensor is in layers of several kinds, and stands alone", at: any.place))
      return []
    }
    return items.map { Setting.Entry(entry.key, $0, at: entry.place) }
  }

  private static func group(_ setting: Setting?, _ key: String, _ problems: inout Problems) -> [Setting.Entry] {
    guard let setting, !setting.isNull else { return [] }
    if let entries = setting.entries { return entries }
    problems.add(Problem("'\(key)' is \(setting.kindInWords); expected a group of names", at: setting.place))
    return []
  }

  private static func textGroup(_ setting: Setting?, _ key: String, _ problems: inout Problems) -> [String: String] {
    var texts: [String: String] = [:]
    for entry in group(setting, key, &problems) where !entry.value.isNull {
      guard let text = entry.value.text else {
        problems.add(Problem("'\(entry.key)' is \(entry.value.kindInWords); expected a name", at: entry.value.place))
        continue
      }
      texts[entry.key] = text
    }
    return texts
  }

  /// A text or a list of texts.
  private static func texts(_ setting: Setting?, _ key: String, _ problems: inout Problems) -> [String] {
    guard let setting, !setting.isNull else { return [] }
    if case .scalar(let text, _) = setting.content { return [text] }
    var texts: [String] = []
    for item in setting.list ?? [] {
      guard case .scalar(let text, _) = item.content else {
        problems.add(Problem("'\(key)' holds \(item.kindInWords); expected texts", at: item.place))
        continue
      }
      texts.append(text)
    }
    if setting.list == nil {
      problems.add(Problem("'\(key)' is \(setting.kindInWords); expected a text or a list of texts", at: setting.place))
    }
    return texts
  }
}
