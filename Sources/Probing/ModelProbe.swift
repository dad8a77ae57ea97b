import Components
import Execution
import Kernels
import Models

/// Runs a model step by step as it was composed, so that what any step gives can be read and replaced by its name.
///
/// Nobody else pays for it: an executor that nobody watches does not ask. Steps are not joined here, so results may differ from
/// those of `chimera run` in their last bits.
public final class ModelProbe {
  /// What has a name.
  public let map: ProbeMap
  private let executor: PlanExecutor
  private let parameters: Parameters
  private let pool: ThreadPool

  /// A probe of `plan` with `parameters`, for texts of up to `tokens` tokens where a text is computed at once.
  public init(
    _ plan: Plan, _ parameters: Parameters, tokens: Int, pool: ThreadPool, computeType: ComputeType
  ) throws(ExecutionProblem) {
    executor = try PlanExecutor(
      plan, parameters, pool: pool, maximumRows: plan.seesWholeTexts ? max(256, tokens) : 256, states: .f32,
      fusing: false, computeType: computeType)
    self.parameters = parameters
    self.pool = pool
    map = ProbeMap(executor.plan)
  }

  /// A probe of `model`.
  public convenience init(
    _ model: LoadedModel, tokens: Int, pool: ThreadPool, computeType: ComputeType
  ) throws(ExecutionProblem) {
    try self.init(model.description.plan, model.parameters, tokens: tokens, pool: pool, computeType: computeType)
  }

  /// What runs beside a pass.
  typealias Row = (_ position: Int, _ row: UnsafeBufferPointer<Float>) throws -> Void

  /// Computes `tokens` with `changes`, hands out each position's logits, and gives what stood at the sites `recording`.
  ///
  /// Throws `ModelProblem` at the first logits that are no numbers.
  func run(
    _ tokens: [Int], recording: [ProbeSite] = [], changing changes: [SiteChange] = [],
    beside others: [any PassWatcher] = [], _ each: Row = { _, _ in }
  ) throws -> [ProbeSite: RecordedRows] {
    let watcher = ProbeWatcher(map.plan, recording: recording, changing: changes)
    executor.watch(Watchers([watcher] + others))
    defer { executor.watch(nil) }
    let sequence = try executor.openSequence(length: tokens.count)
    try executor.forward([(sequence, tokens)], logits: .all) { _, position, row in
      if row.contains(where: \.isNaN) { throw ModelProblem.notANumber(tokens: position + 1) }
      try each(position, row)
    }
    return watcher.rows
  }

  /// The values, heads, sublayers, layers and attention weights that `patterns` name, of a pass over `tokens` with `changes`.
  ///
  /// Throws `ProbeProblem` for a name that nothing has.
  public func record(
    _ patterns: [String], of tokens: [Int], changing changes: PreparedChanges = .none
  ) throws -> [(name: String, shape: [Int], numbers: [Float])] {
    var (values, seen): ([ProbedPart], Set<String>) = ([], [])
    var weights: [(name: String, step: Int)] = []
    for pattern in patterns {
      for value in try map.values(named: pattern) where seen.insert(value.name).inserted { values.append(value) }
      for step in map.attentionSteps(named: pattern) where seen.insert(step.name).inserted { weights.append(step) }
    }
    let attention = AttentionWeights(map.plan, parameters, weights.map(\.step))
    let rows = try run(
      tokens, recording: values.flatMap(\.sites), changing: changes.list, beside: weights.isEmpty ? [] : [attention])
    var recorded: [(name: String, shape: [Int], numbers: [Float])] = values.flatMap { value in
      value.sites.enumerated().map { index, site in
        let own = rows[site] ?? RecordedRows(width: site.columns.count)
        return (
          value.sites.count == 1 ? value.name : "\(value.name).\(index + 1)", [own.count, own.width], own.numbers
        )
      }
    }
    for (name, step) in weights {
      let (heads, numbers) = try attention.weights(of: step, tokens: tokens.count, pool: pool)
      recorded.append((name, [heads, tokens.count, tokens.count], numbers))
    }
    return recorded
  }

  /// What the head makes of the residual stream before the layers and behind each: for each of those, by name, each position's logits,
  /// as they come.
  ///
  /// nostalgebraist, 2020, https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru. The final norm is that of the last layer's stream, applied
  /// to each. Throws `ProbeProblem.noLens` where the logits tell of no tokens.
  public func lens(
    _ tokens: [Int], changing changes: PreparedChanges = .none,
    _ each: (_ name: String, _ position: Int, _ logits: UnsafeBufferPointer<Float>) -> Void
  ) throws {
    try withoutActuallyEscaping(each) { each in
      guard let lens = LogitLens(map, each) else { throw ProbeProblem.noLens(map.plan.name) }
      _ = try run(tokens, changing: changes.list, beside: [lens])
      lens.end()
    }
  }
}
