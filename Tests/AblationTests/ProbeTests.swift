import Ablation
import Testing

@Suite("probes") struct ProbeTests {
  static let probes = Probe.Kind.allCases.map { Probe($0) }

  @Test("a seed gives the same sequences always, of the length and vocabulary that are told", arguments: probes)
  func sequences(_ probe: Probe) {
    var different: Set<[Int]> = []
    for index in 0..<200 {
      let sequence = probe.sequence(index, seed: 7)
      #expect(sequence == probe.sequence(index, seed: 7))
      #expect(sequence.tokens.count == probe.length && sequence.answers.count == probe.length)
      #expect(sequence.tokens.allSatisfy { (0..<probe.vocabulary).contains($0) })
      #expect(sequence.answers.allSatisfy { (-1..<probe.vocabulary).contains($0) })
      #expect(sequence.answers.contains { $0 >= 0 }, "something is asked")
      different.insert(sequence.tokens)
    }
    #expect(different.count > 190)
    #expect(probe.sequence(0, seed: 7) != probe.sequence(0, seed: 8))
  }

  /// Answers by rule, written apart from the generators: each is right every time, so the ceiling is 1.
  @Test("whoever knows the rule answers everything right", arguments: probes)
  func ceiling(_ probe: Probe) {
    var table: [[Int]: Int] = [:]
    for index in 0..<300 {
      let sequence = probe.sequence(index, seed: 3)
      let tokens = sequence.tokens
      for (place, answer) in sequence.answers.enumerated() where answer >= 0 {
        let before = Array(tokens[...place])
        switch probe.kind {
        case .recall, .induction:
          let earlier = before.dropLast().firstIndex(of: before[place]) ?? 0
          #expect(tokens[earlier + 1] == answer)
        case .copy:
          let data = tokens.filter { $0 < 16 }
          #expect(data[before.count { $0 == 17 } - 1] == answer)
        case .hops:
          var next: [Int: Int] = [:]
          for edge in 0..<probe.size { next[tokens[2 * edge]] = tokens[2 * edge + 1] }
          var node = before[place]
          for _ in 0..<before[place - 1] - probe.size { node = next[node] ?? -1 }
          #expect(node == answer)
        case .arithmetic:
          let own = before.suffix(6).map { $0 }
          let sum = own[0] + (own[1] == 10 ? own[2] : -own[2]) + (own[3] == 10 ? own[4] : -own[4])
          #expect(((sum % 10) + 10) % 10 == answer && own[5] == 12)
        case .parity: #expect(before.reduce(0, +) % 2 == answer)
        case .brackets:
          var open: [Int] = []
          for token in before { if token < 4 { open.append(token) } else { #expect(open.popLast() == token - 4) } }
          #expect((open.last ?? -9) + 4 == answer && tokens[place + 1] == answer)
        case .facts:
          let name = [before[place - 1], before[place]]
          #expect(table[name] == nil || table[name] == answer, "a table says the same always")
          table[name] = answer
        }
      }
      if probe.kind == .brackets { #expect(tokens.count { $0 < 4 } == tokens.count { $0 >= 4 }, "all are closed") }
    }
  }

  /// The most frequent answer, and one of those that occur, are what a model without the ability can reach.
  @Test("chance is what guessing reaches", arguments: probes)
  func chance(_ probe: Probe) {
    var counts: [Int: Int] = [:]
    var asked = 0
    for index in 0..<2000 {
      for answer in probe.sequence(index, seed: 11).answers where answer >= 0 {
        counts[answer, default: 0] += 1
        asked += 1
      }
    }
    let most = Double(counts.values.max() ?? 0) / Double(asked)
    // Never guessing one answer beats it by more than a few points; a model that sees which values occur does no better.
    #expect(most <= probe.chance + 0.03, "\(most) and \(probe.chance)")
  }
}
