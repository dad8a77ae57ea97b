import Components
import Execution
import Files
import Kernels
import Specification
import Tokenization
import Training

/// Trains arms with the training room: each run in a folder of its own, resumable at any step.
public final class RunTrainer: ArmTrainer {
  let pool: ThreadPool
  let registry: Registry
  private let cacheFolder: String
  private let tokenizer: () throws -> Tokenizer?
  private let questions: (_ paths: [String], Architecture, TrainingData, _ longest: Int) throws -> Questions?
  let start: Start?
  let machine: String
  private var texts: [[String]: TokenizedData] = [:]
  private var benchmarks: [BenchmarkRequest: Benchmark] = [:]
  /// Told of a folder for tokens that could not be written.
  public var cacheFailed: ((FileProblem) -> Void)?

  /// What a study of a trained model starts from: it puts the tensors that fit into the parameters of a plan.
  public struct Start {
    /// What names the tensors.
    let fingerprint: String
    /// Puts them in.
    let take: (Plan, Parameters) -> Void

    /// A start from the tensors that `fingerprint` names.
    public init(fingerprint: String, take: @escaping (Plan, Parameters) -> Void) {
      self.fingerprint = fingerprint
      self.take = take
    }
  }

  /// The data of a study of models that read pictures, as one of them reads it.
  public struct Questions {
    let examples: TrainingExamples
    let fingerprint: String

    /// The `examples` that a model reads of data that `fingerprint` names.
    public init(_ examples: TrainingExamples, fingerprint: String) {
      (self.examples, self.fingerprint) = (examples, fingerprint)
    }
  }

  /// A trainer with the optimizers and schedules of `registry`, on the threads of `pool`, whose tokenized texts go to
  /// `cacheFolder`; `machine` is what reports call it. `questions` reads data for models that read pictures, of captions so many tokens at most,
  /// and gives nil for others.
  public init(
    _ registry: Registry, pool: ThreadPool, cacheFolder: String, machine: String, start: Start?,
    tokenizer: @escaping () throws -> Tokenizer?,
    questions: @escaping (_ paths: [String], Architecture, TrainingData, _ longest: Int) throws -> Questions? = {
      _, _, _, _ in nil
    }
  ) {
    self.registry = registry
    self.pool = pool
    self.cacheFolder = cacheFolder
    self.machine = machine
    self.start = start
    self.tokenizer = tokenizer
    self.questions = questions
  }

  public func describe(
    _ training: Setting, for architecture: Architecture, _ plan: Plan, _ budget: BudgetTokens
  ) throws -> TrainingDescription {
    let settings = try StudySettings.read(
      training, context: architecture.shape.contextLength, tokens: budget.whole, threads: 1,
      isHealing: start != nil, registry)
    // Memory is told for one thread, so that a report does not depend on where it is written; others add little.
    if let limit = plan.longestSequence, settings.context > limit {
      throw Problems([
        Problem(
          "the model can take \(limit) tokens, and the study trains on sequences of \(settings.context)",
          at: training["context"]?.place ?? training.place)
      ])
    }
    var entries = StudySettings.entries(of: settings)
    do { try settings.makeOptimizer().checkRules(of: plan) } catch let problem as TrainingProblem {
      throw Problems([Problem(problem.description, at: training["optimizer"]?.place ?? training.place)])
    }
    if !settings.hasUsualObjective,
      let why = try settings.makeObjective().obstacle(in: tokenizer().map { TextMarks($0) })
    {
      throw Problems([
        Problem("the study cannot train with its objective: \(why)", at: training["objective"]?.place ?? training.place)
      ])
    }
    if let start { entries.append(.init("start", start.fingerprint)) }
    if !budget.smaller.isEmpty {
      _ = try BranchedRuns(settings, budget)
      entries.append(budget.entry)
    }
    return TrainingDescription(
      context: settings.context, tokens: settings.tokens, settings: entries,
      memory: try MemoryNeed(plan, settings).total,
      numbers: [
        "lr": try settings.learningRate().peak, "warmup": Double(settings.warmup), "clip": settings.clip,
        "dropout": settings.dropout, "steps": Double(settings.steps),
      ])
  }

  public func fingerprint(of study: Study, for architecture: Architecture) throws -> String {
    let files = study.data
    try Study.missing(among: files).check()
    do {
      if let count = try tokenizer()?.count, count > architecture.shape.vocabSize {
        throw Problems([
          Problem(
            "the tokenizer has \(count) tokens, and the model takes \(architecture.shape.vocabSize)",
            at: architecture.resolved["vocab_size"]?.place, hint: "set: {vocab_size: \(count)}")
        ])
      }
      // Where captions are cut shows in the settings.
      let own = try questions(
        files.map(\.path), architecture, type(of: objective(of: study)).data, architecture.shape.contextLength)
      return try String((own?.fingerprint ?? text(files).fingerprint).prefix(24))
    } catch let problem as FileProblem {
      throw Problems([Problem("\(problem.path): \(problem.sentence)", at: files.first?.place)])
    } catch let problem as TrainingProblem {
      throw Problems([Problem(problem.description, at: files.first?.place)])
    }
  }

  /// Of a few steps after a first one, which takes longer, for every step; of one validation for each, and of what is
  /// measured of a trained model. Of a run that diverges on the way only those steps that it does.
  public func estimate(_ arm: PlannedArm, of study: Study) throws -> RunEstimate {
    let settings = try self.settings(of: arm, study, seed: study.seeds.first ?? 0)
    let trainer = try trainer(arm, study, settings)
    let clock = ContinuousClock()
    var step = 0.0
    if settings.steps > 0 {
      var began = clock.now
      var steps = 0
      do {
        _ = try trainer.advance()
        began = clock.now
        while steps < 3 || (steps < 50 && clock.now - began < .milliseconds(400)) {
          _ = try trainer.advance()
          steps += 1
        }
      } catch TrainingProblem.notANumber {
        return RunEstimate(steps: (clock.now - began).inSeconds)
      }
      step = (clock.now - began).inSeconds / Double(steps)
    }
    let validation = try clock.measure { _ = try trainer.validate() }.inSeconds
    let validations = settings.validateEvery > 0 ? settings.steps / settings.validateEvery + 1 : 1
    let steps = try BranchedRuns(settings, arm.budget).steps
    let evaluations = Double(validations + study.contexts.count + arm.budget.smaller.count)
    let measures = try clock.measure {
      if settings.steps > 0 { _ = try trainer.extremes() }
      _ = try decodingSpeed(arm.plan, trainer.parameters, context: settings.context)
    }
    return RunEstimate(steps: step * Double(steps), rest: validation * evaluations + measures.inSeconds)
  }

  public func train(
    _ arm: PlannedArm, of study: Study, seed: Int, contexts: [Int], in folder: String,
    progress: (TrainingProgress) -> Bool
  ) throws -> TaskOutcome? {
    let settings = try self.settings(of: arm, study, seed: seed)
    let place = RunFolder(folder)
    let data = try fingerprint(of: study, for: arm.architecture) + (start?.fingerprint ?? "")
    func described(_ settings: TrainingSettings) -> RunDescription {
      RunDescription(
        model: YAMLWriter().write(arm.architecture.decisive), settings: settings, data: JSONObject(),
        dataFingerprint: data)
    }
    // What was begun there with other threads, or is not whole, is begun anew.
    func clear(_ place: RunFolder, _ description: RunDescription) throws {
      if place.isBegun, (try? RunDescription(in: place, registry))?.fingerprint != description.fingerprint {
        try removeFolder(place.path)
      }
    }
    try clear(place, described(settings))
    let runs = try BranchedRuns(settings, arm.budget)
    var shorter: [TaskResult.Point] = []
    var trunk: RunFolder?
    for index in runs.lengths.indices.dropLast() {
      let own = RunFolder(runs.folder(of: index, in: folder))
      let length = runs.lengths[index]
      let description = described(length)
      try clear(own, description)
      let trainer = try self.trainer(arm, study, length)
      guard
        let diverged = try train(
          trainer, description, in: own, leaving: trunk, forks: runs.forks(of: index),
          progress: { progress(runs.progress($0, of: index)) })
      else { return nil }
      let end = try RunMetrics(in: own, tokensPerStep: length.tokensPerStep).curve.last?.loss
      shorter.append(.init(tokens: arm.budget.smaller[index], loss: diverged.step == nil ? end ?? .nan : .nan))
      trunk = own
    }
    let trainer = try trainer(arm, study, settings)
    // Where nothing is trained, each window's loss, for only the text is left to chance.
    let windows = settings.steps == 0 ? try trainer.validationLosses() ?? [] : []
    let beforeTraining = settings.steps == 0 ? Sample(windows).mean : start == nil ? nil : try trainer.validate()
    guard
      let ending = try train(
        trainer, described(settings), in: place, leaving: trunk, forks: [],
        progress: { progress(runs.progress($0, of: runs.lengths.count - 1)) })
    else { return nil }
    let diverged = ending.step
    let measured = try RunMetrics(in: place, tokensPerStep: settings.tokensPerStep)
    var curve = measured.curve
    if let beforeTraining { curve.insert(.init(tokens: 0, loss: beforeTraining), at: 0) }
    func times(decoded: Double?) -> TaskTimes {
      TaskTimes(
        seconds: measured.seconds, tokensPerSecond: measured.tokensPerSecond, decodedPerSecond: decoded,
        machine: machine)
    }
    guard diverged == nil, let loss = curve.last?.loss, loss.isFinite else {
      return TaskOutcome(
        TaskResult(
          loss: .nan, curve: curve, contexts: [], stability: measured.stability, budgets: shorter,
          divergedAfter: diverged ?? settings.steps), times(decoded: nil))
    }
    let losses = try contexts.map { context in
      TaskResult.ContextLoss(
        context: context,
        loss: try WindowLoss(trainer, text: try split(study, settings).last, pool: pool)
          .loss(context: context, tokens: settings.validationTokens))
    }
    let scores = try answers(study, arm.plan, trainer.parameters, settings)
    return TaskOutcome(
      TaskResult(
        loss: loss, curve: curve, contexts: losses, windows: windows,
        stability: try measured.stability?.with(trainer.extremes()), benchmarks: scores, budgets: shorter),
      times(decoded: try decodingSpeed(arm.plan, trainer.parameters, context: settings.context)))
  }

  /// How a run that was not stopped ended.
  private struct Ending {
    /// Steps that were done when a loss became NaN; nil when none did.
    let step: Int?
  }

  /// Runs `trainer` in `place`, from where it leaves the run in `trunk`; nil where `progress` says to stop.
  private func train(
    _ trainer: Trainer, _ description: RunDescription, in place: RunFolder, leaving trunk: RunFolder?, forks: [Int],
    progress: (TrainingProgress) -> Bool
  ) throws -> Ending? {
    // One that diverged before the branch has nothing to leave: the run is then done from its first step, to the same bits.
    let branch = trunk.flatMap { try? TrunkBranch(of: $0, description.settings) }
    let run = try TrainingRun(trainer, description, in: place, files: [], branch: branch, forks: forks)
    defer { run.close() }
    var goesOn = true
    do {
      let ending = try run.run(shouldStop: { !goesOn }) { event in
        guard case .step(let report, _) = event else { return }
        goesOn = progress(
          TrainingProgress(
            tokens: report.step.multiplied(upTo: description.settings.tokensPerStep), loss: report.loss))
      }
      return ending == .stopped ? nil : Ending(step: nil)
    } catch TrainingProblem.notANumber(let step) {
      return Ending(step: step)
    } catch TrainingProblem.validationNotANumber(let step) {
      return Ending(step: step)
    }
  }

  /// What the trained model answers of the questions of `study`.
  func answers(
    _ study: Study, _ plan: Plan, _ parameters: Parameters, _ settings: TrainingSettings
  ) throws -> [BenchmarkScore] {
    if study.benchmarks.isEmpty { return [] }
    guard let tokenizer = try tokenizer() else {
      throw BenchmarkScoring.Unanswerable(description: "questions are texts, and the study has no tokenizer for them")
    }
    let scoring = try BenchmarkScoring(plan, parameters, tokenizer: tokenizer, context: settings.context, pool: pool)
    return try study.benchmarks.map { request in
      let benchmark = try benchmarks[request] ?? Benchmark(request)
      benchmarks[request] = benchmark
      return try scoring.score(benchmark, keepsItems: settings.steps == 0)
    }
  }

  // MARK: Parts

  func settings(of arm: PlannedArm, _ study: Study, seed: Int) throws -> TrainingSettings {
    var settings = try StudySettings.read(
      study.training.merging(arm.trainingPatch), context: arm.architecture.shape.contextLength,
      tokens: arm.length(in: study).whole, threads: pool.threads, isHealing: start != nil, registry)
    settings.seed = UInt64(seed)
    return settings
  }

  /// What the arms of `study` learn of its data.
  private func objective(of study: Study) throws -> any Objective {
    let usual = Setting(text: registry.defaultNames[.objective] ?? "")
    return try registry.make(.objective, study.training["objective"] ?? usual)
  }

  func trainer(_ arm: PlannedArm, _ study: Study, _ settings: TrainingSettings) throws -> Trainer {
    // Before anything is filled.
    try MemoryNeed(arm.plan, settings).check()
    let parameters = try Parameters(arm.plan, seed: settings.seed)
    start?.take(arm.plan, parameters)
    let marks = try tokenizer().map { TextMarks($0) }
    let kind = try type(of: settings.makeObjective()).data
    if let own = try questions(study.data.map(\.path), arm.architecture, kind, settings.context) {
      let (training, validation) = own.examples.split(last: settings.validationFraction)
      return try Trainer(
        arm.plan, parameters, settings, training: training, validation: validation, marks: marks, pool: pool)
    }
    let (training, validation) = try split(study, settings)
    return try Trainer(
      arm.plan, parameters, settings, training: training, validation: validation, marks: marks, pool: pool)
  }

  func split(_ study: Study, _ settings: TrainingSettings) throws -> (first: TokenText, last: TokenText) {
    try text(study.data).text.split(last: settings.validationFraction)
  }

  private func text(_ files: [Study.DataFile]) throws -> TokenizedData {
    let paths = files.map(\.path)
    if let known = texts[paths] { return known }
    let data = try TokenizedData(paths, tokenizer: tokenizer(), jsonKey: "text", cacheFolder: cacheFolder, pool: pool)
    if let problem = data.cacheProblem { cacheFailed?(problem) }
    texts[paths] = data
    return data
  }
}

extension TrainingSettings {
  /// Tokens that a validation reads.
  var validationTokens: Int {
    validationBatches == 0 ? Int.max : validationBatches.multiplied(upTo: batch.multiplied(upTo: context))
  }
}

extension Duration {
  /// The duration in seconds.
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
