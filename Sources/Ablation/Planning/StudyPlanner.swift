import Components
import Composition
import Describing
import Files
import Essentials
import Specification

/// Composes the arms of a study, finds the widths that are asked for, and lists everything that is wrong before
/// anything runs.
public struct StudyPlanner {
  let specifications: SpecificationLoader
  let composer: Composer
  let trainer: any ArmTrainer

  /// A planner that loads with `specifications`, composes with `composer` and will train with `trainer`.
  public init(specifications: SpecificationLoader, composer: Composer, trainer: any ArmTrainer) {
    self.specifications = specifications
    self.composer = composer
    self.trainer = trainer
  }

  /// What one arm composes to.
  struct Composed {
    let architecture: Architecture
    let choices: ArchitectureChoices
    let plan: Plan
  }

  /// The plan of `study`; throws every problem of its base, its arms, its training settings and its data.
  public func plan(_ study: Study) throws -> StudyPlan {
    let base: Composed
    do throws(Problem) { _ = try specifications.locate(study.base) } catch {
      throw Problems([Problem(error.sentence, at: study.basePlace, hint: error.hint)])
    }
    base = try compose(study, Setting(.group([])))
    var problems = Problems()
    let described = noting(&problems) { try describe(base, study.training, study, PlannedArm.baselineName) }
    let benchmarks = noting(&problems) { try study.benchmarks.map { try Benchmark($0) } }
    let fingerprint = noting(&problems) { try trainer.fingerprint(of: study, for: base.architecture) }
    guard let (training, budget) = described, let fingerprint, let benchmarks else {
      // What is wrong with the arms themselves is told with it.
      for arm in study.arms {
        _ = noting(&problems) {
          try describe(try compose(study, arm.patch), study.training.merging(arm.training), study, arm.name)
        }
      }
      throw problems
    }
    let target = size(base, study.hold, context: training.context)
    var arms = [
      PlannedArm(
        name: PlannedArm.baselineName, isBaseline: true, patch: Setting(.group([])), trainingPatch: Setting(.group([])),
        architecture: base.architecture, plan: base.plan, training: training,
        flopsPerToken: base.plan.meanFlopsPerToken(context: training.context), sizing: nil, mismatch: 0,
        isMatched: true,
        coordinates: [], budget: budget)
    ]
    var baselineName: String?
    var baselineCoordinates: [Int] = []
    for arm in study.arms {
      let made = noting(&problems) { try self.arm(arm, of: study, target: target, context: training.context) }
      guard let (planned, composed) = made else { continue }
      let isBase =
        arm.isVariation && composed.plan.shape == base.plan.shape && composed.choices.isEquivalent(to: base.choices)
      if isBase, baselineName == nil {
        (baselineName, baselineCoordinates) = (planned.name, planned.coordinates)
      } else if !isBase {
        arms.append(planned)
      }
    }
    if let name = baselineName { arms[0] = arms[0].named(name, baselineCoordinates) }
    if arms.count == 1, problems.isEmpty {
      problems.add(Problem("every arm is the base itself", at: study.arms.first?.place))
    }
    if arms.allSatisfy({ $0.training.tokens == 0 }), let place = study.tuning?.place ?? study.probes.first?.place {
      problems.add(Problem("nothing is trained in this study, so nothing can be tuned or probed", at: place))
    }
    let candidates = study.tuning.map { tuning in
      noting(&problems) { try self.candidates(of: arms, study, tuning) } ?? []
    }
    let probes = arms.map { arm in
      study.probes.compactMap { request in noting(&problems) { try probe(request, arm, study) } }
    }
    try problems.check()
    let plan = StudyPlan(
      study: study, arms: arms, candidates: candidates ?? [], probes: study.probes.isEmpty ? [] : probes,
      benchmarks: benchmarks, dataFingerprint: fingerprint)
    guard let ladder = study.ladder else { return plan }
    return plan.with(rungs: try rungs(ladder, of: plan))
  }

  /// What is wrong with the base, the arms, the training settings and the files of `study` by themselves: for a study that has
  /// other mistakes, so that all are told at once. `registry` has the optimizers and schedules.
  public static func problems(
    of study: Study, specifications: SpecificationLoader, composer: Composer, registry: Registry
  ) -> Problems {
    var problems = Study.missing(among: study.data)
    for request in study.benchmarks {
      do { _ = try Benchmark(request) } catch let found as Problems {
        for problem in found.list { problems.add(problem) }
      } catch { problems.add(Problem("\(error)", at: nil)) }
    }
    for training in [study.training] + study.arms.map({ study.training.merging($0.training) }) {
      do throws(Problems) {
        // How many tokens is a question of its own.
        _ = try StudySettings.read(
          training, context: 1 << 10, tokens: nil, threads: 1, isHealing: study.weights != nil, registry)
      } catch { for problem in error.list { problems.add(problem) } }
    }
    if study.base.isEmpty { return problems }
    func note(_ patches: [Setting]) {
      do throws(Problems) {
        let architecture = try specifications.load(study.base, patches: patches)
        _ = try composer.assemble(architecture).sketch()
      } catch {
        for problem in error.list { problems.add(problem) }
      }
    }
    do throws(Problem) { _ = try specifications.locate(study.base) } catch {
      problems.add(Problem(error.sentence, at: study.basePlace, hint: error.hint))
      return problems
    }
    let before = problems.list.count
    note([study.basePatch])
    // What the base has wrong, every arm has.
    if problems.list.count == before { for arm in study.arms { note([study.basePatch, arm.patch]) } }
    return problems
  }

  private func arm(_ arm: Arm, of study: Study, target: Double, context: Int) throws -> (
    PlannedArm, Composed
  ) {
    var patch = arm.patch
    var sizing: PlannedArm.Sizing?
    let hold = study.hold
    if let request = try SizingRequest(in: patch) {
      sizing = try find(request, arm, study, target: target, context: context)
    } else if let width = hold.width, patch[path: width] == nil {
      let composed = try compose(study, patch)
      if abs(size(composed, hold, context: context) / target - 1) > hold.tolerance {
        let request = SizingRequest(path: width, quantity: hold.quantity, multiple: 1, place: arm.place)
        sizing = try find(request, arm, study, target: target, context: context)
      }
    }
    if let sizing {
      patch[path: sizing.path] = Setting(text: String(sizing.width), at: patch[path: sizing.path]?.place)
    }
    let composed = try compose(study, patch)
    let mismatch = size(composed, hold, context: context) / target - 1
    let (training, budget) = try describe(composed, study.training.merging(arm.training), study, arm.name)
    let planned = PlannedArm(
      name: arm.name, isBaseline: false, patch: patch, trainingPatch: arm.training, architecture: composed.architecture,
      plan: composed.plan, training: training,
      flopsPerToken: composed.plan.meanFlopsPerToken(context: training.context), sizing: sizing, mismatch: mismatch,
      isMatched: abs(mismatch) <= hold.tolerance, coordinates: arm.coordinates,
      budget: budget)
    return (planned, composed)
  }

  /// Every arm with each value of the tuned setting that may be tried; a value that cannot be is left out where it is
  /// reached by going on, and a problem where it was asked for.
  private func candidates(
    of arms: [PlannedArm], _ study: Study, _ tuning: Tuning
  ) throws -> [[StudyPlan.Candidate]] {
    try arms.map { arm in
      guard let shared = arm.training.numbers[tuning.key], shared > 0 else {
        throw Problems([
          Problem("the arm '\(arm.name)' has no \(tuning.key) above 0 to tune", at: tuning.place)
        ])
      }
      return try tuning.reach.compactMap { factor in
        if factor == 1 { return .init(factor: 1, value: shared, arm: arm) }
        // Steps are counted; rates are told to six digits, as a person would write them.
        let value =
          arm.training.numbers["warmup"] != nil && tuning.key == "warmup"
          ? (shared * factor).rounded() : Double(Quantity.written(shared * factor, "%.6g")) ?? shared * factor
        let text = value == value.rounded() && abs(value) < 1e15 ? String(Int(rounding: value)) : String(value)
        var own = arm.trainingPatch
        own[tuning.key] = Setting(text: text, at: tuning.place)
        do {
          let training = try trainer.describe(
            study.training.merging(own), for: arm.architecture, arm.plan, arm.length(in: study))
          return .init(factor: factor, value: value, arm: arm.trained(own, training))
        } catch  where !tuning.factors.contains(factor) { return nil }
      }
    }
  }

  /// `arm` as `request` trains it; throws where it does not compose with the probe's vocabulary and length.
  private func probe(_ request: ProbeRequest, _ arm: PlannedArm, _ study: Study) throws -> PlannedArm {
    let probe = request.probe
    var patch = arm.patch
    patch["vocab_size"] = Setting(text: String(probe.vocabulary), at: request.place)
    patch["context_length"] = Setting(text: String(probe.length), at: request.place)
    let composed = try compose(study, patch)
    var training = request.training
    training["context"] = Setting(text: String(probe.length), at: request.place)
    // How an arm is trained is its own; for how long and on what is the probe's.
    for entry in arm.trainingPatch.entries ?? [] where !["steps", "batch", "context", "accumulate"].contains(entry.key)
    {
      training[entry.key] = entry.value
    }
    return PlannedArm(
      name: arm.name, isBaseline: arm.isBaseline, patch: patch, trainingPatch: training,
      architecture: composed.architecture, plan: composed.plan,
      training: try trainer.describe(training, for: composed.architecture, composed.plan, BudgetTokens(whole: nil)),
      flopsPerToken: composed.plan.meanFlopsPerToken(context: probe.length), sizing: nil, mismatch: arm.mismatch,
      isMatched: arm.isMatched, coordinates: arm.coordinates, budget: BudgetTokens(whole: nil))
  }

  /// The width that `request` asks for; throws when none comes near enough.
  private func find(
    _ request: SizingRequest, _ arm: Arm, _ study: Study, target: Double, context: Int
  ) throws -> PlannedArm.Sizing {
    var hold = study.hold
    hold.quantity = request.quantity
    let target =
      hold.quantity == study.hold.quantity
      ? target : size(try compose(study, Setting(.group([]))), hold, context: context)
    func patch(_ width: Int) -> Setting {
      var patch = arm.patch
      patch[path: request.path] = Setting(text: String(width), at: request.place)
      return patch
    }
    let search = ArmSizing(multiple: request.multiple) { width in
      (try? compose(study, patch(width))).map { size($0, hold, context: context) }
    }
    guard let found = search.nearest(to: target) else {
      // No width helps where something else is wrong, and that is what composing says.
      _ = try compose(study, patch(request.multiple))
      throw Problems([Problem("no width of '\(request.path)' composes", at: request.place)])
    }
    let mismatch = found.size / target - 1
    guard abs(mismatch) <= hold.tolerance else {
      let what = hold.quantity == .flops ? "FLOPs per token" : "parameters"
      throw Problems([
        Problem(
          "no width of '\(request.path)' brings the arm '\(arm.name)' within \(percent(hold.tolerance)) of the "
            + "baseline's \(grouped(target)) \(what)", at: request.place,
          hint: "the nearest is \(found.width), with \(grouped(found.size)) (\(percent(mismatch, signed: true)))")
      ])
    }
    return PlannedArm.Sizing(path: request.path, width: found.width)
  }

  /// The base of `study` with its own changes and those of `patch`.
  func compose(_ study: Study, _ patch: Setting) throws(Problems) -> Composed {
    let patches = [study.basePatch, patch].filter { $0.entries?.isEmpty == false }
    let architecture = try specifications.load(study.base, patches: patches)
    let assembly = try composer.assemble(architecture)
    let plan = try assembly.plan()
    try requireObjective(study, plan, at: patch.place ?? study.basePlace)
    if !plan.pictureStacks.isEmpty, !study.contexts.isEmpty || !study.benchmarks.isEmpty || !study.probes.isEmpty {
      throw Problems([
        Problem(
          "'\(plan.name)' reads pictures, and 'contexts', 'tasks' and 'probes' are for models of texts alone",
          at: patch.place ?? study.basePlace)
      ])
    }
    if plan.otherAxes.count > plan.pictureStacks.count {
      throw Problems([
        Problem(
          "'\(plan.name)' reads more than the text that it predicts, which no study gives it",
          at: patch.place ?? study.basePlace)
      ])
    }
    return Composed(architecture: architecture, choices: assembly.choices, plan: plan)
  }

  /// Throws where `plan` is not for the objective of `study`, which all arms have: losses of different ones cannot be compared.
  private func requireObjective(_ study: Study, _ plan: Plan, at place: Place?) throws(Problems) {
    let written = study.training["objective"]
    for arm in study.arms {
      guard let own = arm.training["objective"] else { continue }
      throw Problems([
        Problem(
          "an arm cannot have an objective of its own, for losses of different objectives are not compared",
          at: own.place,
          hint: "write it in the 'train' of the study")
      ])
    }
    let usual = composer.registry.defaultNames[.objective] ?? ""
    let objective = try composer.registry.make(
      .objective, written ?? Setting(text: usual), as: (any Objective).self)
    let name = type(of: objective).name
    if let why = objective.obstacle(to: plan) {
      let others = composer.registry.names(in: .objective).filter { name in
        let other = try? composer.registry.make(.objective, Setting(text: name), as: (any Objective).self)
        return other.map { $0.obstacle(to: plan) == nil } ?? false
      }
      throw Problems([
        Problem(
          "'\(plan.name)' cannot be trained with the objective '\(name)': \(why)", at: place,
          hint: others.first.map { "train: {objective: \($0)}" })
      ])
    }
    if name != usual, !study.contexts.isEmpty || !study.benchmarks.isEmpty || !study.probes.isEmpty {
      throw Problems([
        Problem(
          "'contexts', 'tasks' and 'probes' are for models that predict the next token", at: written?.place,
          hint: "leave them out, or 'objective'")
      ])
    }
  }

  private func size(_ composed: Composed, _ hold: Hold, context: Int) -> Double {
    hold.quantity == .flops
      ? composed.plan.meanFlopsPerToken(context: context) : Double(composed.plan.parameterCount)
  }

  /// What `body` gives; problems are noted, other errors are told as one without a place.
  private func noting<Result>(_ problems: inout Problems, _ body: () throws -> Result) -> Result? {
    do { return try body() } catch let found as Problems {
      for problem in found.list { problems.add(problem) }
    } catch let problem as Problem {
      problems.add(problem)
    } catch {
      problems.add(Problem("\(error)", at: nil))
    }
    return nil
  }
}

extension PlannedArm {
  /// The same arm under another name, at `coordinates` of the design.
  fileprivate func named(_ name: String, _ coordinates: [Int]) -> PlannedArm {
    copy(name: name, trainingPatch: trainingPatch, training: training, coordinates: coordinates)
  }

  /// The same arm, trained otherwise.
  fileprivate func trained(_ patch: Setting, _ training: TrainingDescription) -> PlannedArm {
    copy(name: name, trainingPatch: patch, training: training, coordinates: coordinates)
  }

  private func copy(
    name: String, trainingPatch: Setting, training: TrainingDescription, coordinates: [Int]
  ) -> PlannedArm {
    PlannedArm(
      name: name, isBaseline: isBaseline, patch: patch, trainingPatch: trainingPatch, architecture: architecture,
      plan: plan, training: training, flopsPerToken: flopsPerToken, sizing: sizing, mismatch: mismatch,
      isMatched: isMatched, coordinates: coordinates, budget: budget)
  }
}
