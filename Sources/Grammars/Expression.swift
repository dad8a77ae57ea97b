/// What a rule of a grammar matches.
indirect enum Expression: Sendable {
  /// Exactly these bytes; none for the empty text.
  case bytes([UInt8])
  /// One character of a set.
  case scalars(ScalarSet)
  case sequence([Expression])
  /// One of several; of none, nothing at all is matched.
  case choice([Expression])
  /// At least `minimum` times, and at most `maximum`; nil for without end.
  case repeated(Expression, minimum: Int, maximum: Int?)
  /// What the rule with this number matches.
  case rule(Int)
  /// Expressions on the edges of a graph.
  case network(Network)

  static let empty = Expression.bytes([])
  static let nothing = Expression.choice([])

  static func text(_ text: String) -> Expression { .bytes(Array(text.utf8)) }

  static func optional(_ expression: Expression) -> Expression { .repeated(expression, minimum: 0, maximum: 1) }

  /// What `self` matches with every set of characters, and every byte, replaced.
  func mapped(_ scalars: (ScalarSet) -> Expression) -> Expression {
    switch self {
    case .bytes(let bytes):
      bytes.isEmpty
        ? self
        : .sequence(String(decoding: bytes, as: UTF8.self).unicodeScalars.map { scalars(ScalarSet([$0.value])) })
    case .scalars(let set): scalars(set)
    case .sequence(let parts): .sequence(parts.map { $0.mapped(scalars) })
    case .choice(let parts): .choice(parts.map { $0.mapped(scalars) })
    case .repeated(let body, let minimum, let maximum):
      .repeated(body.mapped(scalars), minimum: minimum, maximum: maximum)
    case .rule: self
    case .network(let network): .network(network.mapped(scalars))
    }
  }
}

/// A graph whose edges are expressions: what leads from state 0 to one of the ends is matched.
struct Network: Sendable {
  /// [state]: where it leads; an edge without an expression matches the empty text.
  private(set) var edges: [[(expression: Expression?, target: Int)]]
  var ends: Set<Int> = []

  init(states: Int) { edges = Array(repeating: [], count: states) }

  mutating func addState() -> Int {
    edges.append([])
    return edges.count - 1
  }

  mutating func add(_ expression: Expression?, from source: Int, to target: Int) {
    edges[source].append((expression, target))
  }

  func mapped(_ scalars: (ScalarSet) -> Expression) -> Network {
    var result = self
    result.edges = edges.map { $0.map { ($0.expression?.mapped(scalars), $0.target) } }
    return result
  }
}
