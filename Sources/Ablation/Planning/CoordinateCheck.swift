import Components
import Composition
import Essentials
import Execution
import Kernels
import Specification
import Training

/// Whether what a model computes changes as much at every width when it is trained: the test of a parametrization.
///
///     d(w) = mean |x after some steps − x before|, of each quantity x;  its slope is that of ln d over ln w
///
/// With muP each slope is about 0; with usual initializations and Adam what is computed changes more in wider models, so that
/// the best rate of one width is too high for the next. Yang and Hu, 2020, https://arxiv.org/abs/2011.14522; the check: Yang et al.,
/// 2022, appendix D.1, https://arxiv.org/abs/2203.03466. It is the change that is looked at: at the start logits grow smaller
/// with the width, as they are meant to.
public struct CoordinateCheck {
  /// What the model's width is multiplied by.
  public static let factors = [1.0, 2, 4]
  /// A rate at which five steps change much, and widths from 64 on are wide already: at higher ones those are not.
  public static let usualRate = 0.003
  /// The largest slope, up or down, that counts as flat. From a width of 64 on slopes of muP stray by two tenths at the usual rate; without it
  /// they are from nine tenths on.
  public static let tolerance = 0.3
  /// Steps of training.
  public static let steps = 5
  private static let seeds: [UInt64] = [1, 2, 3]
  private static let (batch, longest) = (4, 32)

  /// A quantity over widths.
  public struct Line: Sendable {
    /// What it is: `embedding`, `layer 0`, `logits`.
    public let name: String
    /// Its mean change at each width.
    public let changes: [Double]
    /// The slope of their logarithms over those of the widths.
    public let slope: Double
    /// Whether that is flat.
    public var isFlat: Bool { abs(slope) <= CoordinateCheck.tolerance }
  }

  /// The widths of the residual stream.
  public let widths: [Int]
  /// The quantities, from the embedding on.
  public let lines: [Line]
  /// Whether all are flat.
  public var isFlat: Bool { lines.allSatisfy(\.isFlat) }

  /// Trains `architecture` and its wider siblings for some steps at `rate`, on tokens made from a seed. Throws what is wrong with
  /// a sibling, and where memory is short.
  public init(
    _ architecture: Architecture, _ specifications: SpecificationLoader, _ composer: Composer, rate: Double,
    pool: ThreadPool
  ) throws {
    let plans = try Self.factors.map { factor in
      let patch = try WidthScaling(factor: factor).patch(of: architecture.resolved, at: nil)
      let sibling = try specifications.load(
        architecture.resolved.merging(patch), named: architecture.name)
      return try composer.compose(sibling)
    }
    widths = plans.map(\.shape.hiddenSize)
    let each = try plans.map { plan in try Self.changes(plan, composer.registry, rate, pool) }
    lines = each[0].indices.map { place in
      let changes = each.map { $0[place].change }
      return Line(
        name: each[0][place].name, changes: changes, slope: Self.slope(changes, over: plans.map(\.shape.hiddenSize)))
    }
  }

  /// The least-squares slope of ln `changes` over ln `widths`.
  static func slope(_ changes: [Double], over widths: [Int]) -> Double {
    let points = zip(widths, changes).map { (x: log(Double($0)), y: log(max($1, 1e-300))) }
    let (x, y) = (
      points.reduce(0) { $0 + $1.x } / Double(points.count), points.reduce(0) { $0 + $1.y } / Double(points.count)
    )
    let (above, below) = points.reduce((0.0, 0.0)) { ($0.0 + ($1.x - x) * ($1.y - y), $0.1 + ($1.x - x) * ($1.x - x)) }
    return above / below
  }

  /// The mean change of each quantity of `plan`, over seeds.
  private static func changes(
    _ plan: Plan, _ registry: Registry, _ rate: Double, _ pool: ThreadPool
  ) throws -> [(name: String, change: Double)] {
    var sums: [(name: String, change: Double)] = []
    for seed in seeds {
      var settings = TrainingSettings(registry, inStudy: false)
      let length = min(longest, plan.shape.contextLength, plan.longestSequence ?? longest)
      // The first steps of a run so long that its rate has hardly changed by then, whatever its schedule.
      (settings.steps, settings.batch, settings.context, settings.warmup) = (1 << 30, batch, length, 0)
      (settings.rate, settings.seed, settings.threads, settings.clip) = (rate, seed, pool.threads, 0)
      try MemoryNeed(plan, settings).check()
      let random = CounterRandom(seed: seed, stream: 0)
      let windows = (0..<UInt64(batch)).map { row in
        (0...UInt64(length)).map { random.below(plan.shape.vocabSize, at: row << 32 + $0) }
      }
      let batch = Batch(windows: windows)
      let trainer = try Trainer(
        plan, Parameters(plan, seed: seed), settings, validation: nil, pool: pool
      ) { _ in batch }
      let before = try quantities(trainer, batch)
      for _ in 0..<steps { _ = try trainer.advance() }
      let after = try quantities(trainer, batch)
      let own = zip(before, after).map { old, new in
        (
          name: old.name,
          change: zip(old.numbers, new.numbers).reduce(0) { $0 + Double(abs($1.0 - $1.1)) }
            / Double(max(1, old.numbers.count))
        )
      }
      sums = sums.isEmpty ? own : zip(sums, own).map { ($0.name, $0.change + $1.change) }
    }
    return sums.map { ($0.name, $0.change / Double(seeds.count)) }
  }

  /// What the residual stream begins with, what it is after each layer, and the logits.
  private static func quantities(
    _ trainer: Trainer, _ batch: Batch
  ) throws -> [(name: String, numbers: [Float])] {
    var embedding: [Float] = []
    var layers: [Int: [Float]] = [:]
    var logits: [Float] = []
    let wanted = trainer.executor.plan.logits
    // By its values: a pass may have joined the add to what comes before it.
    var stream: [Value: Int] = [:]
    for step in trainer.plan.steps where step.role == .residualAdd {
      if let layer = step.scope.layer, let value = step.outputs.first { stream[value] = layer }
    }
    trainer.executor.observer = { step, _, context in
      guard let output = step.outputs.first else { return }
      func numbers() -> [Float] {
        let rows = context.output()
        return (0..<rows.count).flatMap { row in (0..<rows.width).map { rows[row][$0] } }
      }
      if output == wanted { logits += numbers() }
      if step.role == .embedding { embedding = numbers() }
      if let layer = stream[output] { layers[layer] = numbers() }
    }
    defer { trainer.executor.observer = nil }
    _ = try trainer.executor.loss(batch.inputs, targets: batch.targets)
    return [("embedding", embedding)] + layers.sorted { $0.key < $1.key }.map { ("layer \($0.key)", $0.value) }
      + [("logits", logits)]
  }
}
