import Components
import Kernels

extension MoE {
  /// How many experts there are, and how many a token has.
  struct Experts {
    let count: Int
    let chosen: Int
    /// Whether a choice may be −1, of no expert, whose result is zero.
    var mayBeNone = false

    /// Each token's experts' matrices `name`: a value with `width` numbers for each; nobody has the `spare` ones after them.
    func linear(
      _ x: Value, _ choice: Value, to width: Int, named name: String, each: Bool, bias: Bool = false,
      spare: Int = 0, into plan: inout PlanBuilder
    ) -> Value {
      let inputs = each ? x.width / chosen : x.width
      var tensors = [
        plan.parameter(
          "experts.*.\(name).weight", shape: [count + spare, width, inputs], starts: .normal(0.02), chosen: chosen)
      ]
      if bias {
        tensors.append(
          plan.parameter(
            "experts.*.\(name).bias", shape: [count + spare, width], starts: .zeros, use: .vector, chosen: chosen))
      }
      return plan.apply(
        ExpertLinear(experts: count, chosen: chosen, each: each, biases: [bias], mayBeNone: mayBeNone), to: x, choice,
        parameters: tensors)
    }
  }

  /// The matrices of each row's chosen experts, one or several with the same input.
  ///
  ///     y_i[t, j] = x·W_i[e]ᵀ + b_i[e],   e = choice[t, j],  x = x[t], or x[t, j] when each choice has its own input
  ///
  /// x: [rows, in] or [rows, chosen·in], choice: [rows, chosen], W_i: [experts, out_i, in], y_i: [rows, chosen·out_i].
  /// The rows of one expert are gathered and multiplied at once, so that a prompt reads each expert's matrix once; a
  /// single row is multiplied where it lies, and reads its experts' matrices only.
  struct ExpertLinear: Kernel {
    let experts: Int
    let chosen: Int
    /// Whether every choice of a row has an input of its own.
    let each: Bool
    /// For each matrix, whether the tensor after it is its bias.
    let biases: [Bool]
    /// Whether a choice may be −1, of no expert, whose result is zero.
    var mayBeNone = false

    let name = "experts"

    func joined(with other: any Operator) -> (any Operator)? {
      guard let other = other as? ExpertLinear, other.experts == experts, other.chosen == chosen, other.each == each,
        other.mayBeNone == mayBeNone
      else { return nil }
      return ExpertLinear(
        experts: experts, chosen: chosen, each: each, biases: biases + other.biases,
        mayBeNone: mayBeNone)
    }

    private func tensor(of index: Int) -> Int { index + biases[..<index].count { $0 } }

    var attributes: [Attribute] {
      [
        Attribute("experts", experts),
        Attribute("top_k", chosen),
        Attribute("own_inputs", each, plain: each),
        Attribute("bias", biases, plain: biases),
        Attribute("may_be_none", mayBeNone, plain: false),
      ]
    }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
      biases.indices.map { inputs[0].with(width: chosen * parameters[tensor(of: $0)][1]) }
    }

    func forward(_ context: ForwardContext) {
      let (x, choice) = (context.input(0), context.input(1))
      if mayBeNone { clear(choice, context) }
      if x.count == 1 { return one(x, choice, context) }
      let inputs = each ? x.width / chosen : x.width
      let groups = ExpertGroups(choice, experts: experts, chosen: chosen, in: context.sharedScratch)
      let gathered = context.sharedScratch + groups.floats
      for expert in 0..<experts {
        let members = groups[expert]
        guard !members.isEmpty else { continue }
        let rows = gathered
        context.parallel(members.count, grain: elementwiseGrain(inputs)) { own, _ in
          for i in own { (rows + i * inputs).update(from: input(x, inputs, members[i]), count: inputs) }
        }
        var next = gathered + members.count * inputs
        withUnsafeTemporaryAllocation(of: Matmul.self, capacity: biases.count) { matmuls in
          for index in biases.indices {
            let width = context.output(index).width / chosen
            matmuls.initializeElement(at: index, to: matmul(index, expert, into: next, stride: width, context))
            next += members.count * width
          }
          multiply(gathered, inputs, rows: members.count, by: UnsafeBufferPointer(matmuls), context)
          for index in biases.indices {
            let y = context.output(index)
            let (width, own) = (matmuls[index].stride, matmuls[index].output)
            context.parallel(members.count, grain: elementwiseGrain(width)) { rows, _ in
              for i in rows { (y.base + Int(members[i]) * width).update(from: own + i * width, count: width) }
            }
          }
        }
      }
    }

    /// Zeros where a choice is of no expert.
    private func clear(_ choice: Rows, _ context: ForwardContext) {
      for index in biases.indices {
        let y = context.output(index)
        let width = y.width / chosen
        for i in 0..<choice.count * chosen where choice.base[i] < 0 {
          (y.base + i * width).update(repeating: 0, count: width)
        }
      }
    }

    /// A single row: all matmuls of one input at once, written where they belong.
    private func one(_ x: Rows, _ choice: Rows, _ context: ForwardContext) {
      let inputs = each ? x.width / chosen : x.width
      withUnsafeTemporaryAllocation(of: Matmul.self, capacity: chosen * biases.count) { matmuls in
        var next = 0
        for rank in 0..<chosen where choice[0][rank] >= 0 {
          for index in biases.indices {
            let y = context.output(index)
            let width = y.width / chosen
            let expert = Int(choice[0][rank])
            matmuls.initializeElement(
              at: next, to: matmul(index, expert, into: y.base + rank * width, stride: width, context))
            next += 1
          }
        }
        let all = UnsafeBufferPointer(rebasing: matmuls[..<next])
        guard each else {
          if next > 0 { multiply(x.base, inputs, rows: 1, by: all, context) }
          return
        }
        next = 0
        for rank in 0..<chosen where choice[0][rank] >= 0 {
          let own = UnsafeBufferPointer(rebasing: all[next..<next + biases.count])
          multiply(x.base + rank * inputs, inputs, rows: 1, by: own, context)
          next += biases.count
        }
      }
    }

    private func multiply(
      _ x: UnsafePointer<Float>, _ inputs: Int, rows: Int, by matmuls: UnsafeBufferPointer<Matmul>,
      _ context: ForwardContext
    ) {
      Kernels.matmul(
        x, stride: inputs, rows: rows, by: matmuls, accumulate: false, in: context.computeType, pool: context.pool)
    }

    private func matmul(
      _ index: Int, _ expert: Int, into y: UnsafeMutablePointer<Float>, stride: Int, _ context: ForwardContext
    ) -> Matmul {
      let tensor = self.tensor(of: index)
      let matrix = context.parameter(tensor).member(expert)
      let bias = biases[index] ? context.parameter(tensor + 1).vector + expert * matrix.rows : nil
      return Matmul(by: matrix, bias: bias, into: y, stride: stride)
    }

    /// Where the input of the choice numbered `number`, row · chosen + rank, lies.
    private func input(_ x: Rows, _ inputs: Int, _ number: Int32) -> UnsafePointer<Float> {
      x.base + (each ? Int(number) : Int(number) / chosen) * inputs
    }

    /// For the rows of each expert e: `dx += Σ dy_i·W_i[e]`, `dW_i[e] += dy_iᵀ·x`, `db_i[e] += Σ dy_i`.
    func backward(_ context: BackwardContext) {
      let (x, choice, dx) = (context.input(0), context.input(1), context.inputGradient(0))
      let inputs = each ? x.width / chosen : x.width
      let groups = ExpertGroups(choice, experts: experts, chosen: chosen, in: context.sharedScratch)
      let gathered = context.sharedScratch + groups.floats
      for expert in 0..<experts {
        let members = groups[expert]
        guard !members.isEmpty else { continue }
        let (xs, dxs) = (gathered, gathered + members.count * inputs)
        let dys = dxs + members.count * inputs
        for (i, number) in members.enumerated() {
          (xs + i * inputs).update(from: input(x, inputs, number), count: inputs)
        }
        for index in biases.indices {
          let dy = context.outputGradient(index)
          let width = dy.width / chosen
          let tensor = self.tensor(of: index)
          for (i, number) in members.enumerated() {
            (dys + i * width).update(from: dy.base + Int(number) * width, count: width)
          }
          if dx != nil {
            matmulTransposed(
              dys, rows: members.count, by: context.parameter(tensor).member(expert), into: dxs, accumulate: index > 0,
              in: context.computeType, pool: context.pool)
          }
          if let dw = context.parameterGradient(tensor) {
            matmulOuter(
              dys, outputs: width, xs, inputs: inputs, rows: members.count, into: dw + expert * width * inputs,
              accumulate: true, in: context.computeType, pool: context.pool)
          }
          if biases[index], let db = context.parameterGradient(tensor + 1) {
            sumRows(
              dys, rows: members.count, columns: width, into: db + expert * width, accumulate: true, pool: context.pool)
          }
        }
        guard let dx else { continue }
        for (i, number) in members.enumerated() {
          let target = dx.base + (each ? Int(number) : Int(number) / chosen) * inputs
          add(dxs + i * inputs, scaledBy: 1, to: target, count: inputs)
        }
      }
    }

    func flops(step: Step, context: Int) -> Int {
      let inputs = each ? step.inputs[0].width / chosen : step.inputs[0].width
      return zip(step.outputs, biases).reduce(0) { $0 + 2 * inputs * $1.0.width + ($1.1 ? $1.0.width : 0) }
    }

    func sharedScratch(step: Step, rows: Int) -> Int {
      let inputs = each ? step.inputs[0].width / chosen : step.inputs[0].width
      let outputs = step.outputs.reduce(0) { $0 + $1.width / chosen }
      return ExpertGroups.floats(rows: rows, experts: experts, chosen: chosen) + rows * (2 * inputs + outputs)
    }
  }

  /// The choices of a pass by expert: for each expert the numbers of its choices, row · chosen + rank, in order.
  struct ExpertGroups {
    private let starts: UnsafeMutablePointer<Int32>  // [experts + 1]
    private let numbers: UnsafeMutablePointer<Int32>  // [rows · chosen]
    /// Floats of memory that it takes.
    let floats: Int

    static func floats(rows: Int, experts: Int, chosen: Int) -> Int { (rows * chosen + experts + 1 + 15) / 16 * 16 }

    /// Sorts the rows of `choice` in `memory`.
    init(_ choice: Rows, experts: Int, chosen: Int, in memory: UnsafeMutablePointer<Float>) {
      let count = choice.count * chosen
      floats = Self.floats(rows: choice.count, experts: experts, chosen: chosen)
      starts = UnsafeMutableRawPointer(memory).bindMemory(to: Int32.self, capacity: floats)
      numbers = starts + experts + 1
      starts.initialize(repeating: 0, count: experts + 1)
      for i in 0..<count where choice.base[i] >= 0 { starts[Int(choice.base[i]) + 1] += 1 }
      for expert in 0..<experts { starts[expert + 1] += starts[expert] }
      // Each start moves on while its expert's numbers are placed, and ends as the next one's.
      for i in 0..<count where choice.base[i] >= 0 {
        let expert = Int(choice.base[i])
        numbers[Int(starts[expert])] = Int32(truncatingIfNeeded: i)
        starts[expert] += 1
      }
      for expert in stride(from: experts, to: 0, by: -1) { starts[expert] = starts[expert - 1] }
      starts[0] = 0
    }

    subscript(expert: Int) -> UnsafeBufferPointer<Int32> {
      UnsafeBufferPointer(start: numbers + Int(starts[expert]), count: Int(starts[expert + 1] - starts[expert]))
    }
  }
}
