import Components
import Files

extension ConfigBinding {
  /// The configuration that says what `spec` says, in the keys of this binding: for saving.
  ///
  /// Each value is written in the first of several spellings. Where a value can be said in several ways, one is
  /// searched for with which all the others come out right. What the configuration has no words for is thrown, all at
  /// once: every bound path that would come back with another value than `spec` has. Paths that are not bound are not
  /// looked at: whoever saves a model compares it with what the family's file and this configuration give back.
  /// `tensors` are the shapes of the stored tensors that will lie beside it.
  public func configuration(for spec: Setting, tensors: [String: [Int]] = [:]) throws(Problems) -> JSONValue {
    var config = JSONObject()
    for (path, values, _) in require { config = Self.assigning(values, at: path, in: config) }
    for (path, values) in match { config = Self.assigning(values, at: path, in: config) }
    var wanted: [Wanted] = []
    for binding in bindings {
      guard let setting = spec[path: binding.path] else { continue }
      wanted.append(
        Wanted(path: binding.path, expression: binding.expression, value: JSONValue(setting), place: setting.place))
    }
    // Arithmetic last: it is solved with what the others wrote.
    wanted = wanted.filter { !$0.expression.hasArithmetic } + wanted.filter(\.expression.hasArithmetic)
    var search = Search(binding: self, wanted: wanted, tensors: tensors)
    if let found = search.run(from: 0, config) { return .object(found) }
    throw search.problems ?? Problems([Problem("no configuration says what the spec says", at: spec.place)])
  }

  private struct Wanted {
    let path: String
    let expression: BindingExpression
    let value: JSONValue
    let place: Place?
  }

  /// Tries the ways to say each value until one gives all of them back.
  private struct Search {
    let binding: ConfigBinding
    let wanted: [Wanted]
    let tensors: [String: [Int]]
    /// What was wrong with the first attempt: that of the preferred ways.
    private(set) var problems: Problems?
    private var attempts = 0

    private static let maximumAttempts = 1000

    init(binding: ConfigBinding, wanted: [Wanted], tensors: [String: [Int]]) {
      self.binding = binding
      self.wanted = wanted
      self.tensors = tensors
    }

    mutating func run(from index: Int, _ config: JSONObject) -> JSONObject? {
      guard index < wanted.count else { return isRight(config) ? config : nil }
      let item = wanted[index]
      let ways = item.expression.inversions(of: item.value, in: config)
      for way in ways.isEmpty ? [config] : ways where attempts < Self.maximumAttempts {
        if let found = run(from: index + 1, way) { return found }
      }
      return nil
    }

    private mutating func isRight(_ config: JSONObject) -> Bool {
      attempts += 1
      var found = Problems()
      do {
        let patch = try binding.bind(ConfigSource(name: "config.json", values: config, tensors: tensors)).patch
        for item in wanted {
          let said = patch[path: item.path].map { JSONValue($0) }
          if said?.means(item.value) == true || said?.word == item.value.word { continue }
          found.add(
            Problem(
              "config.json cannot say that \(item.path) is \(item.value.serialized())"
                + (said.map { "; it would be \($0.serialized())" } ?? ""), at: item.place))
        }
      } catch {
        found = error
      }
      if problems == nil { problems = found }
      return found.isEmpty
    }
  }

  private static func assigning(_ values: [JSONValue], at path: String, in config: JSONObject) -> JSONObject {
    guard let value = values.first(where: { !$0.means(BindingExpression.absent) }) else { return config }
    return config.assigning(value, at: path) ?? config
  }
}
