import Files

/// A run in a folder: trains, measures, and saves, so that it can be stopped at any moment and go on.
public final class TrainingRun {
  /// What happens, for whoever watches.
  public enum Event: Sendable {
    /// A step was done, with so many tokens a second.
    case step(Trainer.Report, tokensPerSecond: Double)
    /// The loss on the validation data.
    case validation(step: Int, loss: Double)
    /// A checkpoint is on the disk.
    case saved(step: Int, path: String)
  }

  /// How a run ended.
  public enum Ending: Sendable { case finished, stopped }

  /// The folder.
  public let folder: RunFolder
  /// The trainer.
  public let trainer: Trainer
  /// What a user should know of how the run goes on: a checkpoint that was damaged.
  public let notes: [String]
  /// The last loss on the validation data.
  public private(set) var validationLoss: Double?

  private let fingerprint: String
  private let links: [String]
  private let export: CheckpointExport?
  private let forks: Set<Int>
  private let metrics: MetricsFile
  /// Nil once the folder is let go of.
  private var lock: FileLock?
  private var events: EventFile?
  private var savedStep: Int

  /// A run of `trainer` in `folder`, which goes on from the newest checkpoint there that is whole.
  ///
  /// A run that has no checkpoint begins where `branch` leaves its trunk, if there is one, and has the trunk's metrics up to
  /// there. After each of the steps `forks` there is a checkpoint that stays, for others to leave it.
  /// `files` go into the folder beside the model, by name; with `export` the folder shows that of its newest checkpoint
  /// instead of its parameters. Throws when another process trains there, and when the run in
  /// the folder is another one.
  public init(
    _ trainer: Trainer, _ description: RunDescription, in folder: RunFolder, files: [(name: String, bytes: [UInt8])],
    export: CheckpointExport? = nil, branch: TrunkBranch? = nil, forks: [Int] = [], tensorBoard: Bool = false
  ) throws {
    self.export = export
    self.forks = Set(forks)
    self.trainer = trainer
    self.folder = folder
    fingerprint = description.fingerprint
    links = ["resolved.yaml"] + files.map(\.name)
    try makeFolder(folder.path)
    guard let lock = try FileLock(path: folder.lock) else {
      throw TrainingProblem.folder(path: folder.path, sentence: "another process is training in this folder")
    }
    self.lock = lock
    if folder.isBegun {
      guard try RunDescription(in: folder, trainer.settings.registry).fingerprint == fingerprint else {
        throw TrainingProblem.folder(path: folder.path, sentence: "another run was begun in this folder")
      }
    }
    for file in files { try writeAtomically(to: folder.path + "/" + file.name) { try $0.write(file.bytes) } }
    try description.write(to: folder)
    try Self.clear(folder)
    notes = try Self.restore(trainer, fingerprint, export, in: folder)
    if trainer.step == 0, let branch {
      try branch.load(into: trainer, description)
      try branch.copyMetrics(to: folder)
    }
    savedStep = trainer.step
    // What a process that died between saving and removing has left.
    try Checkpoint.removeOld(in: folder, upTo: trainer.step, keeping: trainer.settings.keep, and: self.forks)
    metrics = try MetricsFile(in: folder, keepingStepsTo: trainer.step)
    if tensorBoard { events = try EventFile(in: folder.path, after: trainer.step) }
  }

  /// What a killed process left half written.
  private static func clear(_ folder: RunFolder) throws {
    for name in try namesInFolder(folder.path) where name.hasSuffix(".tmp") { try removeFile(folder.path + "/" + name) }
    guard kind(ofPath: folder.checkpoints) == .folder else { return }
    for name in try namesInFolder(folder.checkpoints) where name.hasSuffix(".tmp") {
      try removeFolder(folder.checkpoints + "/" + name)
    }
  }

  private static func restore(
    _ trainer: Trainer, _ fingerprint: String, _ export: CheckpointExport?, in folder: RunFolder
  ) throws -> [String] {
    var notes: [String] = []
    for checkpoint in try Checkpoint.all(in: folder) {
      do {
        try checkpoint.load(into: trainer, run: fingerprint)
        try link(checkpoint, export, in: folder)
        if !notes.isEmpty { notes.append("resuming from step \(checkpoint.step) instead") }
        return notes
      } catch let problem as FileProblem {
        notes.append("the checkpoint of step \(checkpoint.step) cannot be used: \(problem)")
      }
    }
    if !notes.isEmpty { notes.append("no checkpoint is left; beginning anew") }
    return notes
  }

  /// Trains to the end, or until `shouldStop`; then a checkpoint is written all the same.
  public func run(shouldStop: () -> Bool = { false }, _ observe: (Event) throws -> Void) throws -> Ending {
    let settings = trainer.settings
    let clock = ContinuousClock()
    while trainer.step < settings.steps {
      if shouldStop() {
        try save(observe)
        return .stopped
      }
      var report: Trainer.Report?
      let time = try clock.measure { report = try trainer.advance() }
      guard let report else { break }
      let rate = Double(settings.tokensPerStep) / max(1e-9, time.inSeconds)
      try metrics.append(report, tokens: report.step.multiplied(upTo: settings.tokensPerStep), tokensPerSecond: rate)
      try events?.append(report, tokensPerSecond: rate)
      try observe(.step(report, tokensPerSecond: rate))
      let isLast = report.step == settings.steps
      if isLast || (settings.validateEvery > 0 && report.step % settings.validateEvery == 0) { try validate(observe) }
      let isNumber = validationLoss?.isFinite ?? true
      let isDue = settings.saveEvery > 0 && report.step % settings.saveEvery == 0
      if isLast || !isNumber || isDue || forks.contains(report.step) { try save(observe) }
      if !isNumber { throw TrainingProblem.validationNotANumber(step: report.step) }
    }
    return .finished
  }

  /// Lets go of the folder, so that another run may go on in it.
  public func close() { lock = nil }

  private func validate(_ observe: (Event) throws -> Void) throws {
    guard let loss = try trainer.validate() else { return }
    validationLoss = loss
    try metrics.append(validationLoss: loss, step: trainer.step)
    try events?.append(validationLoss: loss, step: trainer.step)
    try observe(.validation(step: trainer.step, loss: loss))
  }

  private func save(_ observe: (Event) throws -> Void) throws {
    guard trainer.step != savedStep || trainer.step == 0 else { return }
    try metrics.synchronize()
    let checkpoint = try Checkpoint.save(trainer, run: fingerprint, links: links, export: export, in: folder)
    savedStep = trainer.step
    try Self.link(checkpoint, export, in: folder)
    try Checkpoint.removeOld(in: folder, upTo: trainer.step, keeping: trainer.settings.keep, and: forks)
    try observe(.saved(step: checkpoint.step, path: checkpoint.path))
  }

  private static func link(_ checkpoint: Checkpoint, _ export: CheckpointExport?, in folder: RunFolder) throws {
    let name = checkpoint.path.split(separator: "/").last ?? ""
    for file in export?.names ?? [Checkpoint.model] {
      try placeLink(at: folder.path + "/" + file, to: "checkpoints/\(name)/\(file)")
    }
  }
}

extension Duration {
  /// The duration in seconds.
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
