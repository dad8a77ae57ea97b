import Components
import Composition
import Describing
import Essentials
import Execution
import Kernels
import Training

/// Measures training steps of one model on tokens of no meaning: forwards and backwards, the gradients' norm, the update.
struct TrainingRunner {
  let trainer: Trainer
  let arithmetic: MachineLimits.Arithmetic
  let limits: MachineLimits
  let repetitions: Int

  /// Steps of AdamW for `plan` with new parameters, over `sequences` sequences of `tokens` tokens.
  init(_ plan: Plan, sequences: Int, tokens: Int, options: TrainingOptions, pool: ThreadPool, repetitions: Int) throws {
    var settings = TrainingSettings(try Zoo().registry, inStudy: false)
    (settings.batch, settings.context, settings.threads) = (sequences, tokens, pool.threads)
    settings.options = options
    settings.steps = repetitions + 2
    settings.warmup = 0
    let data = try Self.data(count: 4 * sequences * tokens + 1, vocabulary: plan.shape.vocabSize, pool: pool)
    trainer = try Trainer(plan, Parameters(plan, seed: 1), settings, training: data, validation: nil, pool: pool)
    limits = MachineLimits(pool: pool, bytesPerThread: 1 << 12)
    self.repetitions = repetitions
    arithmetic = options.precision == .bf16 && limits.peak(.bf16, seconds: 1e-4) != nil ? .bf16 : .f32
  }

  /// Measures the steps.
  func measure(profiles: Bool) throws -> BenchRow {
    let settings = trainer.settings
    var work = Work()
    work.flops = trainer.executor.flops(sequences: settings.batch, tokens: settings.context)
    var row = BenchRow(
      test: .training, weightsType: arithmetic.rawValue, threads: limits.threads, tokens: settings.context,
      batch: settings.batch, depth: 0, work: work, arithmetic: arithmetic)
    _ = try trainer.advance()  // a warm-up: first pages, caches, clock
    row.limits.append(limit())
    for _ in 0..<repetitions {
      let time = try ContinuousClock().measure { _ = try trainer.advance() }
      row.seconds.add(time.inSeconds)
      row.limits.append(limit())
    }
    if profiles {
      trainer.executor.startProfile()
      let time = try ContinuousClock().measure { _ = try trainer.advance() }
      let lines = trainer.executor.profile?.byOperator ?? []
      trainer.executor.endProfile()
      for line in lines { Console.note("\(line.name), \(line.calls) calls: \(Quantity.digits(line.seconds * 1e3)) ms") }
      let rest = time.inSeconds - lines.reduce(0) { $0 + $1.seconds }
      Console.note("norm of the gradients and update: \(Quantity.digits(rest * 1e3)) ms")
    }
    var usage = rusage()
    if getrusage(Self.itself, &usage) == 0 { row.peakMemory = Int(usage.ru_maxrss) * Self.memoryUnit }
    return row
  }

  private func limit() -> BenchRow.Limit { BenchRow.Limit(readRate: 0, peak: limits.peak(arithmetic) ?? 0) }

  /// Ids from all of the vocabulary, of those that two bytes can hold.
  private static func data(count: Int, vocabulary: Int, pool: ThreadPool) throws -> TokenText {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "chimera-bench-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let ids = (0..<count).map { UInt16(($0 * 7919 + 1) % max(1, min(vocabulary, 1 << 16))).littleEndian }
    let file = folder.appending(path: "tokens.bin")
    try ids.withUnsafeBytes { Data($0) }.write(to: file)
    return try TokenizedData([file.path], tokenizer: nil, jsonKey: "text", cacheFolder: folder.path, pool: pool).text
  }

  #if os(Linux)
    private static let itself = __rusage_who_t(RUSAGE_SELF.rawValue)
    private static let memoryUnit = 1024
  #else
    private static let itself = RUSAGE_SELF
    private static let memoryUnit = 1
  #endif
}
