/// A deterministic automaton over characters: where what a string may hold is said in several ways at once.
struct ContentAutomaton: Sendable {
  struct TooLarge: Error {}

  /// Neighbouring ranges of characters that no state tells apart: the first character of each.
  private var classes: [UInt32] = [0]
  /// [state][class]: the next state, or −1.
  private var steps: [[Int32]] = []
  private var isEnd: [Bool] = []

  private static let stateLimit = 12_000

  /// The automaton of an expression without rules and networks.
  init(_ expression: Expression) throws(TooLarge) {
    var builder = Builder()
    let start = builder.addState()
    let end = builder.addState()
    try builder.build(expression, from: start, to: end)
    var bounds: Set<UInt32> = [0]
    for edges in builder.edges {
      for edge in edges {
        for range in edge.set.ranges {
          bounds.insert(range.lowerBound)
          bounds.insert(range.upperBound + 1)
        }
      }
    }
    classes = bounds.filter { $0 <= ScalarSet.largest }.sorted()
    var numbers: [[Int]: Int32] = [:]
    var sets: [[Int]] = []
    var work = 0
    func number(_ states: Set<Int>) -> Int32 {
      let key = states.sorted()
      if let number = numbers[key] { return number }
      numbers[key] = Int32(sets.count)
      sets.append(key)
      isEnd.append(states.contains(end))
      return Int32(sets.count - 1)
    }
    _ = number(builder.closure([start]))
    var next = 0
    while next < sets.count {
      guard sets.count <= Self.stateLimit, work < 40_000_000 else { throw TooLarge() }
      var row: [Int32] = []
      for first in classes {
        var targets: Set<Int> = []
        for state in sets[next] {
          work += 1 + builder.edges[state].count
          for edge in builder.edges[state] where edge.set.contains(first) { targets.insert(edge.target) }
        }
        let closed = builder.closure(targets)
        work += closed.count
        row.append(closed.isEmpty ? -1 : number(closed))
      }
      steps.append(row)
      next += 1
    }
  }

  private struct Builder {
    var edges: [[(set: ScalarSet, target: Int)]] = []
    var empties: [[Int]] = []

    mutating func addState() -> Int {
      edges.append([])
      empties.append([])
      return edges.count - 1
    }

    func closure(_ states: Set<Int>) -> Set<Int> {
      var seen = states
      var waiting = Array(states)
      while let state = waiting.popLast() {
        for next in empties[state] where seen.insert(next).inserted { waiting.append(next) }
      }
      return seen
    }

    mutating func build(_ expression: Expression, from source: Int, to target: Int) throws(TooLarge) {
      guard edges.count < 60_000 else { throw TooLarge() }
      switch expression {
      case .bytes(let bytes):
        var at = source
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
          let next = addState()
          edges[at].append((ScalarSet([scalar.value]), next))
          at = next
        }
        empties[at].append(target)
      case .scalars(let set): edges[source].append((set, target))
      case .sequence(let parts):
        var at = source
        for part in parts {
          let next = addState()
          try build(part, from: at, to: next)
          at = next
        }
        empties[at].append(target)
      case .choice(let parts): for part in parts { try build(part, from: source, to: target) }
      case .repeated(let body, let minimum, let maximum):
        var at = source
        for copy in 0..<(maximum ?? minimum) {
          if copy >= minimum { empties[at].append(target) }
          let next = addState()
          try build(body, from: at, to: next)
          at = next
        }
        if maximum == nil {
          let head = addState()
          empties[at].append(head)
          try build(body, from: head, to: head)
          at = head
        }
        empties[at].append(target)
      case .rule, .network: throw TooLarge()
      }
    }
  }

  /// What both match.
  func intersection(_ other: ContentAutomaton) throws(TooLarge) -> ContentAutomaton {
    var result = self
    result.classes = Array(Set(classes).union(other.classes)).sorted()
    (result.steps, result.isEnd) = ([], [])
    let mine = result.classes.map { first in (classes.lastIndex { $0 <= first } ?? 0) }
    let theirs = result.classes.map { first in (other.classes.lastIndex { $0 <= first } ?? 0) }
    var numbers: [SIMD2<Int32>: Int32] = [:]
    var pairs: [SIMD2<Int32>] = []
    func number(_ pair: SIMD2<Int32>) -> Int32 {
      if let number = numbers[pair] { return number }
      numbers[pair] = Int32(pairs.count)
      pairs.append(pair)
      return Int32(pairs.count - 1)
    }
    if steps.isEmpty || other.steps.isEmpty { return result }
    _ = number(SIMD2(0, 0))
    var next = 0
    while next < pairs.count {
      guard pairs.count <= Self.stateLimit else { throw TooLarge() }
      let (a, b) = (Int(pairs[next].x), Int(pairs[next].y))
      var row: [Int32] = []
      for place in result.classes.indices {
        let (x, y) = (steps[a][mine[place]], other.steps[b][theirs[place]])
        row.append(x < 0 || y < 0 ? -1 : number(SIMD2(x, y)))
      }
      result.steps.append(row)
      result.isEnd.append(isEnd[a] && other.isEnd[b])
      next += 1
    }
    return result
  }

  /// What it does not match.
  var complement: ContentAutomaton {
    var result = self
    let sink = Int32(steps.count)
    result.steps = (steps + [Array(repeating: -1, count: classes.count)]).map { $0.map { $0 < 0 ? sink : $0 } }
    result.isEnd = (isEnd + [false]).map { !$0 }
    return result
  }

  /// Whether it matches nothing.
  var isEmpty: Bool {
    var seen: Set<Int32> = steps.isEmpty ? [] : [0]
    var waiting = Array(seen)
    while let state = waiting.popLast() {
      if isEnd[Int(state)] { return false }
      for next in steps[Int(state)] where next >= 0 && seen.insert(next).inserted { waiting.append(next) }
    }
    return true
  }

  func matches(_ text: String) -> Bool {
    guard !steps.isEmpty else { return false }
    var state: Int32 = 0
    for scalar in text.unicodeScalars {
      state = steps[Int(state)][classes.lastIndex { $0 <= scalar.value } ?? 0]
      if state < 0 { return false }
    }
    return isEnd[Int(state)]
  }

  /// The automaton as an expression over characters.
  var expression: Expression {
    if steps.isEmpty { return .nothing }
    var network = Network(states: steps.count)
    for (state, row) in steps.enumerated() {
      var sets: [Int32: [ClosedRange<UInt32>]] = [:]
      for (place, next) in row.enumerated() where next >= 0 {
        let last = place + 1 < classes.count ? classes[place + 1] - 1 : ScalarSet.largest
        sets[next, default: []].append(classes[place]...last)
      }
      for (next, ranges) in sets.sorted(by: { $0.key < $1.key }) {
        network.add(.scalars(ScalarSet(ranges)), from: state, to: Int(next))
      }
      if isEnd[state] { network.ends.insert(state) }
    }
    return .network(network)
  }
}
