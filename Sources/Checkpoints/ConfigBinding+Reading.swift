import Components
import Files

extension ConfigBinding {
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
    var patch = Setting(.group([]))
    var seen = Set((match + unless).map(\.path))
    var ignored = ignored
    if let within, !isFlatOtherwise || source.value(at: within)?.object != nil {
      var inner: Set<String> = []
      add(source.inside(within), to: &patch, &inner, &problems)
      seen.formUnion(inner.map { "\(within).\($0)" })
      ignored = ignored.map { "\(within).\($0)" } + Self.housekeeping + Self.housekeeping.map { "*.\($0)" }
    } else {
      add(source, to: &patch, &seen, &problems)
      if within != nil { ignored += Self.housekeeping.map { "*.\($0)" } }
    }
    for outer in outer {
      outer.add(source, to: &patch, &seen, &problems)
      ignored += outer.ignored
    }
    try problems.check()
    return Result(patch: patch, unused: Self.unused(of: source, besides: seen, ignored))
  }

  /// Adds what the bindings say to `patch`, and what is wrong to `problems`; keys that they read are added to `seen`.
  private func add(
    _ source: ConfigSource, to patch: inout Setting, _ seen: inout Set<String>, _ problems: inout Problems
  ) {
    bind(source, into: &patch, &seen, &problems)
    for requirement in require { check(requirement, in: source, &seen, &problems) }
  }

  private func bind(
    _ source: ConfigSource, into patch: inout Setting, _ seen: inout Set<String>, _ problems: inout Problems
  ) {
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
  }

  /// Adds a problem where `source` says something else than is required, or not what must be said.
  private func check(
    _ requirement: Requirement, in source: ConfigSource, _ seen: inout Set<String>, _ problems: inout Problems
  ) {
    var condition = requirement.condition
    if let expression = requirement.expression {
      do {
        if let value = try expression.value(in: source, seen: &seen) { condition.values.insert(value, at: 0) }
      } catch {
        problems.add(
          Problem(
            "\(source.name): \(error.sentence) (for \(requirement.path))", at: requirement.place, hint: error.hint))
        return
      }
    }
    let (paths, values) = (condition.paths, condition.values)
    seen.formUnion(paths)
    if condition.holds(in: source) { return }
    guard let path = paths.first(where: { source.value(at: $0) != nil || source.isNull($0) }) else {
      // What is not said needs to be said only where that is required.
      if values.contains(BindingExpression.present) {
        problems.add(
          Problem(
            "\(source.name): there is no \(requirement.path), and what holds without it this family's spec cannot say",
            at: requirement.place))
      }
      return
    }
    let value = source.value(at: path) ?? .null
    problems.add(
      Problem(
        "\(source.name): \(path) is \(value.word), which this family's spec cannot say; "
          + "it holds for \(values.map(\.word).joined(separator: " or "))",
        at: requirement.place))
  }

  /// The keys of `source` that are neither `seen` nor ignored.
  private static func unused(
    of source: ConfigSource, besides seen: Set<String>, _ ignored: [String]
  ) -> [String] {
    let read = Set(
      seen.map { path in
        // Who reads an item reads the list.
        let spelled = source.spelled(path)
        guard let dot = spelled.lastIndex(of: "."), Int(spelled[spelled.index(after: dot)...]) != nil else {
          return spelled
        }
        return String(spelled[..<dot])
      })
    return source.leaves.filter { leaf in
      !read.contains { leaf == $0 || leaf.hasPrefix($0 + ".") } && !ignored.contains { fits(leaf[...], $0[...]) }
    }
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
