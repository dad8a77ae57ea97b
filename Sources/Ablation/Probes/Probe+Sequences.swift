extension Probe {
  /// Sequence `index` of those that `seed` gives: the same on every machine.
  public func sequence(_ index: Int, seed: UInt64) -> ProbeSequence {
    var random = ProbeRandom(seed: seed, index: index)
    var writer = Writer()
    switch kind {
    case .recall: recall(&writer, &random)
    case .induction: induction(&writer, &random)
    case .copy: copy(&writer, &random)
    case .hops: hops(&writer, &random)
    case .arithmetic: arithmetic(&writer, &random)
    case .parity: parity(&writer, &random)
    case .brackets: brackets(&writer, &random)
    case .facts: facts(&writer, &random, seed: seed)
    }
    precondition(writer.tokens.count == length, "\(name) made \(writer.tokens.count) tokens, not \(length)")
    return ProbeSequence(tokens: writer.tokens, answers: writer.answers)
  }

  /// Tokens one after the other, with the answer that is wanted after each.
  private struct Writer {
    var tokens: [Int] = []
    var answers: [Int] = []

    mutating func add(_ token: Int, answer: Int = -1) {
      tokens.append(token)
      answers.append(answer)
    }
  }

  /// k₁ v₁ k₂ v₂ … then each key again, in another order, before its value.
  private func recall(_ writer: inout Writer, _ random: inout ProbeRandom) {
    let keys = random.some(size, below: Self.keys)
    let values = random.some(size, below: Self.values).map { Self.keys + $0 }
    for (key, value) in zip(keys, values) {
      writer.add(key)
      writer.add(value)
    }
    for place in random.some(size, below: size) {
      writer.add(keys[place], answer: values[place])
      writer.add(values[place])
    }
  }

  /// Different tokens, then the same again from a random one of them on, around: each but the first follows from the last.
  private func induction(_ writer: inout Writer, _ random: inout ProbeRandom) {
    let tokens = random.some(size, below: vocabulary)
    let start = random.below(size)
    for token in tokens { writer.add(token) }
    for step in 0..<size {
      // After the last of them the first comes round, which the first pass has not shown.
      let (place, next) = ((start + step) % size, (start + step + 1) % size)
      writer.add(tokens[place], answer: next == 0 ? -1 : tokens[next])
    }
  }

  /// Data at random places among noise, then as many marks, each to be answered with the next of the data.
  private func copy(_ writer: inout Writer, _ random: inout ProbeRandom) {
    let (noise, mark) = (Self.copied, Self.copied + 1)
    let places = Set(random.some(size, below: 4 * size))
    var data: [Int] = []
    for place in 0..<4 * size {
      guard places.contains(place) else {
        writer.add(noise)
        continue
      }
      data.append(random.below(Self.copied))
      writer.add(data[data.count - 1])
    }
    for token in data { writer.add(mark, answer: token) }
  }

  /// Every node and where its edge leads, in random order, then three times how many steps are wanted, and from where. The
  /// edges are one round through all nodes, so that few steps never lead back.
  private func hops(_ writer: inout Writer, _ random: inout ProbeRandom) {
    let round = random.some(size, below: size)
    var next = round
    for place in 0..<size { next[round[place]] = round[(place + 1) % size] }
    for node in random.some(size, below: size) {
      writer.add(node)
      writer.add(next[node])
    }
    for _ in 0..<3 {
      let count = 1 + random.below(3)
      let start = random.below(size)
      writer.add(size + count)
      writer.add(start, answer: (0..<count).reduce(start) { node, _ in next[node] })
    }
  }

  /// a ± b ± c = d, modulo ten.
  private func arithmetic(_ writer: inout Writer, _ random: inout ProbeRandom) {
    for _ in 0..<size {
      let numbers = (0..<3).map { _ in random.below(10) }
      let signs = (0..<2).map { _ in random.below(2) }
      let result =
        (numbers[0] + (signs[0] == 0 ? numbers[1] : -numbers[1]) + (signs[1] == 0 ? numbers[2] : -numbers[2]) + 20) % 10
      writer.add(numbers[0])
      for place in 0..<2 {
        writer.add(10 + signs[place])
        writer.add(numbers[place + 1])
      }
      writer.add(12, answer: result)
      writer.add(result)
    }
  }

  /// Zeros and ones; after each, whether the number of ones so far is odd.
  private func parity(_ writer: inout Writer, _ random: inout ProbeRandom) {
    var sum = 0
    for _ in 0..<size {
      let bit = random.below(2)
      sum = (sum + bit) % 2
      writer.add(bit, answer: sum)
    }
  }

  /// Nested brackets that are all closed in the end; where one closes, which is to be answered.
  private func brackets(_ writer: inout Writer, _ random: inout ProbeRandom) {
    var open: [Int] = []
    var closes = false
    for place in 0..<size {
      var token: Int
      if closes, let last = open.popLast() {
        token = 4 + last
      } else {
        token = random.below(4)
        open.append(token)
      }
      let left = size - place - 1
      closes = !open.isEmpty && (open.count >= left || random.below(2) == 0)
      token = min(token, 7)
      writer.add(token, answer: closes && left > 0 ? 4 + (open.last ?? 0) : -1)
    }
  }

  /// Facts of the seed's table: two tokens that name it, and what it says.
  private func facts(_ writer: inout Writer, _ random: inout ProbeRandom, seed: UInt64) {
    for _ in 0..<length / 3 {
      let fact = random.below(size)
      // A fact is named by two tokens; tables of the same seed are the same for all sequences.
      var table = ProbeRandom(seed: seed ^ 0x5eed, index: -1 - fact)
      let value = 2 * Self.factTokens + table.below(Self.values)
      writer.add(fact / Self.factTokens)
      writer.add(Self.factTokens + fact % Self.factTokens, answer: value)
      writer.add(value)
    }
  }
}

/// Random numbers of one sequence: SplitMix64, which wraps by definition.
struct ProbeRandom {
  private var state: UInt64

  init(seed: UInt64, index: Int) {
    state = seed &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(bitPattern: Int64(index)) &* 0xd1b5_4a32_d192_ed03
    _ = next()
  }

  private mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number below `end`, which must be above 0.
  mutating func below(_ end: Int) -> Int {
    Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(end)).high)
  }

  /// `count` different numbers below `end`, in random order.
  mutating func some(_ count: Int, below end: Int) -> [Int] {
    var all = Array(0..<end)
    for place in 0..<count { all.swapAt(place, place + below(end - place)) }
    return Array(all[..<count])
  }
}
