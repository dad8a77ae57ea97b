import Components

/// A schedule with its warm-up, for a run of so many steps.
public struct LearningRate: Sendable {
  /// The rate after the warm-up, the highest.
  public let peak: Double
  /// Steps over which it rises to that.
  public let warmup: Int
  let steps: Int
  /// How it changes from there.
  public let schedule: any Schedule

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
