/// Makes the tasks of a plan.
struct TaskMaker {
  private let study: Study
  private let arms: [PlannedArm]
  private let candidates: [[StudyPlan.Candidate]]
  private let data: String
  private let benchmarks: [Benchmark]

  init(
    _ study: Study, _ arms: [PlannedArm], _ candidates: [[StudyPlan.Candidate]], _ data: String,
    _ benchmarks: [Benchmark]
  ) {
    (self.study, self.arms, self.candidates, self.data) = (study, arms, candidates, data)
    self.benchmarks = benchmarks
  }

  /// The run of the arm at `arm` with `seed`, at `factor` times the shared value of what is tuned.
  func task(_ arm: Int, seed: Int, factor: Double?, index: Int) -> StudyTask {
    let planned = factor.flatMap { factor in candidates[arm].first { $0.factor == factor }?.arm } ?? arms[arm]
    let runSeed = study.hold.dataOrder == .same ? seed : seed + 100_000 * arm
    let key = StudyTask.key(
      planned, seed: runSeed, data: data,
      contexts: study.contexts.map { $0.tokens(trainedAt: planned.training.context) }, benchmarks: benchmarks)
    return StudyTask(index: index, arm: arm, seed: seed, runSeed: runSeed, factor: factor, probe: nil, key: key)
  }

  /// The run of `probe` by the arm at `arm`, which `planned` is as it is trained there.
  func probe(_ probe: Probe, _ planned: PlannedArm, _ arm: Int, seed: Int, index: Int) -> StudyTask {
    let runSeed = study.hold.dataOrder == .same ? seed : seed + 100_000 * arm
    return StudyTask(
      index: index, arm: arm, seed: seed, runSeed: runSeed, factor: nil, probe: probe.kind,
      key: StudyTask.key(planned, seed: runSeed, probe: probe))
  }
}

extension StudyPlan {
  /// What has become of a task.
  public enum TaskState: Sendable {
    /// It has not ended.
    case open
    /// It ended with this loss, NaN where it diverged.
    case measured(Double)
    /// It ended without measuring anything.
    case failed
  }

  /// Every task that follows from what is known: those of the plan, and those that earlier ones ask for: a tuned setting's
  /// further values, all seeds at the best two, more seeds for arms that are not decided.
  ///
  /// It is a function of the outcomes alone, so every machine that sees the same ones finds the same tasks, under the same
  /// numbers once those before are over; a study that was killed goes on with what it would have done.
  public func tasks(knowing state: (StudyTask) -> TaskState) -> [StudyTask] {
    if isEvaluation { return tasks }
    if let schedule = study.schedule { return tasks + added(schedule, state) }
    if study.tuning != nil { return tasks + tuned(state) }
    return tasks
  }

  private var maker: TaskMaker { TaskMaker(study, arms, candidates, dataFingerprint, benchmarks) }

  // MARK: Seeds

  private func added(_ schedule: SeedSchedule, _ state: (StudyTask) -> TaskState) -> [StudyTask] {
    var added: [StudyTask] = []
    var losses = arms.map { _ in [Int: Double]() }
    var hasFailed = arms.map { _ in false }
    func note(_ task: StudyTask) {
      if task.probe != nil { return }
      switch state(task) {
      case .open: break
      case .measured(let loss): losses[task.arm][task.seed] = loss
      case .failed: hasFailed[task.arm] = true
      }
    }
    tasks.forEach(note)
    for look in schedule.looks.indices.dropFirst() {
      let runs = arms.indices.map { ArmLosses(runs: losses[$0], hasFailed: hasFailed[$0]) }
      let statistics = StudyStatistics(
        baseline: runs[0], arms: Array(runs.dropFirst()), schedule: schedule, seeds: seeds)
      if statistics.finishedLooks < look || hasFailed[0] { break }
      let open = statistics.comparisons.indices.filter {
        statistics.comparisons[$0].decidedAt == nil && statistics.comparisons[$0].verdict != .diverged
          && !hasFailed[$0 + 1]
      }
      if open.isEmpty { break }
      for seed in seeds[schedule.looks[look - 1]..<schedule.looks[look]] {
        for arm in [0] + open.map({ $0 + 1 }) {
          let task = maker.task(arm, seed: seed, factor: nil, index: tasks.count + added.count)
          added.append(task)
          note(task)
        }
      }
    }
    return added
  }

  // MARK: Rates

  /// The losses of the arm at `arm` over the tuned setting, with the first seed, and whether no further value is to be tried.
  public func curve(of arm: Int, knowing state: (StudyTask) -> TaskState) -> (curve: RateCurve, isSettled: Bool) {
    var points: [RateCurve.Point] = []
    var isSettled = true
    func measure(_ factor: Double) {
      switch state(maker.task(arm, seed: seeds[0], factor: factor == 1 ? nil : factor, index: 0)) {
      case .open: isSettled = false
      case .measured(let loss): points.append(.init(factor: factor, loss: loss))
      case .failed: points.append(.init(factor: factor, loss: .nan))
      }
    }
    guard let tuning = study.tuning else { return (RateCurve([]), true) }
    for factor in tuning.factors where candidates[arm].contains(where: { $0.factor == factor }) { measure(factor) }
    while isSettled, let next = next(RateCurve(points), arm) { measure(next) }
    return (RateCurve(points), isSettled)
  }

  /// The candidate of `arm` to try after what `curve` has.
  private func next(_ curve: RateCurve, _ arm: Int) -> Double? {
    curve.next(limit: 1e9).flatMap { wanted in
      candidates[arm].map(\.factor).first { abs($0 / wanted - 1) < 1e-6 }
    }
  }

  /// What follows, in rounds: an arm's next value, or all seeds at its best two, come a round after what they follow from. So
  /// what is known later stands behind what was known before. Of all sizes together.
  private func tuned(_ state: (StudyTask) -> TaskState) -> [StudyTask] {
    let all =
      wanted(state).map { (rung: Int?.none, $0) }
      + rungs.enumerated().flatMap { place, rung in rung.plan.wanted(state).map { (rung: place, $0) } }
    let ordered = all.enumerated().sorted { a, b in
      let (x, y) = (a.element.1, b.element.1)
      if (x.round, x.seed) != (y.round, y.seed) { return (x.round, x.seed) < (y.round, y.seed) }
      return (a.element.rung ?? -1, x.arm, a.offset) < (b.element.rung ?? -1, y.arm, b.offset)
    }
    return ordered.enumerated().map { place, entry in
      let (rung, wish) = entry.element
      let sized = rung.map { rungs[$0].plan } ?? self
      return sized.maker.task(wish.arm, seed: seeds[wish.seed], factor: wish.factor, index: 0)
        .moved(to: tasks.count + place, rung: rung)
    }
  }

  /// A run that follows from what is known.
  private struct Wish {
    let round: Int
    let arm: Int
    let seed: Int
    let factor: Double
  }

  /// The runs of this size that follow.
  private func wanted(_ state: (StudyTask) -> TaskState) -> [Wish] {
    let given = Set(study.tuning?.factors ?? [])
    var wanted: [Wish] = []
    for arm in arms.indices {
      let (curve, isSettled) = curve(of: arm, knowing: state)
      let factors = curve.points.map(\.factor)
      var further = factors.filter { !given.contains($0) }.sorted { distance($0) < distance($1) }
      if !isSettled, given.isSubset(of: Set(factors)), let next = next(curve, arm) { further.append(next) }
      wanted += further.enumerated().map { Wish(round: $0.offset, arm: arm, seed: 0, factor: $0.element) }
      guard isSettled else { continue }
      for factor in curve.finalists.map({ curve.points[$0].factor }) where factor != 1 {
        wanted += seeds.indices.dropFirst().map { Wish(round: further.count, arm: arm, seed: $0, factor: factor) }
      }
    }
    return wanted
  }

  /// The order in which factors were reached is that of their distance from 1.
  private func distance(_ factor: Double) -> Double { factor >= 1 ? factor : 1 / factor }
}
