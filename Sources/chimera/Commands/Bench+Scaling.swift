import Components
import Composition
import Describing
import Execution
import Files
import Formats
import Kernels
import Models
import Specification

/// How the cost grows when one thing is made larger.
extension Bench {
  /// The most tokens of a prompt or of a cache that are measured when nobody says which.
  private static let longestContext = 4096
  /// Tokens that are generated to measure one.
  private static let generated = 16

  /// Measures `described` at several sizes of `scaling`; writes a table, and a page where one is asked for.
  func measureScaling(_ scaling: Scaling, _ described: ModelDescription, _ models: ModelLoader) throws {
    let plan = described.plan
    if plan.seesWholeTexts || !plan.otherAxes.isEmpty {
      throw Failure(.usage, "--scaling measures models that continue one text, and '\(plan.name)' does not")
    }
    var (prompts, steps): ([(Int, BenchRow)], [(Int, BenchRow)]) = ([], [])
    for size in try sizes(scaling, described) {
      let threads = scaling == .threads ? size : threadCounts[0]
      let (own, format) =
        scaling == .experts ? try (withExperts(size, described, models), try formats()[0]) : (described, nil)
      let runner = try scalingRunner(own, format, threads: threads, models)
      let length = scaling == .context ? size : min(prompt.numbers[0], own.plan.longestText)
      if scaling != .batch, length > 0 { prompts.append((size, note(try runner.prompt(length, depth: 0)))) }
      let depth = scaling == .context ? max(0, min(size, own.plan.longestText - Self.generated)) : contextDepth
      steps.append(
        (
          size,
          note(try runner.generation(Self.generated, batch: scaling == .batch ? size : 1, depth: depth))
        ))
    }
    let curves = [
      curve(scaling == .context ? "A prompt" : "A prompt of \(prompt.numbers[0]) tokens", scaling, prompts, plan),
      curve(scaling == .batch ? "One generated token of each sequence" : "One generated token", scaling, steps, plan),
    ].filter { !$0.points.isEmpty }
    let setting =
      "\(Quantity.short(plan.parameterCount)) parameters, \(steps[0].1.weightsType) weights, \(cache.format.rawValue) cache, kernels "
      + "\(KernelLevel.current.name), \(Machine().processor), \(repetitions) repetitions"
    for curve in curves { Console.write("\(curve.title)\n" + table(curve)) }
    if let html {
      try Console.write(page: ScalingPage(model: plan.name, setting: setting, curves: curves).text, to: html)
    }
  }

  private func scalingRunner(
    _ described: ModelDescription, _ format: StorageFormat?, threads: Int, _ models: ModelLoader
  ) throws -> BenchRunner {
    let isReal = if case .specification = described.source { false } else { format == nil && weightsType == nil }
    let chosen = try isReal ? nil : format ?? formats()[0]
    let parameters = try parameters(described, chosen, models)
    let kind = chosen ?? mainFormat(described.plan, parameters)
    let pool = ThreadPool(threads: threads)
    let executor = try PlanExecutor(
      described.plan, parameters, pool: pool, maximumRows: passRows ?? 256, states: cache.format, fusing: true,
      computeType: .asked(exact: exact))
    return BenchRunner(
      executor, weights: kind, typeName: kind.rawValue, limits: MachineLimits(pool: pool), repetitions: repetitions,
      profiles: false, against: nil)
  }

  /// The sizes: those of --prompt, --batch or --threads where several are given, else powers of two.
  private func sizes(_ scaling: Scaling, _ described: ModelDescription) throws -> [Int] {
    func powers(_ first: Int, _ last: Int) -> [Int] {
      var sizes = [first]
      while sizes[sizes.count - 1] * 2 <= last { sizes.append(sizes[sizes.count - 1] * 2) }
      return sizes
    }
    switch scaling {
    case .context:
      let longest = described.plan.longestText
      let sizes =
        prompt.numbers.count > 1 ? prompt.numbers : powers(min(64, longest), min(longest, Self.longestContext))
      guard let most = sizes.max(), let least = sizes.min(), least > 0, most <= longest else {
        throw Failure(
          .usage,
          "--prompt \(prompt.defaultValueDescription): '\(described.plan.name)' takes 1 to \(longest.grouped) tokens")
      }
      return sizes.sorted()
    case .batch: return batch.numbers.count > 1 ? batch.numbers.sorted() : powers(1, 16)
    case .threads:
      if let threads, threads.numbers.count > 1 { return threads.numbers.sorted() }
      let most = threads?.numbers[0] ?? ThreadPool.preferredThreadCount()
      let sizes = powers(1, most)
      return sizes.last == most ? sizes : sizes + [most]
    case .experts:
      guard case .specification = described.source else {
        throw Failure(
          .usage,
          "--scaling experts changes the model, whose weights are then synthetic: give it by its name in the zoo")
      }
      return powers(max(2, try chosenExperts(described)), 32)
    }
  }

  /// How many experts a token chooses; throws where there are none.
  private func chosenExperts(_ described: ModelDescription) throws -> Int {
    let tree = described.architecture.resolved
    guard tree[path: "mlp.num_experts"]?.integer != nil else {
      throw Failure(.usage, "'\(described.plan.name)' has no 'mlp.num_experts' that could be made larger")
    }
    return tree[path: "mlp.top_k"]?.integer ?? 2
  }

  private func withExperts(_ count: Int, _ described: ModelDescription, _ models: ModelLoader) throws
    -> ModelDescription
  {
    guard let model else { return described }
    return try models.describe(model, patches: try changes.patches() + Overrides(["mlp.num_experts=\(count)"]).patches)
  }

  private func curve(_ title: String, _ scaling: Scaling, _ rows: [(size: Int, row: BenchRow)], _ plan: Plan)
    -> ScalingPage.Curve
  {
    ScalingPage.Curve(
      title: title, axis: scaling == .context && title == "One generated token" ? "tokens before it" : scaling.axis,
      points: rows.map { size, row in
        let passes = row.test == .prompt ? 1 : Double(row.tokens)
        // A generated token reads what is cached of its sequence.
        let states =
          row.test == .prompt
          ? 0 : Double(row.batch) * Double(plan.stateBytes(length: row.depth + row.tokens / 2, in: cache.format))
        let read = Samples(row.limits.map(\.readRate)).median
        let peak = Samples(row.limits.map(\.peak)).median
        let memory = (row.work.weightBytes / passes + states) / max(read, 1)
        let arithmetic = row.work.flops / passes / max(peak, 1)
        return ScalingPage.Point(
          size: size,
          seconds: (row.seconds.median / passes, row.seconds.smallest / passes, row.seconds.largest / passes),
          expected: max(memory, arithmetic), isBoundByMemory: memory >= arithmetic)
      })
  }

  private func table(_ curve: ScalingPage.Curve) -> String {
    var table = TextTable([.right, .right, .right, .right, .right, .left])
    table.add([curve.axis, "median", "least", "most", "expected", "bound by"])
    for point in curve.points {
      let times = [point.seconds.median, point.seconds.least, point.seconds.most, point.expected]
      table.add(
        [String(point.size)] + times.map { "\(Quantity.digits($0 * 1e3)) ms" }
          + [point.isBoundByMemory ? "memory" : "arithmetic"])
    }
    return table.text()
      + (curve.growth.map { growth in
        "grows as the power \(Quantity.written(growth.measured, "%.2f")), expected \(Quantity.written(growth.expected, "%.2f"))\n\n"
      } ?? "\n")
  }
}
