import Components
import Execution
import Files
import Kernels
import Plans
import Training

extension ExportVerification {
  /// What this program computes of a model, for another to be compared with.
  struct Cases {
    private(set) var document = JSONObject()
    private(set) var tensors: [StoredTensor] = []

    init(
      _ plan: Plan, _ parameters: Parameters, _ exported: ExportedFolder, pool: ThreadPool, training: Bool,
      optimizer: any Optimizer
    ) throws {
      let texts = Self.texts(plan)
      document["texts"] = .array(texts.map { .array($0.map { .integer($0) }) })
      for (number, tokens) in texts.enumerated() {
        let logits = try Self.logits(plan, parameters, [tokens], pool)
        tensors.append(
          StoredTensor(name: "logits.\(number)", shape: [tokens.count, plan.logits.width], numbers: logits))
        guard plan.longestTextInParts.map({ $0 < tokens.count }) ?? false || !plan.recomputationLengths.isEmpty else {
          continue
        }
        // What goes by the text's length is another number token by token.
        for first in Set([1, tokens.count / 2]) where first > 0 && first < tokens.count {
          let logits = try Self.logits(plan, parameters, Self.parts(tokens, first: first), pool)
          tensors.append(
            StoredTensor(name: "cached.\(number).\(first)", shape: [tokens.count, plan.logits.width], numbers: logits))
        }
      }
      var starts = JSONObject()
      for (tensor, name) in zip(plan.parameters, exported.tensorNames) where !exported.isOfLibrary {
        let (mean, spread) = Self.spread(tensor.initialization)
        starts[name] = .array([.number(mean), .number(spread)])
      }
      document["starts"] = .object(starts)
      if training { try addTraining(plan, parameters, exported, pool, optimizer) }
    }

    /// Texts of several lengths, within what the model takes.
    private static func texts(_ plan: Plan) -> [[Int]] {
      let most = min(plan.longestSequence ?? Int.max, 256)
      var lengths = [1, 2, 7, 33]
      // Beyond a window, and beyond a length at which angles change.
      let windows = plan.states.compactMap { if case .window(let window) = $0.extent { window } else { nil } }
      let borders = plan.recomputationLengths + [plan.longestTextInParts].compactMap { $0 }
      lengths += (windows + borders).map { $0 + 5 }
      return Set(lengths.filter { $0 <= most }).sorted().map { length in
        (0..<length).map { ($0 * 7919 + 13 * length) % plan.shape.vocabSize }
      }
    }

    /// `tokens` in the parts in which the other side computes them.
    private static func parts(_ tokens: [Int], first: Int) -> [[Int]] {
      var parts: [[Int]] = []
      var done = 0
      while done < tokens.count {
        let left = tokens.count - done
        let count = done == 0 ? first : left > 3 || left == 1 ? 1 : left
        parts.append(Array(tokens[done..<done + count]))
        done += count
      }
      return parts
    }

    private static func logits(_ plan: Plan, _ parameters: Parameters, _ parts: [[Int]], _ pool: ThreadPool) throws
      -> [Float]
    {
      let executor = try PlanExecutor(
        plan, parameters, pool: pool, maximumRows: 64, states: .f32, fusing: true, computeType: .f32)
      let sequence = try executor.openSequence(length: parts.reduce(0) { $0 + $1.count })
      var logits: [Float] = []
      for part in parts { try executor.forward([(sequence, part)], logits: .all) { _, _, row in logits += row } }
      return logits
    }

    /// The mean of a tensor at its start, and its standard deviation.
    private static func spread(_ start: PlannedTensor.Initialization) -> (mean: Double, spread: Double) {
      switch start {
      case .zeros: return (0, 0)
      case .constant(let value): return (value, 0)
      case .normal(let deviation): return (0, deviation)
      case .uniform(let limit): return (0, limit / 3.0.squareRoot())
      case .each(let values):
        let mean = values.reduce(0, +) / Double(max(1, values.count))
        let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count))
        return (mean, square.squareRoot())
      }
    }

    private mutating func addTraining(
      _ plan: Plan, _ given: Parameters, _ exported: ExportedFolder, _ pool: ThreadPool, _ optimizer: any Optimizer
    ) throws {
      let parameters = try Parameters(plan, copying: given)
      let length = min(16, plan.longestSequence ?? 16)
      let rows = (0..<3).map { row in (0..<length).map { ($0 * 31 + row * 17 + 5) % plan.shape.vocabSize } }
      var targets = rows.map { Array($0.dropFirst()) + [-1] }
      targets[0][0] = -1
      let executor = try GradientExecutor(
        plan, parameters, pool: pool, rows: rows.count * length,
        options: TrainingOptions(precision: .f32))
      let moments = try plan.parameters.map { tensor in
        try optimizer.moments(of: tensor).map { _ in try Floats(count: tensor.count) }
      }
      var losses: [Double] = []
      for step in 1...10 {
        executor.clearGradients()
        losses.append(try executor.trainingLoss(rows, targets: targets))
        for (index, tensor) in plan.parameters.enumerated() {
          let gradient = executor.gradient(index)
          if step == 1 {
            tensors.append(
              StoredTensor(
                name: "grad.\(exported.tensorNames[index])", shape: tensor.shape, numbers: Array(gradient)))
          }
          guard let numbers = parameters.mutable(index)?.baseAddress, let base = gradient.baseAddress else { continue }
          optimizer.update(
            TensorUpdate(
              tensor: tensor, parameters: numbers, gradients: base, moments: moments[index].map(\.base), step: step,
              rate: 1e-3, gradientScale: 1, pool: pool))
        }
      }
      losses.append(try executor.loss(rows, targets: targets))
      document["batch"] = .array(rows.map { .array($0.map { .integer($0) }) })
      document["targets"] = .array(targets.map { .array($0.map { .integer($0) }) })
      document["losses"] = .array(losses.map { .number($0) })
    }
  }
}
