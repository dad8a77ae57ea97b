import Components
import Execution
import Essentials
import Kernels
import Training

extension RunTrainer {
  /// Sequences that answers are counted on: none of them was trained on, for trained ones are counted from 0.
  private static let evaluated = (first: 1 << 40, count: 256)

  public func train(
    _ arm: PlannedArm, on probe: Probe, seed: Int, progress: (TrainingProgress) -> Bool
  ) throws -> TaskOutcome? {
    var settings = try StudySettings.read(
      arm.trainingPatch, context: probe.length, tokens: nil, threads: pool.threads, isHealing: false, registry)
    settings.seed = UInt64(seed)
    try MemoryNeed(arm.plan, settings).check()
    let parameters = try Parameters(arm.plan, seed: settings.seed)
    let (rows, random) = (settings.batch, settings.seed)
    let trainer = try Trainer(arm.plan, parameters, settings, validation: nil, pool: pool) { index in
      let sequences = (0..<rows).map { probe.sequence(index * rows + $0, seed: random) }
      return Batch(inputs: sequences.map(\.tokens), targets: sequences.map(\.answers))
    }
    let clock = ContinuousClock()
    let began = clock.now
    do {
      while trainer.step < settings.steps {
        let report = try trainer.advance()
        let tokens = report.step.multiplied(upTo: settings.tokensPerStep)
        if !progress(TrainingProgress(tokens: tokens, loss: report.loss)) { return nil }
      }
    } catch TrainingProblem.notANumber(let step) {
      return TaskOutcome(
        TaskResult(loss: .nan, curve: [], contexts: [], divergedAfter: step), times(clock.now - began, step, settings))
    }
    let spent = clock.now - began
    let (accuracy, loss) = try measure(probe, arm.plan, parameters, seed: random)
    return TaskOutcome(
      TaskResult(loss: loss, curve: [], contexts: [], accuracy: accuracy), times(spent, settings.steps, settings))
  }

  private func times(_ spent: Duration, _ steps: Int, _ settings: TrainingSettings) -> TaskTimes {
    let seconds = spent.inSeconds
    let tokens = Double(steps.multiplied(upTo: settings.tokensPerStep))
    return TaskTimes(seconds: seconds, tokensPerSecond: seconds > 0 ? tokens / seconds : 0, machine: machine)
  }

  /// The share of answers whose logit is the largest, and their mean loss in nats.
  private func measure(
    _ probe: Probe, _ plan: Plan, _ parameters: Parameters, seed: UInt64
  ) throws -> (accuracy: Double, loss: Double) {
    let executor = try PlanExecutor(
      plan, parameters, pool: pool, maximumRows: probe.length, states: .f32, fusing: true, computeType: .stored)
    let sequence = try executor.openSequence(length: probe.length)
    var (right, asked, loss) = (0, 0, 0.0)
    for index in 0..<Self.evaluated.count {
      let own = probe.sequence(Self.evaluated.first + index, seed: seed)
      sequence.reset()
      try executor.forward([(sequence, own.tokens)], logits: .all) { _, position, logits in
        let answer = own.answers[position]
        guard answer >= 0 else { return }
        asked += 1
        var best = 0
        for id in logits.indices where logits[id] > logits[best] { best = id }
        if best == answer { right += 1 }
        let most = Double(logits[best])
        let sum = logits.reduce(0.0) { $0 + exp(Double($1) - most) }
        loss += log(sum) - (Double(logits[answer]) - most)
      }
    }
    let mean = loss / Double(max(1, asked))
    return (Double(right) / Double(max(1, asked)), mean.isFinite ? max(0, mean) : .nan)
  }
}
