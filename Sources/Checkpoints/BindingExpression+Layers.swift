import Components
import Files

/// Patterns of layers that configurations say by counts, periods or several lists at once.
extension BindingExpression {
  /// No configuration has more layers than this; a count beyond it is a mistake of the file.
  static let layerLimit = 100_000

  /// The runs that have layers, as `3*local`. A count below zero is none, as a comparison with a layer's number reads it.
  static func runs(
    _ runs: [(name: String, count: BindingExpression)], in source: ConfigSource, seen: inout Set<String>
  ) throws(BindingProblem) -> JSONValue? {
    var items: [JSONValue] = []
    var isComplete = true
    for run in runs {
      guard let value = try run.count.value(in: source, seen: &seen), !value.isNull else {
        isComplete = false
        continue
      }
      guard let count = value.integer, count <= layerLimit else {
        throw BindingProblem(
          sentence: "the layers of '\(run.name)' are \(value.serialized()), which is no count of layers")
      }
      if count > 0 { items.append(.string("\(count)*\(run.name)")) }
    }
    return isComplete ? .array(items) : nil
  }

  /// Patterns of which each says one thing of every layer: `dense+local` takes both variants.
  static func join(
    _ patterns: [BindingExpression], _ layers: BindingExpression, in source: ConfigSource, seen: inout Set<String>
  ) throws(BindingProblem) -> JSONValue? {
    var lists: [[String]] = []
    for pattern in patterns {
      guard let value = try pattern.value(in: source, seen: &seen), !value.isNull else { continue }
      guard let items = value.array, let names = Self.layers(of: items), !names.isEmpty else {
        throw BindingProblem(sentence: "\(value.serialized().prefix(60)) is no list of kinds of layers")
      }
      lists.append(names)
    }
    guard let count = try layers.value(in: source, seen: &seen)?.integer, 0...layerLimit ~= count, !lists.isEmpty else {
      return nil
    }
    return .array(
      (0..<count).map { layer in .string(lists.map { $0[layer % $0.count] }.joined(separator: "+")) })
  }

  /// `[[[global, local], 2]]` as `[global, local, global, local]`.
  static func unrolled(_ value: JSONValue, _ path: String) throws(BindingProblem) -> JSONValue {
    var layers: [JSONValue] = []
    for run in value.array ?? [] {
      guard let pair = run.array, pair.count == 2, let kinds = pair[0].array, let times = pair[1].integer,
        0...layerLimit ~= times, layers.count + times * kinds.count <= layerLimit
      else { throw BindingProblem(sentence: "\(path) is no list of kinds of layers, each with a count") }
      for _ in 0..<times { layers += kinds }
    }
    return .array(layers)
  }

  /// The names of a pattern's items one by one; nil when one is no name.
  static func layers(of items: [JSONValue]) -> [String]? {
    var names: [String] = []
    for item in items {
      guard let text = item.string ?? item.integer.map(String.init) else { return nil }
      guard let star = text.firstIndex(of: "*") else {
        names.append(text)
        continue
      }
      guard let count = Int(text[..<star]), 0...layerLimit ~= count else { return nil }
      names += Array(repeating: String(text[text.index(after: star)...]), count: count)
    }
    return names
  }

  // MARK: The other way

  /// The period and offset with which one layer in so many is `inside`.
  static func inversions(
    of value: JSONValue, _ period: BindingExpression, _ offset: BindingExpression, _ inside: String,
    in config: JSONObject
  ) -> [JSONObject] {
    guard let layers = value.array.flatMap({ Self.layers(of: $0) }), !layers.isEmpty else { return [] }
    let places = layers.indices.filter { layers[$0] == inside }
    let first = places.first ?? layers.count
    let count = places.count > 1 ? places[1] - first : layers.count
    return period.inversions(of: .integer(count), in: config).flatMap {
      offset.inversions(of: .integer(first), in: $0)
    }
  }

  /// Counts of `runs` with which they are the pattern `value`.
  static func inversions(
    of value: JSONValue, _ runs: [(name: String, count: BindingExpression)], in config: JSONObject
  ) -> [JSONObject] {
    guard let items = value.array, let layers = Self.layers(of: items) else { return [] }
    var rest = layers[...]
    var configs = [config]
    for run in runs {
      let count = rest.prefix { $0 == run.name }.count
      rest = rest.dropFirst(count)
      configs = configs.flatMap { run.count.inversions(of: .integer(count), in: $0) }
    }
    return rest.isEmpty ? configs : []
  }

  /// The configurations that say each part of the joined pattern `value`.
  static func inversions(
    of value: JSONValue, joined patterns: [BindingExpression], in config: JSONObject
  ) -> [JSONObject] {
    guard let items = value.array, let layers = Self.layers(of: items) else { return [] }
    let parts = layers.map { $0.split(separator: "+").map(String.init) }
    guard let width = parts.first?.count, parts.allSatisfy({ $0.count == width }), width == patterns.count else {
      return []
    }
    return patterns.enumerated().reduce([config]) { configs, pattern in
      let names = parts.map { $0[pattern.offset] }
      return configs.flatMap { config -> [JSONObject] in
        // What is so without a word, such as a constant, is repeated for all layers.
        var seen: Set<String> = []
        let said = try? pattern.element.value(in: ConfigSource(name: "", values: config, tensors: [:]), seen: &seen)
        let isSaid = LayerPattern(said ?? .null, layers: names.count).names == names
        return (isSaid ? [config] : [])
          + pattern.element.inversions(of: .array(names.map(JSONValue.string)), in: config)
      }
    }
  }
}
