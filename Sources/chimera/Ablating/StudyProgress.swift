import Ablation
import Essentials
import Files

/// How a study is going, on standard error: one line that is written over on a terminal, else a line for each run and one
/// every ten seconds.
final class StudyProgress {
  private let plan: StudyPlan
  private let cost: StudyCost?
  private let isQuiet: Bool
  private let isLive = Console.notesAreOnTerminal
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var last: ContinuousClock.Instant?
  /// Estimated seconds of what was done here.
  private var done = 0.0
  private var finishedCount = 0
  /// Tasks that are known; more may follow.
  private var count: Int
  /// Whether a task has failed.
  private(set) var hasFailures = false
  private var tokensAtStart: [StudyTask: Int] = [:]

  init(_ plan: StudyPlan, _ cost: StudyCost?, isQuiet: Bool) {
    (self.plan, self.cost, self.isQuiet) = (plan, cost, isQuiet)
    start = clock.now
    finishedCount = cost.map { $0.known.count - $0.left.count } ?? 0
    count = cost?.known.count ?? plan.tasks.count
  }

  func show(_ event: StudyRunner.Event) {
    tell(event)
    if isQuiet { return }
    switch event {
    case .began: break
    case .waiting: note("waiting for the tasks of another process")
    case .progress(let task, let progress):
      let whole = plan.arm(of: task).training.tokens
      let first = tokensAtStart[task] ?? progress.tokens
      tokensAtStart[task] = first
      let now = clock.now
      if let last, now - last < (isLive ? .milliseconds(200) : .seconds(10)) { return }
      last = now
      var line =
        "\(name(task, finishedCount + 1)) · \(Wording.count(progress.tokens)) of \(Wording.count(whole)) tokens · loss \(Wording.loss(progress.loss))"
      if let cost {
        let part = Double(progress.tokens - first) / Double(max(1, whole))
        let own = cost.seconds(of: task)
        line += " · " + left(after: done + part * own, atLeast: (1 - part) * own, of: cost)
      }
      if isLive { Console.status(line) } else { Console.note(line) }
    case .finished(let task, let outcome):
      finishedCount += 1
      if let cost { done += cost.seconds(of: task) }
      let times = outcome.times
      let speed =
        times.tokensPerSecond > 0
        ? " in \(Wording.duration(times.seconds)), \(Wording.count(Int(rounding: times.tokensPerSecond))) tokens/s" : ""
      let loss =
        !outcome.result.loss.isFinite
        ? Wording.divergence(outcome.result)
        : outcome.result.accuracy.map { "\(Wording.percent($0 * 100).replacing("+", with: "")) right" }
          ?? Wording.loss(outcome.result.loss)
      note("\(name(task, finishedCount)): \(loss)\(speed)")
    case .damaged, .failed: break  // told by `tell`, in any case
    }
  }

  /// What is told however quiet a study is to be.
  private func tell(_ event: StudyRunner.Event) {
    switch event {
    case .damaged(let task, let reason): note("note: \(plan.name(of: task)): the outcome \(reason); it is run again")
    case .failed(let task, let reason):
      hasFailures = true
      note("error: \(plan.name(of: task)) failed: \(reason)")
    case .finished(let task, let outcome):
      // Otherwise the line of the run says it.
      if isQuiet, !outcome.result.loss.isFinite {
        note("note: \(plan.name(of: task)) \(Wording.divergence(outcome.result))")
      }
    case .began, .progress, .waiting: break
    }
  }

  /// Takes away the line that is written over.
  func end() { if isLive, !isQuiet { Console.status("") } }

  private func note(_ text: String) {
    if isLive { Console.status("") }
    Console.note(text)
  }

  /// The run of `task`, the one of this `number`.
  private func name(_ task: StudyTask, _ number: Int) -> String {
    "[\(number)/\(max(count, number))] \(plan.runName(of: task)), seed \(task.seed)"
  }

  /// What is left, by the pace so far; by the estimate alone in the first seconds. Runs that follow from others are counted
  /// as they mostly do; where there are more, `run` is what is left of the one that is under way.
  private func left(after done: Double, atLeast run: Double, of cost: StudyCost) -> String {
    let passed = clock.now - start
    let seconds = Double(passed.components.seconds) + Double(passed.components.attoseconds) * 1e-18
    let pace = done > 2 ? seconds / done : 1
    return Wording.duration(max(run, cost.expected - done) * pace) + " left"
  }
}
