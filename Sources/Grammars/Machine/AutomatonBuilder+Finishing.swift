extension AutomatonBuilder {
  /// Leaves out what leads nowhere, refuses left recursion, and sorts the edges.
  mutating func finish(name: String) throws(GrammarProblem) {
    prune()
    guard alive[Int(result.rules[0].start)] else {
      throw .unusable(
        name: name, sentence: "no text matches: every way ends in a contradiction, or goes on without end")
    }
    result.bytes = Adjacency(bytes, states: result.stateCount)
    result.empties = Adjacency(empties, states: result.stateCount)
    result.calls = Adjacency(calls, states: result.stateCount)
    (bytes, empties, calls) = ([], [], [])
    result.isEnd = Array(repeating: false, count: result.stateCount)
    for rule in result.rules { result.isEnd[Int(rule.end)] = true }
    try order(name: name)
    markTails()
    classify()
  }

  /// Finds the states from which the end of their rule, or of their loop's body, can be reached, and drops edges to others.
  private mutating func prune() {
    let count = result.stateCount
    alive = Array(repeating: false, count: count)
    // Who leads to a state, and on what condition: another state, or a rule, that must be alive too.
    var into: [(source: Int32, edge: (state: Int32, rule: Int32))] = []
    for edge in bytes { into.append((edge.edge.target, (edge.source, -1))) }
    for edge in empties { into.append((edge.edge, (edge.source, -1))) }
    for edge in calls {
      into.append((edge.edge.target, (edge.source, edge.edge.rule)))
      into.append((result.rules[Int(edge.edge.rule)].start, (edge.source, edge.edge.rule)))
    }
    var callTargets: [Int32: [(rule: Int32, target: Int32)]] = [:]
    for edge in calls { callTargets[edge.source, default: []].append((edge.edge.rule, edge.edge.target)) }
    for (state, loop) in result.heads.enumerated() where loop >= 0 {
      into.append((result.loops[Int(loop)].exit, (Int32(state), -1)))
      into.append((result.loops[Int(loop)].body, (Int32(state), -1)))
    }
    let reverse = Adjacency(into, states: count)
    var waiting: [Int32] = []
    func revive(_ state: Int32, _ alive: inout [Bool]) {
      if !alive[Int(state)] {
        alive[Int(state)] = true
        waiting.append(state)
      }
    }
    for rule in result.rules { revive(rule.end, &alive) }
    for (state, head) in result.backs.enumerated() where head >= 0 { revive(Int32(state), &alive) }
    while let state = waiting.popLast() {
      for (source, rule) in reverse[state] where !alive[Int(source)] {
        if rule >= 0 {
          let isAlive = callTargets[source, default: []].contains {
            alive[Int($0.target)] && alive[Int(result.rules[Int($0.rule)].start)]
          }
          if !isAlive { continue }
        }
        if result.heads[Int(source)] >= 0 {
          let loop = result.loops[Int(result.heads[Int(source)])]
          guard alive[Int(loop.exit)], loop.minimum == 0 || alive[Int(loop.body)] else { continue }
        }
        revive(source, &alive)
      }
    }
    let isAlive = alive
    bytes.removeAll { !isAlive[Int($0.edge.target)] }
    empties.removeAll { !isAlive[Int($0.edge)] }
    let rules = result.rules
    calls.removeAll { !isAlive[Int($0.edge.target)] || !isAlive[Int(rules[Int($0.edge.rule)].start)] }
    // A body that cannot be finished is never begun.
    for place in result.loops.indices where !alive[Int(result.loops[place].body)] { result.loops[place].maximum = 0 }
  }

  /// What can be reached before any byte from the start of a rule, or of a loop's body.
  private struct Origin {
    var isLoop: Bool
    var number: Int32
  }

  /// Finds which rules and bodies match nothing at all, and orders the rules by who calls whom before any byte; throws
  /// where that goes round.
  private mutating func order(name: String) throws(GrammarProblem) {
    var seenByRule = Array(repeating: false, count: result.stateCount)
    var seenByLoop = seenByRule
    var leftCalls: [Set<Int32>] = Array(repeating: [], count: result.rules.count)
    var waitingForRule: [Int32: [(Origin, Int32)]] = [:]
    var waitingForLoop: [Int32: [(Origin, Int32)]] = [:]
    var work: [(origin: Origin, state: Int32)] = []
    for (number, rule) in result.rules.enumerated() {
      work.append((Origin(isLoop: false, number: Int32(number)), rule.start))
    }
    for (number, loop) in result.loops.enumerated() where loop.maximum > 0 {
      work.append((Origin(isLoop: true, number: Int32(number)), loop.body))
    }
    while let (origin, state) = work.popLast() {
      if origin.isLoop ? seenByLoop[Int(state)] : seenByRule[Int(state)] { continue }
      if origin.isLoop { seenByLoop[Int(state)] = true } else { seenByRule[Int(state)] = true }
      if !origin.isLoop, result.isEnd[Int(state)] {
        result.rules[Int(origin.number)].isNullable = true
        work += waitingForRule.removeValue(forKey: origin.number) ?? []
      }
      if origin.isLoop, result.backs[Int(state)] >= 0 {
        result.loops[Int(origin.number)].isNullable = true
        work += waitingForLoop.removeValue(forKey: origin.number) ?? []
      }
      for next in result.empties[state] { work.append((origin, next)) }
      for call in result.calls[state] {
        if !origin.isLoop { leftCalls[Int(origin.number)].insert(call.rule) }
        if result.rules[Int(call.rule)].isNullable {
          work.append((origin, call.target))
        } else {
          waitingForRule[call.rule, default: []].append((origin, call.target))
        }
      }
      let number = result.heads[Int(state)]
      guard number >= 0 else { continue }
      let loop = result.loops[Int(number)]
      if loop.maximum > 0 { work.append((origin, loop.body)) }
      if loop.minimum == 0 || loop.isNullable {
        work.append((origin, loop.exit))
      } else {
        waitingForLoop[number, default: []].append((origin, loop.exit))
      }
    }
    for place in result.loops.indices where result.loops[place].isNullable { result.loops[place].minimum = 0 }
    try rank(leftCalls, name: name)
  }

  /// Numbers the rules so that each comes before those that it calls before any byte.
  private mutating func rank(_ leftCalls: [Set<Int32>], name: String) throws(GrammarProblem) {
    var colors = Array(repeating: UInt8(0), count: leftCalls.count)
    var finished = Int32(leftCalls.count)
    for root in leftCalls.indices where colors[root] == 0 {
      var path: [(rule: Int, next: [Int32])] = [(root, leftCalls[root].sorted())]
      colors[root] = 1
      while let top = path.popLast() {
        let rule = top.rule
        var next = top.next
        guard let callee = next.popLast() else {
          colors[rule] = 2
          finished -= 1
          result.rules[rule].rank = finished
          continue
        }
        path.append((rule, next))
        switch colors[Int(callee)] {
        case 0:
          colors[Int(callee)] = 1
          path.append((Int(callee), leftCalls[Int(callee)].sorted()))
        case 1:
          let from = path.firstIndex { $0.rule == Int(callee) } ?? 0
          var names = path[from...].map { result.rules[$0.rule].name }.filter { !$0.isEmpty }
          if names.isEmpty { names = ["root"] }
          let cycle = (names + [names[0]]).prefix(6).map { "'\($0)'" }.joined(separator: " → ")
          throw .unusable(
            name: name,
            sentence:
              "the grammar is left-recursive: \(cycle) without a character between; write the repetition behind, "
              + "as in a ::= b (\"+\" b)*")
        default: break
        }
      }
    }
  }

  private mutating func markTails() {
    result.isTail = result.isEnd
    // From ends backwards along states that have one empty edge alone.
    var into: [(source: Int32, edge: Int32)] = []
    for state in 0..<Int32(result.stateCount) where result.empties[state].count == 1 {
      let isPlain =
        result.bytes[state].isEmpty && result.calls[state].isEmpty && result.heads[Int(state)] < 0
        && result.backs[Int(state)] < 0 && !result.isEnd[Int(state)]
      if isPlain, let next = result.empties[state].first { into.append((next, state)) }
    }
    let reverse = Adjacency(into, states: result.stateCount)
    var waiting = result.rules.map(\.end)
    while let state = waiting.popLast() {
      for source in reverse[state] where !result.isTail[Int(source)] {
        result.isTail[Int(source)] = true
        waiting.append(source)
      }
    }
  }

  private mutating func classify() {
    var begins = Array(repeating: false, count: 257)
    begins[0] = true
    for edge in result.bytes.edges {
      begins[Int(edge.first)] = true
      begins[Int(edge.last) + 1] = true
    }
    for byte in 0..<256 {
      if begins[byte] {
        result.representatives.append(UInt8(byte))
        result.classCount += 1
      }
      result.classes.append(UInt8(result.classCount - 1))
    }
  }
}
