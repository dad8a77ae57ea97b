import Formats
import Components
import Execution
import Kernels

/// Measures prompts and generations of one model with one kind of weights on one number of threads.
struct BenchRunner {
  let executor: PlanExecutor
  let weightsType: String
  let limits: MachineLimits
  let arithmetic: MachineLimits.Arithmetic
  let repetitions: Int
  let profiles: Bool
  /// Another program, and the file that it reads the model from.
  let rival: (program: Rival, file: String)?

  init(
    _ executor: PlanExecutor, weights: StorageFormat, typeName: String, limits: MachineLimits, repetitions: Int,
    profiles: Bool, against rival: (program: Rival, file: String)?
  ) {
    self.rival = rival
    self.executor = executor
    self.limits = limits
    self.repetitions = repetitions
    self.profiles = profiles
    weightsType = typeName
    arithmetic = weights.arithmetic(limits)
  }

  /// A prompt of `tokens` tokens after `depth` others.
  func prompt(_ tokens: Int, depth: Int) throws -> BenchRow {
    let sequence = try executor.openSequence(length: depth + tokens)
    let ids = self.ids(tokens)
    return try measure(.prompt, tokens, batch: 1, depth) {
      try fill([sequence], depth)
    } _: {
      try executor.forward([(sequence, ids)], logits: .last) { _, _, _ in }
    }
  }

  /// `tokens` tokens, one by one, of each of `batch` sequences together, after `depth` others.
  func generation(_ tokens: Int, batch: Int, depth: Int) throws -> BenchRow {
    let sequences = try (0..<batch).map { _ in try executor.openSequence(length: depth + tokens) }
    let ids = self.ids(tokens)
    return try measure(.generation, tokens, batch: batch, depth) {
      try fill(sequences, depth)
    } _: {
      for id in ids { try executor.forward(sequences.map { ($0, [id]) }, logits: .last) { _, _, _ in } }
    }
  }

  private func measure(
    _ test: BenchRow.Test, _ tokens: Int, batch: Int, _ depth: Int, prepare: () throws -> Void,
    _ body: () throws -> Void
  ) throws -> BenchRow {
    var work = Work()
    if test == .prompt {
      work = executor.work(tokens: tokens, position: depth)
    } else {
      for position in depth..<depth + tokens {
        work.add(executor.work(tokens: 1, sequences: batch, position: position))
      }
    }
    var row = BenchRow(
      test: test, weightsType: weightsType, threads: limits.threads, tokens: tokens, batch: batch, depth: depth,
      work: work, arithmetic: arithmetic)
    row.rival = rival.map { RivalSamples(name: $0.program.name) }
    try prepare()
    try body()  // a warm-up: first pages, caches, clock
    row.limits.append(limit())
    for _ in 0..<repetitions {
      try prepare()
      let time = try ContinuousClock().measure(body)
      row.seconds.add(time.inSeconds)
      row.limits.append(limit())
      if let rival {
        row.rival?.tokensPerSecond.add(
          try rival.program.tokensPerSecond(test, tokens, depth: depth, threads: limits.threads, of: rival.file))
      }
    }
    if profiles {
      try prepare()
      executor.startProfile()
      try body()
      row.profile = executor.profile
      executor.endProfile()
    }
    return row
  }

  private func limit() -> BenchRow.Limit {
    BenchRow.Limit(readRate: limits.readRate(), peak: limits.peak(arithmetic) ?? 0)
  }

  /// Begins the sequences again, with `depth` tokens each, which are computed once where there is a way back to them.
  private func fill(_ sequences: [SequenceState], _ depth: Int) throws {
    if depth > 0, sequences.allSatisfy({ executor.rewind($0, to: depth) }) { return }
    for sequence in sequences { sequence.reset() }
    if depth > 0 { try executor.forward(sequences.map { ($0, ids(depth)) }, logits: .last) { _, _, _ in } }
  }

  /// Ids from all of the vocabulary, the same every time.
  private func ids(_ count: Int) -> [Int] {
    let size = max(1, executor.plan.shape.vocabSize)
    return (0..<count).map { ($0 * 7919 + 1) % size }
  }
}

extension Duration {
  /// The duration in seconds.
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
