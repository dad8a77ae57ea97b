import Files

/// A value of a template: what JSON has, and what Jinja adds. Nothing of it can be changed, namespaces aside.
enum TemplateValue {
  /// What a name or key without a value is; `why` says which.
  case undefined(why: String)
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case string(String)
  /// Text that `safe` or `escape` made: what is added to it is escaped for HTML, as MarkupSafe does.
  case markup(String)
  case list(TemplateItems)
  case tuple(TemplateItems)
  case mapping(TemplateMapping)
  /// The keys, values or items of a mapping.
  case view(TemplateMapping, of: ViewKind)
  case range(TemplateRange)
  /// Items that can be gone through once.
  case iterator(TemplateIterator)
  case namespace(TemplateNamespace)
  case macro(TemplateMacro)
  case loop(LoopState)
  case function(TemplateFunction)
  case cycler(TemplateCycler)
  indirect case method(of: TemplateValue, name: String)

  enum ViewKind: String {
    case keys = "dict_keys"
    case values = "dict_values"
    case items = "dict_items"
  }

  /// The value that JSON has; throws where it is nested too deep.
  init(_ json: JSONValue) throws(TemplateFault) {
    switch json {
    case .null: self = .none
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .int(value)
    case .number(let value): self = .float(value)
    case .string(let value): self = .string(value)
    case .array(let items):
      var list: [TemplateValue] = []
      list.reserveCapacity(items.count)
      for item in items { list.append(try TemplateValue(item)) }
      self = .list(try TemplateItems(list))
    case .object(let members):
      var mapping = TemplateMapping()
      for (key, value) in members { try mapping.set(.string(key), try TemplateValue(value)) }
      self = .mapping(mapping)
    }
  }

  /// The text of a string.
  var text: String? {
    switch self {
    case .string(let text), .markup(let text): text
    default: nil
    }
  }

  /// A string of the kind that this one is.
  func like(_ text: String) -> TemplateValue {
    if case .markup = self { .markup(text) } else { .string(text) }
  }

  var isUndefined: Bool {
    if case .undefined = self { true } else { false }
  }

  /// An integer, which true and false are too.
  var integer: Int? {
    switch self {
    case .int(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }

  /// Any number.
  var number: Double? {
    if case .float(let value) = self { value } else { integer.map(Double.init) }
  }

  /// How many levels of lists and mappings stand in this value.
  var depth: Int {
    switch self {
    case .list(let items), .tuple(let items): items.depth
    case .mapping(let mapping), .view(let mapping, _): mapping.depth
    case .iterator(let iterator): iterator.depth
    case .namespace(let namespace): namespace.depth
    case .loop(let loop): loop.depth
    case .cycler(let cycler): cycler.items.depth
    case .method(let value, _): value.depth
    case .undefined, .none, .bool, .int, .float, .string, .markup, .range, .macro, .function: 0
    }
  }

  /// The type's name, as Python has it.
  var type: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "NoneType"
    case .bool: "bool"
    case .int: "int"
    case .float: "float"
    case .string: "str"
    case .markup: "Markup"
    case .list: "list"
    case .tuple: "tuple"
    case .mapping: "dict"
    case .view(_, let kind): kind.rawValue
    case .range: "range"
    case .iterator: "generator"
    case .namespace: "Namespace"
    case .macro: "Macro"
    case .loop: "LoopContext"
    case .function: "function"
    case .cycler: "Cycler"
    case .method: "method"
    }
  }

  /// Whether it counts as true.
  var truth: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let value): value
    case .int(let value): value != 0
    case .float(let value): value != 0
    case .string(let text), .markup(let text): !text.isEmpty
    case .list(let items), .tuple(let items): !items.list.isEmpty
    case .mapping(let mapping), .view(let mapping, _): !mapping.isEmpty
    case .range(let range): range.count > 0
    case .loop(let loop): loop.items.count > 0
    case .iterator, .namespace, .macro, .function, .cycler, .method: true
    }
  }

  /// A list of `items`.
  static func list(of items: [TemplateValue]) throws(TemplateFault) -> TemplateValue { .list(try TemplateItems(items)) }

  /// A tuple of `items`.
  static func tuple(of items: [TemplateValue]) throws(TemplateFault) -> TemplateValue {
    .tuple(try TemplateItems(items))
  }
}

/// The items of a list or tuple, and how deep they go: what is nested without end could not even be freed.
struct TemplateItems {
  let list: [TemplateValue]
  let depth: Int

  init(_ list: [TemplateValue]) throws(TemplateFault) {
    self.list = list
    depth = try nestedDepth(list.reduce(0) { max($0, $1.depth) })
  }
}

/// One level more than `inner`; throws when there are too many.
func nestedDepth(_ inner: Int) throws(TemplateFault) -> Int {
  guard inner < TemplateLimits.values else {
    throw TemplateFault("values stand more than \(TemplateLimits.values) deep in one another", kind: .limit)
  }
  return inner + 1
}

/// The integers from `start` to before `stop`.
struct TemplateRange {
  let start: Int
  let stop: Int
  let step: Int

  var count: Int {
    let distance = step > 0 ? stop - start : start - stop
    return distance <= 0 ? 0 : (distance - 1) / abs(step) + 1
  }

  subscript(place: Int) -> Int { start + place * step }
}
