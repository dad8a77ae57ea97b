import Describing
import Essentials
import Files
import Training

/// How a run is going, on standard error: a line that is written over on a terminal, else a line every five seconds.
final class ProgressLine {
  private let steps: Int
  private let isLive = Console.notesAreOnTerminal
  private let isQuiet: Bool
  private let clock = ContinuousClock()
  private var last: ContinuousClock.Instant?
  private var validation: Double?
  /// Seconds a step, the recent ones weighing most.
  private var pace: Double?
  private let tokensPerStep: Int

  init(steps: Int, tokensPerStep: Int, isQuiet: Bool) {
    (self.steps, self.tokensPerStep, self.isQuiet) = (steps, tokensPerStep, isQuiet)
  }

  func show(_ event: TrainingRun.Event) {
    if isQuiet { return }
    switch event {
    case .step(let report, let tokensPerSecond):
      let seconds = Double(tokensPerStep) / max(1e-9, tokensPerSecond)
      pace = pace.map { 0.95 * $0 + 0.05 * seconds } ?? seconds
      let now = clock.now
      let wait = isLive ? Duration.milliseconds(200) : .seconds(5)
      if report.step != steps, let last, now - last < wait { return }
      last = now
      let line = text(report)
      if isLive, report.step != steps { Console.status(line) } else { Console.note(line) }
    case .validation(let step, let loss):
      validation = loss
      note("step \(step.grouped): validation loss \(loss.digits(4))")
    case .saved: break
    }
  }

  /// A line that stays.
  func note(_ text: String) {
    if isLive { Console.status("") }
    Console.note(text)
  }

  private func text(_ report: Trainer.Report) -> String {
    var text = "step \(report.step.grouped) of \(steps.grouped) · loss \(report.loss.digits(4))"
    if let pace {
      text += " · \(Int(rounding: Double(tokensPerStep) / max(1e-9, pace)).grouped) tokens/s"
      text += " · \(Self.time(Double(steps - report.step) * pace)) left"
    }
    return text
  }

  /// A duration for a person: `48 s`, `3 min 20 s`, `2 h 5 min`.
  static func time(_ seconds: Double) -> String {
    let whole = Int(rounding: seconds)
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}

extension Double {
  /// The number with `count` digits after the point.
  func digits(_ count: Int) -> String { Quantity.written(self, "%.\(count)f") }
}
