import Components
import Specification

/// What trains the arms of a study, and all that this room knows of training.
public protocol ArmTrainer {
  /// The settings of `training` as they take effect for a model; `budget`, where it says so, is how long runs are. Throws
  /// `Problems` with their places.
  func describe(_ training: Setting, for architecture: Architecture, _ plan: Plan, _ budget: BudgetTokens) throws
    -> TrainingDescription

  /// What names the content of the data of `study` as `architecture` reads it; throws `Problems` where there is nothing to train on.
  func fingerprint(of study: Study, for architecture: Architecture) throws -> String

  /// What one run of `arm` will take, from a few measured steps.
  func estimate(_ arm: PlannedArm, of study: Study) throws -> RunEstimate

  /// Tokens that `arm` is trained on in a second, from a few measured steps.
  func speed(of arm: PlannedArm, in study: Study) throws -> Double

  /// Trains `arm` from `seed` on, or goes on where `folder` holds a part of the same run, and evaluates it; `contexts` are
  /// the lengths to evaluate at besides the trained one. `progress` is told the tokens done and the last loss, and
  /// returns whether to go on; nil is returned when it does not.
  func train(
    _ arm: PlannedArm, of study: Study, seed: Int, contexts: [Int], in folder: String,
    progress: (TrainingProgress) -> Bool
  ) throws -> TaskOutcome?

  /// Trains `arm`, planned for `probe`, on the probe's sequences from `seed` on, and counts right answers on others. Nil is
  /// returned where `progress` says to stop: such a run begins anew.
  func train(
    _ arm: PlannedArm, on probe: Probe, seed: Int, progress: (TrainingProgress) -> Bool
  ) throws -> TaskOutcome?
}

/// What a run is going to take.
public struct RunEstimate: Sendable, Hashable {
  /// Seconds of all its steps.
  public let steps: Double
  /// Seconds of its validations and of what is measured when it has ended, which are as many however long it is.
  public let rest: Double

  /// A run of `steps` seconds of training and `rest` seconds besides.
  public init(steps: Double, rest: Double = 0) { (self.steps, self.rest) = (steps, rest) }

  /// Seconds of the run.
  public var seconds: Double { steps + rest }
}

/// How far a run is.
public struct TrainingProgress: Sendable {
  /// Tokens trained on.
  public let tokens: Int
  /// The last training loss in nats.
  public let loss: Double

  /// A run that has seen `tokens` tokens and has a training loss of `loss`.
  public init(tokens: Int, loss: Double) {
    self.tokens = tokens
    self.loss = loss
  }
}
