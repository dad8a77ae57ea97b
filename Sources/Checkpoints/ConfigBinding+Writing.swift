import Components
import Files

extension ConfigBinding {
  /// The configuration that says what `spec` says, in the keys of this binding: for saving.
  ///
  /// `original` is the configuration that the model came with. Where it says the same, it is written as it is; where the
  /// model was changed, the keys that say something else are written anew and all others stay. Without one, each value
  /// is written in the first of several spellings; where it can be said in several ways, one is searched for with which
  /// all the others come out right. `effective` tells what an option is that the spec leaves to a component: for other
  /// readers leave it to a value of their own. What the configuration has no words for is thrown, all at once: every
  /// bound path that would come back with another value than `spec` has. Paths that are not bound are not looked at:
  /// whoever saves a model compares it with what the family's file and this configuration give back. `tensors` are the
  /// shapes of the stored tensors that will lie beside it, `numbers` those of the tensors that bindings read.
  public func configuration(
    for spec: Setting, tensors: [String: [Int]] = [:], numbers: [String: [Double]] = [:],
    original: JSONObject? = nil,
    effective: (_ path: String) -> EffectiveOption = { _ in .unknown }
  ) throws(Problems) -> JSONValue {
    try configurations(for: spec, tensors: tensors, numbers: numbers, original: original, effective: effective)[0]
  }

  /// The configurations that may say what `spec` says, as above, the preferred one first: one at least. A later one says
  /// more anew.
  public func configurations(
    for spec: Setting, tensors: [String: [Int]] = [:], numbers: [String: [Double]] = [:],
    original: JSONObject? = nil,
    effective: (_ path: String) -> EffectiveOption = { _ in .unknown }
  ) throws(Problems) -> [JSONValue] {
    var candidates: [JSONValue] = []
    if within != nil {
      // Parts inside a whole are read, and written only as they came.
      guard let original, matches(ConfigSource(name: "config.json", values: original, tensors: tensors)) else {
        throw Problems([
          Problem(
            "the configuration of a model of several parts is written only as it came, and this one came without",
            at: spec.place)
        ])
      }
      return [.object(completed(original))]
    }
    let wanted = wanted(of: spec, effective)
    var search = ConfigurationSearch(binding: self, wanted: wanted, tensors: tensors, numbers: numbers)
    if let original, matches(ConfigSource(name: "config.json", values: original, tensors: tensors)) {
      candidates.append(.object(completed(original)))
      for kept in search.kept(of: original) {
        search = ConfigurationSearch(binding: self, wanted: wanted, tensors: tensors, numbers: numbers, start: kept)
        if let found = search.run(kept) { candidates.append(.object(completed(typed(found, besides: kept)))) }
      }
    }
    var config = JSONObject()
    for requirement in require {
      config = Self.assigning(requirement.condition.values, at: requirement.condition.paths[0], in: config)
    }
    var problems: Problems?
    for start in beginnings(config) {
      search = ConfigurationSearch(binding: self, wanted: wanted, tensors: tensors, numbers: numbers)
      if let found = search.run(start) {
        candidates.append(.object(completed(typed(found))))
        return candidates
      }
      problems = problems ?? search.problems
    }
    if candidates.isEmpty {
      throw problems ?? Problems([Problem("no configuration says what the spec says", at: spec.place)])
    }
    return candidates
  }

  /// `config` with what makes it this family's; one for each name that the family has, the preferred first.
  private func beginnings(_ config: JSONObject) -> [JSONObject] {
    match.reduce([config]) { configs, condition in
      let words = [BindingExpression.absent, BindingExpression.present]
      let values = condition.values.filter { !words.contains($0) }
      return values.isEmpty
        ? configs
        : configs.flatMap { config in values.map { config.assigning($0, at: condition.path) ?? config } }
    }
  }

  /// The tensors of which bindings read the numbers, with those that `spec` says, in f32: factors of rotary frequencies.
  public func numbers(of spec: Setting) -> [String: [Double]] {
    var numbers: [String: [Double]] = [:]
    for binding in bindings {
      guard case .numbers(let name) = binding.expression, let values = spec[path: binding.path]?.list else { continue }
      numbers[name] = values.compactMap(\.number).map { Double(Float($0)) }
    }
    return numbers
  }

  /// What an option is where a spec does not say it.
  public enum EffectiveOption: Sendable {
    /// Nobody knows, or layers differ.
    case unknown
    /// It has no value.
    case leftOut
    /// The component's own value.
    case value(Setting)
  }

  /// What each binding should give back: what `spec` says, and else what takes effect.
  private func wanted(of spec: Setting, _ effective: (String) -> EffectiveOption) -> [WantedValue] {
    let layers = spec["layers"]?["count"]?.integer ?? 0
    let wanted = bindings.compactMap { binding -> WantedValue? in
      func value(_ setting: Setting, isSaid: Bool) -> WantedValue {
        WantedValue(
          path: binding.path, expression: binding.expression,
          spellings: LayerPattern.path == binding.path
            ? LayerPattern(JSONValue(setting), layers: layers).spellings : [JSONValue(setting)],
          isSaid: isSaid, layers: layers, place: setting.place)
      }
      if LayerValues.option(of: binding.path) != nil {
        guard case .value(let list) = effective(binding.path) else { return nil }
        return value(list, isSaid: true)
      }
      if let setting = spec[path: binding.path] { return value(setting, isSaid: true) }
      guard case .value(let setting) = effective(binding.path), binding.expression.isPlain else { return nil }
      return value(setting, isSaid: false)
    }
    // Arithmetic late: it is solved with what the others wrote. A group that says nothing, such as a variant of layers,
    // follows from the rest, and what nobody asked for is last of all.
    func order(_ item: WantedValue) -> Int {
      guard item.isSaid else { return 3 }
      if item.spellings[0].object?.isEmpty == true { return 2 }
      return item.expression.hasArithmetic ? 1 : 0
    }
    return (0...3).flatMap { place in wanted.filter { order($0) == place } }
  }

  /// `config` with the constants of every written configuration that it does not have.
  private func completed(_ config: JSONObject) -> JSONObject {
    var config = config
    for (path, expression) in constants where config[path] == nil {
      var seen: Set<String> = []
      let source = ConfigSource(name: "config.json", values: config, tensors: [:])
      guard let value = (try? expression.value(in: source, seen: &seen)) ?? nil else { continue }
      config = config.assigning(value, at: path) ?? config
    }
    return config
  }

  /// `config` with every number as other readers take it: with a fraction where the key is listed, else without one
  /// where it has none. What stands in `original` stays as it is.
  private func typed(_ config: JSONObject, besides original: JSONObject = JSONObject(), under prefix: String = "")
    -> JSONObject
  {
    var config = config
    for (key, value) in config {
      let path = prefix + key
      if let inner = value.object {
        config[key] = .object(typed(inner, besides: original[key]?.object ?? JSONObject(), under: path + "."))
        continue
      }
      guard original[key] == nil else { continue }
      config[key] = typed(value, isFloat: floats.contains { Self.fits(key[...], $0[...]) || $0 == path })
    }
    return config
  }

  private func typed(_ value: JSONValue, isFloat: Bool) -> JSONValue {
    if let items = value.array { return .array(items.map { typed($0, isFloat: isFloat) }) }
    guard let number = value.number else { return value }
    return isFloat ? .number(number) : Int(exactly: number).map(JSONValue.integer) ?? value
  }

  private static func assigning(_ values: [JSONValue], at path: String, in config: JSONObject) -> JSONObject {
    let words = [BindingExpression.absent, BindingExpression.present]
    guard let value = values.first(where: { !words.contains($0) }) else { return config }
    return config.assigning(value, at: path) ?? config
  }
}
