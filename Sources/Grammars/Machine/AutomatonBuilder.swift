/// Makes one automaton of a grammar's rules.
///
/// Rules that are small and do not contain themselves are written out where they are used; others are called.
struct AutomatonBuilder {
  private let sources: [Grammar.Rule]
  private let name: String
  /// [rule]: how many states it takes, where it is written out where it is used; nil where it is called.
  private var inlined: [Int?]
  /// Rules that are called, by their number in the grammar.
  private var called: [Int: Int32] = [:]
  private var pending: [(rule: Int32, expression: Expression)] = []

  var result = Automaton()
  /// [state]: whether the end of its rule can be reached from it.
  var alive: [Bool] = []
  var bytes: [(source: Int32, edge: Automaton.ByteEdge)] = []
  var empties: [(source: Int32, edge: Int32)] = []
  var calls: [(source: Int32, edge: Automaton.Call)] = []

  /// What is small enough to be written out where it is used.
  private static let inlineLimit = 160
  /// Larger grammars would take more memory than they are worth.
  private static let stateLimit = 2_000_000
  /// Loops with fewer states than this are written out instead of counted.
  private static let unrollLimit = 16

  init(_ rules: [Grammar.Rule], name: String) {
    sources = rules
    self.name = name
    inlined = Array(repeating: nil, count: rules.count)
  }

  mutating func automaton() throws(GrammarProblem) -> Automaton {
    measure()
    _ = call(0)
    while let next = pending.popLast() {
      let rule = result.rules[Int(next.rule)]
      try build(next.expression, from: rule.start, to: rule.end, loop: -1)
    }
    try finish(name: name)
    return result
  }

  /// Decides which rules are written out: those on no cycle that a search from the first finds, and small.
  private mutating func measure() {
    var colors = [UInt8](repeating: 0, count: sources.count)
    func visit(_ rule: Int, depth: Int, _ inlined: inout [Int?]) -> Int {
      // A rule that is being measured contains itself; and very long chains are called.
      if colors[rule] == 1 || depth > 200 {
        if colors[rule] == 1 { colors[rule] = 3 }
        return 1
      }
      if colors[rule] >= 2 { return inlined[rule] ?? 1 }
      colors[rule] = 1
      let size = Self.size(of: sources[rule].expression, &inlined) { visit($0, depth: depth + 1, &$1) }
      let isRecursive = colors[rule] == 3
      colors[rule] = 2
      if !isRecursive, size <= Self.inlineLimit { inlined[rule] = size }
      return inlined[rule] ?? 1
    }
    var found = inlined
    for rule in sources.indices.reversed() { _ = visit(rule, depth: 0, &found) }
    inlined = found
    inlined[0] = nil
  }

  private static func size(
    of expression: Expression, _ inlined: inout [Int?], _ rule: (Int, inout [Int?]) -> Int
  ) -> Int {
    switch expression {
    case .bytes(let bytes): return bytes.count
    case .scalars(let set): return set.ranges.count * 2 + 1
    case .sequence(let parts), .choice(let parts):
      var sum = 0
      for part in parts { sum = min(sum + size(of: part, &inlined, rule), 1 << 30) }
      return sum
    case .repeated(let body, let minimum, let maximum):
      let size = size(of: body, &inlined, rule)
      let count = max(1, minimum, maximum ?? 1)
      return size.multipliedReportingOverflow(by: count).overflow || size * count > unrollLimit
        ? size + 2 : size * count + 2
    case .rule(let number): return rule(number, &inlined)
    case .network(let network):
      var sum = network.edges.count
      for edges in network.edges {
        for edge in edges {
          if let expression = edge.expression { sum = min(sum + size(of: expression, &inlined, rule), 1 << 30) }
        }
      }
      return sum
    }
  }

  private func size(of expression: Expression) -> Int {
    var inlined = inlined
    return Self.size(of: expression, &inlined) { $1[$0] ?? 1 }
  }

  mutating func addState(loop: Int32) -> Int32 {
    result.heads.append(-1)
    result.backs.append(-1)
    result.counting.append(loop)
    return Int32(result.heads.count - 1)
  }

  private mutating func addRule(_ expression: Expression, name: String) -> Int32 {
    let (start, end) = (addState(loop: -1), addState(loop: -1))
    result.rules.append(Automaton.Rule(name: name, start: start, end: end))
    let rule = Int32(result.rules.count - 1)
    pending.append((rule, expression))
    return rule
  }

  private mutating func call(_ number: Int) -> Int32 {
    if let rule = called[number] { return rule }
    let rule = addRule(sources[number].expression, name: sources[number].name)
    called[number] = rule
    return rule
  }

  private mutating func build(
    _ expression: Expression, from source: Int32, to target: Int32, loop: Int32
  ) throws(GrammarProblem) {
    guard result.heads.count <= Self.stateLimit else {
      throw .unusable(name: name, sentence: "the grammar has more than \(Self.stateLimit) states; make it smaller")
    }
    switch expression {
    case .bytes(let text): chain(text, from: source, to: target, loop: loop)
    case .scalars(let set): characters(set, from: source, to: target, loop: loop)
    case .sequence(let parts):
      guard let last = parts.last else { return empties.append((source, target)) }
      var at = source
      for part in parts.dropLast() {
        let next = addState(loop: loop)
        try build(part, from: at, to: next, loop: loop)
        at = next
      }
      try build(last, from: at, to: target, loop: loop)
    case .choice(let parts):
      var words: [[UInt8]] = []
      for part in parts {
        if case .bytes(let text) = part {
          words.append(text)
        } else {
          try build(part, from: source, to: target, loop: loop)
        }
      }
      trie(words, from: source, to: target, loop: loop)
    case .repeated(let body, let minimum, let maximum):
      try repeated(body, minimum, maximum, from: source, to: target, loop: loop)
    case .rule(let number):
      if inlined[number] != nil {
        try build(sources[number].expression, from: source, to: target, loop: loop)
      } else {
        calls.append((source, Automaton.Call(rule: call(number), target: target)))
      }
    case .network(let network):
      let states = network.edges.map { _ in addState(loop: loop) }
      empties.append((source, states[0]))
      for (state, edges) in network.edges.enumerated() {
        for edge in edges {
          if let expression = edge.expression {
            try build(expression, from: states[state], to: states[edge.target], loop: loop)
          } else {
            empties.append((states[state], states[edge.target]))
          }
        }
      }
      for end in network.ends { empties.append((states[end], target)) }
    }
  }

  private mutating func chain(_ text: [UInt8], from source: Int32, to target: Int32, loop: Int32) {
    if text.isEmpty { return empties.append((source, target)) }
    var at = source
    for (place, byte) in text.enumerated() {
      let next = place == text.count - 1 ? target : addState(loop: loop)
      bytes.append((at, Automaton.ByteEdge(first: byte, last: byte, target: next)))
      at = next
    }
  }

  /// Words that begin alike share their beginnings.
  private mutating func trie(_ words: [[UInt8]], from source: Int32, to target: Int32, loop: Int32) {
    if words.count < 3 {
      for word in words { chain(word, from: source, to: target, loop: loop) }
      return
    }
    var nodes: [Int32: [UInt8: Int32]] = [:]
    for word in Set(words).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      var at = source
      for byte in word {
        if let next = nodes[at]?[byte] {
          at = next
        } else {
          let next = addState(loop: loop)
          bytes.append((at, Automaton.ByteEdge(first: byte, last: byte, target: next)))
          nodes[at, default: [:]][byte] = next
          at = next
        }
      }
      empties.append((at, target))
    }
  }

  private mutating func characters(_ set: ScalarSet, from source: Int32, to target: Int32, loop: Int32) {
    // [count]: where so many continuation bytes of any kind lead to the target.
    var tails = [target]
    for range in set.ranges {
      for sequence in UTF8Ranges.sequences(range) {
        let full = sequence.reversed().prefix { $0 == 0x80...0xBF }.count
        while tails.count <= full {
          let state = addState(loop: loop)
          bytes.append((state, Automaton.ByteEdge(first: 0x80, last: 0xBF, target: tails[tails.count - 1])))
          tails.append(state)
        }
        var at = source
        let count = sequence.count - full
        for (place, byte) in sequence.prefix(count).enumerated() {
          let next = place == count - 1 ? tails[full] : addState(loop: loop)
          bytes.append((at, Automaton.ByteEdge(first: byte.lowerBound, last: byte.upperBound, target: next)))
          at = next
        }
      }
    }
  }

  private mutating func repeated(
    _ body: Expression, _ minimum: Int, _ maximum: Int?, from source: Int32, to target: Int32, loop: Int32
  ) throws(GrammarProblem) {
    if let maximum, maximum < minimum { return }
    if maximum == 0 { return empties.append((source, target)) }
    if maximum == nil, minimum <= 1 {
      // body* or body+
      let (head, end) = (addState(loop: loop), addState(loop: loop))
      empties.append((source, head))
      try build(body, from: head, to: end, loop: loop)
      empties.append((end, head))
      empties.append((minimum == 0 ? head : end, target))
      return
    }
    let copies = maximum ?? minimum
    let size = size(of: body)
    if copies == 1 || !size.multipliedReportingOverflow(by: copies).overflow && size * copies <= Self.unrollLimit {
      var at = source
      for copy in 0..<copies {
        if copy >= minimum { empties.append((at, target)) }
        let next = addState(loop: loop)
        try build(body, from: at, to: next, loop: loop)
        at = next
      }
      if maximum == nil {
        try repeated(body, 0, nil, from: at, to: target, loop: loop)
      } else {
        empties.append((at, target))
      }
      return
    }
    if loop >= 0 {
      // A place has one count: the loop inside is a rule of its own.
      let rule = addRule(.repeated(body, minimum: minimum, maximum: maximum), name: "")
      calls.append((source, Automaton.Call(rule: rule, target: target)))
      return
    }
    let inner = Int32(result.loops.count)
    result.loops.append(
      Automaton.Loop(
        body: 0, exit: target, minimum: Int32(clamping: minimum), maximum: maximum.map { Int32(clamping: $0) } ?? .max))
    let (head, start, back) = (addState(loop: inner), addState(loop: inner), addState(loop: inner))
    result.loops[Int(inner)].body = start
    result.heads[Int(head)] = inner
    result.backs[Int(back)] = head
    empties.append((source, head))
    try build(body, from: start, to: back, loop: inner)
  }
}
