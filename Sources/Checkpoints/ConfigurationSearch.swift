import Components
import Files

/// What a binding should give back of a configuration that is written.
struct WantedValue {
  let path: String
  let expression: BindingExpression
  /// The value; of a pattern of layers the ways to write it, the preferred one first.
  let spellings: [JSONValue]
  /// Whether the spec says it. What it leaves to a component is written where that is easy.
  let isSaid: Bool
  /// How many layers the model has.
  let layers: Int
  let place: Place?

  /// Whether it is a list with a value for each layer.
  var isOfEachLayer: Bool { LayerValues.option(of: path) != nil }

  /// Whether `said` is the value.
  func isMet(by said: JSONValue?) -> Bool {
    if isOfEachLayer { return LayerValues.isMet(spellings[0], by: said) }
    guard let said else { return false }
    if path == LayerPattern.path, let names = LayerPattern(said, layers: layers).names {
      return names == LayerPattern(spellings[0], layers: layers).names
    }
    return spellings.contains { said.means($0) || said.word == $0.word }
  }
}

/// Tries the ways to say each value until one gives all of them back.
struct ConfigurationSearch {
  let binding: ConfigBinding
  let wanted: [WantedValue]
  let tensors: [String: [Int]]
  let numbers: [String: [Double]]
  /// What the search begins with where a model's own configuration is changed: values that are right already are not
  /// written a second time.
  var start: JSONObject?
  /// What was wrong with the first attempt: that of the preferred ways.
  private(set) var problems: Problems?
  private var attempts = 0

  private static let maximumAttempts = 1000

  init(
    binding: ConfigBinding, wanted: [WantedValue], tensors: [String: [Int]], numbers: [String: [Double]],
    start: JSONObject? = nil
  ) {
    self.numbers = numbers
    self.binding = binding
    self.wanted = wanted
    self.tensors = tensors
    self.start = start
  }

  mutating func run(_ config: JSONObject, from index: Int = 0) -> JSONObject? {
    guard index < wanted.count else { return finished(config) }
    let item = wanted[index]
    var ways: [JSONObject] = []
    if start != nil || item.isOfEachLayer, item.isMet(by: value(of: item.expression, in: config)) { ways = [config] }
    for spelling in item.spellings { ways += item.expression.inversions(of: spelling, in: config) }
    if ways.isEmpty || !item.isSaid { ways.append(config) }
    for way in ways where attempts < Self.maximumAttempts {
      if let found = run(way, from: index + 1) { return found }
    }
    return nil
  }

  /// `config` where it says everything; keys whose absence means something that the model has not are null, or have the
  /// word that switches it off, and so have the items that a list still needs.
  private mutating func finished(_ config: JSONObject) -> JSONObject? {
    let switched = switchedOff(config)
    if isRight(switched) { return switched }
    // What is off may decide another value too: a variant that no layer has.
    return switched != config && isRight(config) ? config : nil
  }

  /// `config` with what the model has not switched off.
  private func switchedOff(_ config: JSONObject) -> JSONObject {
    var config = config
    for (path, expression, _) in binding.bindings where !wanted.contains(where: { $0.path == path }) {
      guard isOn(expression, in: config) || Self.isNextItem(expression.firstPath, of: config) else { continue }
      var ways: [JSONObject] = []
      if expression.canSwitchOff || Self.isNextItem(expression.firstPath, of: config) {
        ways = expression.inversions(of: .null, in: config)
      }
      if let changed = expression.firstPath.flatMap({ config.assigning(.null, at: $0) }) { ways.append(changed) }
      config = ways.first { !isOn(expression, in: $0) } ?? config
    }
    return config
  }

  /// Whether `expression` has a value in `config` that is not null.
  private func isOn(_ expression: BindingExpression, in config: JSONObject) -> Bool {
    value(of: expression, in: config).map { !$0.isNull } ?? false
  }

  /// Whether `path` is the next item of a list that `config` has: `limit.1` where there is `limit.0`.
  private static func isNextItem(_ path: String?, of config: JSONObject) -> Bool {
    guard let path, let dot = path.lastIndex(of: "."), let index = Int(path[path.index(after: dot)...]) else {
      return false
    }
    return index > 0 && config[String(path[..<dot])]?.array?.count == index
  }

  /// Whether `config` gives back all that the spec says, and nothing where it says that there is nothing.
  mutating func isRight(_ config: JSONObject) -> Bool {
    attempts += 1
    var found = Problems()
    do {
      let patch = try binding.bind(
        ConfigSource(name: "config.json", values: config, tensors: tensors, numbers: numbers)
      ).patch
      for item in wanted where item.isSaid {
        let said =
          item.isOfEachLayer ? value(of: item.expression, in: config) : patch[path: item.path].map { JSONValue($0) }
        if item.isMet(by: said) { continue }
        found.add(
          Problem(
            (binding.kind == nil ? "config.json" : "a GGUF file")
              + " cannot say that \(item.path) is \(item.spellings[item.spellings.count - 1].serialized())"
              + (said.map { "; it would be \($0.serialized())" } ?? ""), at: item.place))
      }
    } catch {
      found = error
    }
    if problems == nil { problems = found }
    return found.isEmpty
  }

  /// What to keep of `original`, which says something else than the spec: first all but the keys that only the wrong
  /// values come from, then all but every key that they come from.
  func kept(of original: JSONObject) -> [JSONObject] {
    var (right, wrong): (Set<String>, Set<String>) = ([], [])
    let source = ConfigSource(name: "config.json", values: original, tensors: tensors, numbers: numbers)
    for (path, expression, _) in binding.bindings {
      var seen: Set<String> = []
      let said = (try? expression.value(in: source, seen: &seen)) ?? nil
      let item = wanted.first { $0.path == path }
      if item.map({ $0.isMet(by: said) }) ?? (said == nil) { right.formUnion(seen) } else { wrong.formUnion(seen) }
    }
    return [original.removing(wrong.subtracting(right)), original.removing(wrong)]
  }

  private func value(of expression: BindingExpression, in config: JSONObject) -> JSONValue? {
    var seen: Set<String> = []
    return
      (try? expression.value(
        in: ConfigSource(name: "config.json", values: config, tensors: tensors, numbers: numbers), seen: &seen))
      ?? nil
  }
}

extension JSONObject {
  /// This object without the values at `paths`, and without groups that are empty for it.
  func removing(_ paths: Set<String>) -> JSONObject {
    var object = self
    for path in paths { object = object.removing(path[...]) }
    return object
  }

  private func removing(_ path: Substring) -> JSONObject {
    var object = self
    if object[String(path)] != nil {
      object[String(path)] = nil
    } else if let dot = path.firstIndex(of: "."), let inner = object[String(path[..<dot])]?.object {
      let rest = inner.removing(path[path.index(after: dot)...])
      object[String(path[..<dot])] = rest.isEmpty && !inner.isEmpty ? nil : .object(rest)
    }
    return object
  }
}
