/// Rules as one network of states over bytes: what a machine runs.
///
/// A state leads on by a byte, by nothing, or by what another rule matches (a call). A loop that counts is a head that leads
/// into its body and out of it, and a back that leads from the body's end to the head; a place inside carries the count.
/// States from which no end can be reached are left out, so whatever has begun can be finished.
struct Automaton: Sendable {
  struct ByteEdge: Sendable {
    var first: UInt8
    var last: UInt8
    var target: Int32
  }
  struct Call: Sendable {
    var rule: Int32
    var target: Int32
  }
  struct Loop: Sendable {
    var body: Int32
    var exit: Int32
    /// 0 where the body can match nothing.
    var minimum: Int32
    /// `Int32.max` for without end.
    var maximum: Int32
    /// Whether the body may match nothing.
    var isNullable = false
  }
  struct Rule: Sendable {
    var name: String
    var start: Int32
    var end: Int32
    /// Whether it matches the empty text.
    var isNullable = false
    /// Before those that it calls before any byte.
    var rank: Int32 = 0
  }

  var rules: [Rule] = []
  var loops: [Loop] = []
  var bytes = Adjacency<ByteEdge>()
  var empties = Adjacency<Int32>()
  var calls = Adjacency<Call>()
  /// [state]: the loop that it is the head of, or −1.
  var heads: [Int32] = []
  /// [state]: the head that it leads back to, or −1.
  var backs: [Int32] = []
  /// [state]: the loop whose body it is in, or whose head it is; −1 for none.
  var counting: [Int32] = []
  /// [state]: whether a rule ends here, and nothing follows.
  var isEnd: [Bool] = []
  /// [state]: whether nothing but the end of its rule follows.
  var isTail: [Bool] = []
  /// [256]: bytes that no state tells apart have one number.
  var classes: [UInt8] = []
  var classCount = 0
  /// [classCount]: a byte of each class.
  var representatives: [UInt8] = []

  var stateCount: Int { heads.count }
}

/// The edges of all states, those of one together.
struct Adjacency<Edge: Sendable>: Sendable {
  private(set) var edges: [Edge] = []
  private var offsets: [Int32] = [0]

  init() {}

  /// The edges of `count` states, from a list in any order.
  init(_ list: [(source: Int32, edge: Edge)], states count: Int) {
    offsets = Array(repeating: 0, count: count + 1)
    for item in list { offsets[Int(item.source) + 1] += 1 }
    for state in 0..<count { offsets[state + 1] += offsets[state] }
    var next = offsets
    var places = Array(repeating: 0, count: list.count)
    for (index, item) in list.enumerated() {
      places[Int(next[Int(item.source)])] = index
      next[Int(item.source)] += 1
    }
    edges = places.map { list[$0].edge }
  }

  /// Where the edges of a state lie in `edges`.
  func range(_ state: Int32) -> Range<Int> { Int(offsets[Int(state)])..<Int(offsets[Int(state) + 1]) }

  subscript(state: Int32) -> ArraySlice<Edge> { edges[range(state)] }
}
