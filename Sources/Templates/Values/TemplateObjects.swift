/// Items that can be gone through once: what `map`, `select` and their kin give.
final class TemplateIterator {
  private let items: [TemplateValue]
  private var place = 0
  let depth: Int

  init(_ items: [TemplateValue]) throws(TemplateFault) {
    self.items = items
    depth = try nestedDepth(items.reduce(0) { max($0, $1.depth) })
  }

  /// What is left; nothing is left then.
  func rest() -> [TemplateValue] {
    defer { place = items.count }
    return place == 0 ? items : Array(items[place...])
  }

  /// The next item.
  func next() -> TemplateValue? {
    guard place < items.count else { return nil }
    defer { place += 1 }
    return items[place]
  }
}

/// What `namespace(…)` makes: the only value whose attributes can be set.
final class TemplateNamespace {
  var values = TemplateMapping()

  /// More than any value in it as it was when it was set.
  private(set) var depth = 1

  init() {}

  func set(_ name: String, _ value: TemplateValue) throws(TemplateFault) {
    // As `TemplateNamespace` of transformers refuses.
    if name.hasPrefix("_") { throw TemplateFault("a namespace takes no attribute '\(name)': it begins with '_'") }
    // Before the values change: the new one may be this namespace.
    let level = try nestedDepth(value.depth)
    depth = max(depth, level)
    try values.set(.string(name), value, depth: level)
  }
}

/// A macro with the names around it.
final class TemplateMacro {
  let name: String
  let signature: MacroSignature
  let body: [Statement]
  let scope: TemplateScope

  init(name: String, _ signature: MacroSignature, body: [Statement], in scope: TemplateScope) {
    self.name = name
    self.signature = signature
    self.body = body
    self.scope = scope
  }
}

/// Names and their values, inside others.
final class TemplateScope {
  private var symbols: [Int] = []
  private var values: [TemplateValue] = []
  private(set) var parent: TemplateScope?

  init(in parent: TemplateScope?) { self.parent = parent }

  /// The value of `symbol` here or further out.
  func value(of symbol: Int) -> TemplateValue? {
    var scope: TemplateScope? = self
    while let here = scope {
      if let place = here.symbols.firstIndex(of: symbol) { return here.values[place] }
      scope = here.parent
    }
    return nil
  }

  /// Gives `symbol` a value here.
  func set(_ symbol: Int, _ value: TemplateValue) {
    if let place = symbols.firstIndex(of: symbol) {
      values[place] = value
    } else {
      symbols.append(symbol)
      values.append(value)
    }
  }

  /// Forgets everything, so that values that hold one another are freed.
  func clear() {
    symbols = []
    values = []
    parent = nil
  }
}

/// What `loop` is inside a loop.
final class LoopState {
  let items: [TemplateValue]
  let depth0: Int
  let depth: Int
  /// The loop when it is recursive.
  let recursive: (loop: ForLoop, scope: TemplateScope)?
  var index0 = 0
  var changed: TemplateValue?

  init(_ items: [TemplateValue], depth0: Int, recursive: (ForLoop, TemplateScope)?) throws(TemplateFault) {
    self.items = items
    self.depth0 = depth0
    self.recursive = recursive
    depth = try nestedDepth(items.reduce(0) { max($0, $1.depth) })
  }
}

/// What `cycler(…)` and `joiner(…)` make.
final class TemplateCycler {
  let items: TemplateItems
  let isJoiner: Bool
  var place = 0

  init(_ items: [TemplateValue], isJoiner: Bool = false) throws(TemplateFault) {
    self.items = try TemplateItems(items)
    self.isJoiner = isJoiner
  }
}

/// The functions that a template finds by name.
enum TemplateFunction: String, CaseIterable {
  case range
  case namespace
  case dict
  case cycler
  case joiner
  case raiseException = "raise_exception"
  case strftimeNow = "strftime_now"
}
