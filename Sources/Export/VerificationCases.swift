import Components
import Execution
import Files
import Kernels
import Operators
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
      let inputs = try ComparedInputs(plan, parameters, pool: pool)
      let lengths = Self.lengths(plan)
      let texts =
        exported.isOfLibrary
        ? lengths.map { ComparedText(tokens: Self.tokens($0, plan)) }
        : try inputs.texts(lengths) { Self.tokens($0, plan) }
      document["texts"] = .array(
        texts.map { text -> JSONValue in plan.readsTokens ? .array(text.tokens.map { .integer($0) }) : .null })
      var (firsts, given): ([JSONValue], [JSONValue]) = ([], [])
      for (number, text) in texts.enumerated() {
        let tokens = text.tokens
        let logits = try Self.logits(inputs.plan, parameters, [tokens], text, pool)
        let shape = plan.prediction == .classes ? [plan.logits.width] : [tokens.count, plan.logits.width]
        tensors.append(StoredTensor(name: "logits.\(number)", shape: shape, numbers: logits))
        let parts = Set([text.leastTogether, max(text.leastTogether, tokens.count / 2)]).sorted()
          .filter { $0 < tokens.count }
        firsts.append(.array(parts.map { .integer($0) }))
        given.append(.object(add(text.arguments, to: "given.\(number)")))
        guard plan.longestTextInParts.map({ $0 < tokens.count }) ?? false || !plan.recomputationLengths.isEmpty else {
          continue
        }
        // What goes by the text's length is another number token by token.
        for first in parts {
          let logits = try Self.logits(inputs.plan, parameters, Self.parts(tokens, first: first), text, pool)
          tensors.append(
            StoredTensor(name: "cached.\(number).\(first)", shape: [tokens.count, plan.logits.width], numbers: logits))
        }
      }
      document["firsts"] = .array(firsts)
      document["given"] = .array(given)
      var starts = JSONObject()
      for (tensor, name) in zip(plan.parameters, exported.tensorNames) where !exported.isOfLibrary {
        let (mean, spread) = Self.spread(tensor.initialization)
        starts[name] = .array([.number(mean), .number(spread)])
      }
      document["starts"] = .object(starts)
      if training, inputs.hasLoss { try addTraining(plan, parameters, exported, inputs, pool, optimizer) }
    }

    /// Adds `arguments` to the tensors, below `name`; gives what each is, by its name.
    private mutating func add(_ arguments: [ComparedText.Argument], to name: String) -> JSONObject {
      var kinds = JSONObject()
      for argument in arguments {
        kinds[argument.name] = .string(argument.kind.rawValue)
        tensors.append(
          StoredTensor(name: "\(name).\(argument.name)", shape: argument.shape, numbers: argument.numbers))
      }
      return kinds
    }

    /// The lengths of texts, within what the model takes.
    private static func lengths(_ plan: Plan) -> [Int] {
      let most = min(plan.longestSequence ?? Int.max, 256)
      var lengths = [1, 2, 7, 33]
      // Beyond a window, and beyond a length at which angles change.
      let windows = plan.states.compactMap { if case .window(let window) = $0.extent { window } else { nil } }
      let borders = plan.recomputationLengths + [plan.longestTextInParts].compactMap { $0 }
      lengths += (windows + borders).map { $0 + 5 }
      // A token that stands twice has equal keys where no positions are told, and which of equal ones is chosen rounding decides:
      // where keys are chosen, no token stands twice.
      if plan.steps.contains(where: { ($0.operation as? Attend)?.choice != nil }) {
        lengths = lengths.map { min($0, plan.shape.vocabSize) }
      }
      return Set(lengths.filter { $0 <= most }).sorted()
    }

    /// A text of `length` tokens.
    private static func tokens(_ length: Int, _ plan: Plan) -> [Int] {
      (0..<length).map { ($0 * 7919 + 13 * length) % plan.shape.vocabSize }
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

    private static func logits(
      _ plan: Plan, _ parameters: Parameters, _ parts: [[Int]], _ text: ComparedText, _ pool: ThreadPool
    ) throws -> [Float] {
      let count = parts.reduce(0) { $0 + $1.count }
      // What is given beside a text is computed at once, and so are texts whose tokens see all others.
      let rows = plan.seesWholeTexts || !text.beside.isEmpty ? max(256, count) : 64
      let executor = try PlanExecutor(
        plan, parameters, pool: pool, maximumRows: rows, states: .f32, fusing: true, computeType: .f32)
      let sequence = try executor.openSequence(
        length: count, prefix: text.prefix, second: text.second, together: text.together)
      var logits: [Float] = []
      for (index, part) in parts.enumerated() {
        let beside = index == 0 && !text.beside.isEmpty ? [text.beside] : []
        try executor.forward(
          [(sequence, part)], beside: beside, logits: plan.prediction == .classes ? .first : .all
        ) { _, _, row in logits += row }
      }
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
      _ plan: Plan, _ given: Parameters, _ exported: ExportedFolder, _ inputs: ComparedInputs, _ pool: ThreadPool,
      _ optimizer: any Optimizer
    ) throws {
      let parameters = try Parameters(plan, copying: given)
      let length = min(16, plan.longestSequence ?? 16)
      let (texts, arguments) = inputs.batch(
        (0..<3).map { row in (0..<length).map { ($0 * 31 + row * 17 + 5) % plan.shape.vocabSize } })
      let rows = texts.map(\.tokens)
      let beside = inputs.isTextAlone ? [] : texts.map(\.beside)
      let prefixes = plan.lets(.prompt) ? texts.map(\.prefix) : []
      var targets = rows.map { Array($0.dropFirst()) + [-1] }
      targets[0][0] = -1
      let executor = try GradientExecutor(
        plan, parameters, pool: pool, rows: rows.count * inputs.longestRow(texts, otherwise: length),
        options: TrainingOptions(precision: .f32))
      let moments = try plan.parameters.map { tensor in
        try optimizer.moments(of: tensor).map { _ in try Floats(count: tensor.count) }
      }
      var losses: [Double] = []
      for step in 1...10 {
        executor.clearGradients()
        losses.append(try executor.trainingLoss(rows, targets: targets, beside: beside, prefixes: prefixes))
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
      losses.append(try executor.loss(rows, targets: targets, beside: beside, prefixes: prefixes))
      document["batch"] = .array(rows.map { .array($0.map { .integer($0) }) })
      document["targets"] = .array(targets.map { .array($0.map { .integer($0) }) })
      document["besides"] = .object(add(arguments, to: "batch"))
      document["losses"] = .array(losses.map { .number($0) })
    }
  }
}
