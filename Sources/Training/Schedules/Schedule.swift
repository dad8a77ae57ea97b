import Components

/// How the learning rate changes over a run.
///
/// A conforming type is one file: its doc comment gives the equation and the source, and its options are read once.
public protocol Schedule: Sendable {
  /// The word that names it.
  static var name: String { get }
  /// Reads the options.
  init(_ options: Options)
  /// What the peak rate is multiplied with once warm-up is over; `progress` is 0 there and reaches 1 after the last step.
  func factor(at progress: Double) -> Double
}

/// A schedule with its warm-up, for a run of so many steps.
public struct LearningRate: Sendable {
  let peak: Double
  let warmup: Int
  let steps: Int
  let schedule: any Schedule

  /// Up to `peak` over `warmup` steps, then along `schedule` until `steps`.
  public init(peak: Double, warmup: Int, steps: Int, schedule: any Schedule) {
    (self.peak, self.warmup, self.steps, self.schedule) = (peak, warmup, steps, schedule)
  }

  /// The rate of step `step`, from 1.
  ///
  /// Step t of a warm-up of w has peak·t / (w + 1), as in nanoGPT, so that no step is at zero and the peak comes after it.
  public subscript(step: Int) -> Double {
    let done = step - 1
    if done < warmup { return peak * Double(step) / Double(warmup + 1) }
    return peak * schedule.factor(at: Double(done - warmup) / Double(max(1, steps - warmup)))
  }
}

/// The schedules that a run can name.
public enum ScheduleChoice {
  /// All of them.
  public static let all: [any Schedule.Type] = [Constant.self, LinearDecay.self, Cosine.self, WarmupStableDecay.self]

  /// The schedule that `setting` chooses: a name, or a group of `type` and the schedule's own options.
  public static func make(_ setting: Setting) throws(Problems) -> any Schedule {
    try choose(setting, from: all.map { ($0.name, $0) }, what: "schedule") { type, options in type.init(options) }
  }
}
