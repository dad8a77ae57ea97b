import Files

/// A run that leaves another, its trunk, where its own rates leave the trunk's: with a schedule that is flat for most of a run
/// (warm-up–stable–decay), one long run gives the end of many shorter ones for the price of their decays.
///
/// Up to the branch both runs do the same steps with the same rates on the same data, so the branch is the run of its length to
/// the same bits. Source: Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations" (2024),
/// https://arxiv.org/abs/2405.18392.
public struct TrunkBranch {
  /// The step it leaves the trunk after.
  public let step: Int

  private let checkpoint: Checkpoint
  private let fingerprint: String
  private let path: String
  private let description: RunDescription

  /// The branch of the run in `trunk` that `settings` describe: the newest checkpoint there before their rates part. Throws
  /// where anything but the number of steps differs, or where no checkpoint is early enough.
  public init(of trunk: RunFolder, _ settings: TrainingSettings) throws {
    let begun = try RunDescription(in: trunk, settings.registry)
    let others = begun.settings.differences(from: settings).filter { $0.key != "steps" }
    if !others.isEmpty {
      throw TrainingProblem.changed(path: trunk.path, names: others.map { "--" + $0.option })
    }
    let last = try Self.lastCommonStep(begun.settings.learningRate(), settings.learningRate(), upTo: settings.steps)
    let all = try Checkpoint.all(in: trunk)
    guard let newest = all.first(where: { $0.step <= last && $0.step > 0 }) else {
      let earliest = all.last.map { "the earliest is of step \($0.step)" } ?? "there is none"
      throw TrainingProblem.folder(
        path: trunk.path,
        sentence:
          "rates of a run of \(settings.steps) steps are the trunk's up to step \(last), and no checkpoint is from "
          + "before that: \(earliest); train the trunk with more of them (--save-every, --keep), and a flat --schedule")
    }
    (checkpoint, step, fingerprint, path) = (newest, newest.step, begun.fingerprint, trunk.path)
    description = begun
  }

  /// Puts the trunk's metrics up to the branch into `folder`, as if the run had taken those steps itself. One that was killed
  /// before does it again.
  func copyMetrics(to folder: RunFolder) throws {
    let trunk = RunFolder(path)
    guard kind(ofPath: trunk.metrics) == .file else { return }
    let file = try MappedFile(path: trunk.metrics)
    try withExtendedLifetime(file) { try writeAtomically(to: folder.metrics) { try $0.write(Array(file.bytes)) } }
  }

  /// The last of the first `limit` steps up to which both rates are the same bits.
  package static func lastCommonStep(_ first: LearningRate, _ second: LearningRate, upTo limit: Int) -> Int {
    var step = 0
    while step < limit, first[step + 1] == second[step + 1] { step += 1 }
    return step
  }

  /// Puts the trunk's state into `trainer`; throws where the model or the data of `own` are not the trunk's.
  func load(into trainer: Trainer, _ own: RunDescription) throws {
    guard own.model == description.model, own.dataFingerprint == description.dataFingerprint else {
      throw TrainingProblem.folder(path: path, sentence: "the trunk has another model, or other data")
    }
    try checkpoint.load(into: trainer, run: fingerprint)
  }
}
