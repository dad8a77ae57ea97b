import Components

/// One line of a checkpoint map: a stored name and the canonical tensors it holds.
struct CheckpointRule: Sendable {
  /// The stored name without prefix and automatic suffix.
  let stored: TensorNamePattern
  /// Whether the prefix is never added: the name was written with a leading `/`.
  let isAbsolute: Bool
  /// The canonical names without automatic suffix, in the order of the layout's parts.
  let canonical: [TensorNamePattern]
  let layout: TensorLayout
  /// Whether both sides are spelled in full, without automatic `.weight` or `.bias`.
  let isExact: Bool
  /// The canonical tensor without which a layer has none of the rule's; nil where it holds for every layer.
  let beside: TensorNamePattern?
  /// What stored numbers are of canonical ones; nil where they are the same.
  let values: StoredValues?
  /// What a checkpoint may have in place of the stored tensor, its rows by turns; empty where it is always whole.
  let joins: [JoinedTensor.Part]
  /// The rule's place in the map; a later rule is preferred for saving.
  let order: Int
  let place: Place?

  /// Reads `key: value` of a map; `prefixes` come before the stored and the canonical names.
  init(
    _ entry: Setting.Entry, order: Int, storedPrefix: String, canonicalPrefix: String
  ) throws(Problem) {
    let value = entry.value
    self.order = order
    place = entry.place ?? value.place
    var targets: [String] = []
    var layoutSetting: Setting?
    var exact = false
    var beside: String?
    var values: StoredValues?
    var joins: [JoinedTensor.Part] = []
    if let entries = value.entries {
      for option in entries {
        switch option.key {
        case "to": targets = try Self.names(option.value)
        case "layout": layoutSetting = option.value
        case "exact":
          guard let flag = option.value.flag else {
            throw Problem("'exact' is \(option.value.kindInWords); expected true or false", at: option.value.place)
          }
          exact = flag
        case "beside":
          guard let text = option.value.text else {
            throw Problem("'beside' is \(option.value.kindInWords); expected a tensor's name", at: option.value.place)
          }
          beside = text
        case "values":
          values = option.value.text.flatMap(StoredValues.init)
          guard values != nil else {
            throw Problem(
              "'values' is \(option.value.kindInWords); expected "
                + StoredValues.allCases.map(\.rawValue).joined(separator: " or "), at: option.value.place)
          }
        case "joins":
          guard let parts = option.value.entries, parts.count > 1 else {
            throw Problem(
              "'joins' is \(option.value.kindInWords); expected the names of at least two stored tensors, each with its axes",
              at: option.value.place)
          }
          for part in parts {
            joins.append(try JoinedTensor.Part(part.key, layout: part.value, storedPrefix: storedPrefix))
          }
        default:
          throw Problem(
            "a rule of a checkpoint map has no key '\(option.key)'", at: option.place,
            hint: nearestName(to: option.key, in: ["to", "layout", "exact", "beside", "values", "joins"])
              .map { "did you mean '\($0)'?" }
              ?? "its keys are to, layout, exact, beside, values and joins")
        }
      }
    } else {
      targets = try Self.names(value)
    }
    guard !targets.isEmpty else { throw Problem("the rule for '\(entry.key)' names no tensor under 'to'", at: place) }
    guard !entry.key.isEmpty, entry.key != "/" else { throw Problem("a stored tensor's name is empty", at: place) }

    var layout = TensorLayout.plain
    if let layoutSetting {
      guard let text = layoutSetting.text else {
        throw Problem("'layout' is \(layoutSetting.kindInWords); expected a text", at: layoutSetting.place)
      }
      do {
        layout = try TensorLayout(parsing: text)
      } catch {
        throw Problem(error.sentence, at: layoutSetting.place)
      }
    }
    if layout.parts.isEmpty {
      guard targets.count == 1 else {
        throw Problem(
          "the rule for '\(entry.key)' names \(targets.count) tensors and no layout that joins them", at: place,
          hint: "a layout such as '(a|b) m' says how")
      }
    } else {
      targets = try Self.ordered(targets, as: layout, exact: exact, place: layoutSetting?.place ?? place)
    }
    let name = entry.key.hasPrefix("/") ? entry.key : storedPrefix + entry.key
    isAbsolute = name.hasPrefix("/")
    stored = TensorNamePattern(isAbsolute ? String(name.dropFirst()) : name)
    canonical = targets.map { TensorNamePattern(canonicalPrefix + $0) }
    self.layout = layout
    isExact = exact
    self.values = values
    self.joins = joins
    self.beside = beside.map { TensorNamePattern(canonicalPrefix + $0) }

    if let other = joins.first(where: { $0.stored.starCount != stored.starCount }) {
      throw Problem("'\(other.stored.text)' and '\(stored.text)' have different numbers of '*'", at: place)
    }
    let stars = canonical[0].starCount
    guard canonical.allSatisfy({ $0.starCount == stars }) else {
      throw Problem("the tensors of '\(entry.key)' have different numbers of '*'", at: place)
    }
    let wanted = stars - (layout.hasExperts ? 1 : 0)
    guard stored.starCount == wanted else {
      throw Problem(
        "'\(stored.text)' has \(stored.starCount) '*', and '\(canonical[0].text)' has \(stars)"
          + (layout.hasExperts ? ", of which the layout's 'e' takes one" : ""), at: place,
        hint: stored.starCount < wanted ? "a layout that begins with 'e' holds all experts in one tensor" : nil)
    }
  }

  private static func names(_ setting: Setting) throws(Problem) -> [String] {
    if let text = setting.text { return [text] }
    guard let list = setting.list else {
      throw Problem("'to' is \(setting.kindInWords); expected a tensor's name or a list of them", at: setting.place)
    }
    var names: [String] = []
    for item in list {
      guard let text = item.text else {
        throw Problem("a tensor's name is \(item.kindInWords); expected a text", at: item.place)
      }
      names.append(text)
    }
    return names
  }

  /// The targets in the order of the layout's parts, which name them by their last word.
  private static func ordered(
    _ targets: [String], as layout: TensorLayout, exact: Bool, place: Place?
  ) throws(Problem) -> [String] {
    var byWord: [String: String] = [:]
    for target in targets {
      var words = target.split(separator: ".")
      if exact, let last = words.last, last == "weight" || last == "bias" { words.removeLast() }
      byWord[words.last.map(String.init) ?? target] = target
    }
    let ordered = layout.parts.compactMap { byWord[$0] }
    guard ordered.count == targets.count, ordered.count == layout.parts.count else {
      throw Problem(
        "the parts of the layout '\(layout.text)' are not the tensors \(targets.joined(separator: ", "))", at: place,
        hint: "a part is named by the last word of its tensor: q for attn.q")
    }
    return ordered
  }

  /// The layer and expert numbers in canonical order that the stored name shows.
  func storedNumbers(_ numbers: [Int]) -> [Int] { Array(numbers.prefix(stored.starCount)) }
}
