import Components
import Essentials
import Files
import Specification

extension StudyPlanner {
  /// How far a size may be from the number of parameters that was asked for.
  private static let sizeTolerance = 0.25

  /// `plan`'s study at the other sizes of `ladder`; throws where a size cannot be, or arms cannot be matched there.
  func rungs(_ ladder: Ladder, of plan: StudyPlan) throws -> [StudyPlan.Rung] {
    if plan.isEvaluation {
      throw Problems([
        Problem("nothing is trained in this study, so no curve over sizes can be fitted", at: ladder.place)
      ])
    }
    var problems = Problems()
    var rungs: [StudyPlan.Rung] = []
    for factor in try factors(ladder, of: plan) where factor != 1 {
      do { rungs.append(StudyPlan.Rung(factor: factor, plan: try sized(by: factor, ladder, plan))) } catch let found
        as Problems
      {
        for problem in found.list { problems.add(problem.saying(size: factor, at: ladder.place)) }
      }
    }
    try problems.check()
    return rungs
  }

  /// What widths are multiplied by, ascending.
  private func factors(_ ladder: Ladder, of plan: StudyPlan) throws -> [Double] {
    guard case .parameters(let counts) = ladder.sizes else {
      if case .factors(let factors) = ladder.sizes { return factors }
      return [1]
    }
    let spec = plan.baseline.architecture.resolved
    let parts = WidthScaling.parts(of: spec)
    var sizes: [(factor: Double, count: Int)] = []
    let largest = counts.last ?? 1
    for step in 1...4096 {
      let factor = Double(step) / Double(parts)
      let size = try? compose(
        plan.study, WidthScaling(factor: factor).patch(of: spec, at: ladder.place)
      ).plan.parameterCount
      if let size { sizes.append((factor, size)) }
      if let size, size > largest { break }
    }
    var factors: Set<Double> = [1]
    for count in counts {
      guard let nearest = sizes.min(by: { abs($0.count - count) < abs($1.count - count) }),
        abs(Double(nearest.count) / Double(count) - 1) <= Self.sizeTolerance
      else {
        let near = sizes.min { abs($0.count - count) < abs($1.count - count) }
        throw Problems([
          Problem(
            "no width at the same width of heads has about \(Wording.count(count)) parameters", at: ladder.place,
            hint: near.map { "the nearest is \(Tuning.words($0.factor)), with \(Wording.count($0.count))" })
        ])
      }
      if nearest.factor != 1, !factors.insert(nearest.factor).inserted {
        throw Problems([
          Problem(
            "two of the ladder's sizes are the same model, of \(Wording.count(nearest.count)) parameters",
            at: ladder.place)
        ])
      }
    }
    guard factors.count >= Ladder.fewest else {
      throw Problems([
        Problem(
          "with the base's own the ladder has \(factors.count) sizes, and needs \(Ladder.fewest)", at: ladder.place)
      ])
    }
    return factors.sorted()
  }

  /// The study with widths multiplied by `factor`.
  private func sized(by factor: Double, _ ladder: Ladder, _ plan: StudyPlan) throws -> StudyPlan {
    let study = plan.study
    let scaling = WidthScaling(factor: factor)
    let basePatch = study.basePatch.merging(
      try scaling.patch(of: plan.baseline.architecture.resolved, at: ladder.place))
    let size = try compose(study.resized(basePatch, [], Setting(.group([])), nil), Setting(.group([]))).plan
    let ratio = Double(size.parameterCount) / Double(plan.baseline.parameterCount)
    func rate(_ training: Setting, _ shared: Double?) -> Setting {
      var training = training
      if ladder.scalesRate, let shared {
        let value = shared * Ladder.scale(ratio)
        training["lr"] = Setting(text: Wording.digits(value), at: ladder.place)
      }
      // Tokens say how long.
      training["steps"] = nil
      return training
    }
    let arms = try plan.arms.dropFirst().map { planned -> Arm in
      guard let arm = study.arms.first(where: { $0.name == planned.name }) else {
        throw Problems([Problem("the arm '\(planned.name)' is lost", at: ladder.place)])
      }
      var patch = arm.patch.merging(try scaling.patch(of: planned.architecture.resolved, at: ladder.place))
      // A width that was found is found anew.
      if let sizing = planned.sizing { patch[path: sizing.path] = arm.patch[path: sizing.path] }
      let own = arm.training["lr"] == nil ? arm.training : rate(arm.training, arm.training["lr"]?.number)
      return Arm(
        name: arm.name, patch: patch, training: own, place: arm.place, isVariation: arm.isVariation,
        coordinates: arm.coordinates)
    }
    let tokens = Double(plan.baseline.training.tokens) * (ladder.scalesTokens ? ratio : 1)
    let resized = study.resized(
      basePatch, arms, rate(study.training, plan.baseline.training.numbers["lr"]),
      max(1, Int(rounding: tokens)))
    let rung = try self.plan(resized)
    guard rung.arms.count == plan.arms.count else {
      let lost = plan.arms.dropFirst().map(\.name).filter { name in !rung.arms.dropFirst().contains { $0.name == name }
      }
      throw Problems([Problem("the arm '\(lost.first ?? "")' is the base itself", at: ladder.place)])
    }
    for (arm, own) in zip(rung.arms, plan.arms) where !arm.isMatched && own.isMatched {
      let what = study.hold.quantity == .flops ? "FLOPs per token" : "parameters"
      throw Problems([
        Problem(
          "the arm '\(arm.name)' cannot be matched: it is \(percent(arm.mismatch, signed: true)) off in \(what)",
          at: ladder.place,
          hint: "hold: {params: \(percent(study.hold.tolerance)), by: a width that may be found}, or other sizes")
      ])
    }
    return rung
  }
}

extension Ladder {
  /// What a learning rate is multiplied by where parameters are `ratio` times as many.
  static func scale(_ ratio: Double) -> Double { pow(ratio, rateExponent) }
}

extension Study {
  /// The study of another size: its base, its arms, how they are trained, and for how many tokens.
  func resized(_ basePatch: Setting, _ arms: [Arm], _ training: Setting, _ tokens: Int?) -> Study {
    var hold = hold
    hold.tokens = tokens
    return Study(
      name: name, base: base, basePlace: basePlace, basePatch: basePatch, weights: nil, tokenizer: tokenizer,
      arms: arms, seeds: seeds, hold: hold, training: training, data: data, contexts: [], design: design,
      schedule: nil, probes: [], tuning: tuning, benchmarks: [], budget: nil, ladder: nil)
  }
}

extension Problem {
  /// The same, of a size of the ladder at `place` where it has none of its own.
  fileprivate func saying(size factor: Double, at place: Place?) -> Problem {
    let words = Tuning.words(factor)
    return sentence.contains(words)
      ? self : Problem("at the size \(words): \(sentence)", at: self.place ?? place, hint: hint)
  }
}
