import Kernels
import Plans

/// One matrix or several applied to every row, each with a bias of its own or none.
///
///     y_i = x·W_iᵀ + b_i  (+ a)        x: [rows, in], W_i: [out_i, in], b_i: [out_i], a: [rows, out]
///
/// Weights keep their stored format; sums are in `Float`. With several matrices there is an output for each. A single
/// one may add to a second input: the residual stream.
public struct Linear: Kernel {
  /// For each matrix, whether the tensor after it is its bias.
  let biases: [Bool]
  /// Whether the second input is added to the only output.
  let addsInput: Bool

  /// A matrix, with a bias or without.
  public init(bias: Bool) {
    self.init(biases: [bias], addsInput: false)
  }

  private init(biases: [Bool], addsInput: Bool) {
    self.biases = biases
    self.addsInput = addsInput
  }

  public var name: String { addsInput ? "linear add" : "linear" }
  // The names of the tensors show biases.
  public var attributes: [Attribute] { [Attribute("bias", biases, plain: biases)] }
  public var traits: OperatorTraits {
    OperatorTraits(
      isRowwise: true, overwritableInput: addsInput ? 1 : nil, backwardReadsInputs: .only([0]), assignsGradients: true,
      overwritableGradient: addsInput ? 1 : nil)
  }

  public func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    biases.indices.map { inputs[0].with(width: parameters[tensor(of: $0)][0]) }
  }

  public func joined(with other: any Operator) -> (any Operator)? {
    guard let other = other as? Linear, !addsInput, !other.addsInput else { return nil }
    return Linear(biases: biases + other.biases, addsInput: false)
  }

  public func followed(by next: any Operator, readingAt index: Int) -> (any Operator)? {
    guard let sum = next as? Add, sum.alpha == 1, sum.beta == 1, biases.count == 1, !addsInput else { return nil }
    return Linear(biases: biases, addsInput: true)
  }

  /// The index among the step's tensors of matrix `index`.
  private func tensor(of index: Int) -> Int { index + biases[..<index].count { $0 } }

  public func forward(_ context: ForwardContext) {
    let x = context.input()
    if addsInput {
      let (a, y) = (context.input(1), context.output())
      if a.base != y.base { y.base.update(from: a.base, count: a.count * a.width) }
    }
    withUnsafeTemporaryAllocation(of: Matmul.self, capacity: biases.count) { matmuls in
      for index in biases.indices {
        let y = context.output(index)
        let tensor = self.tensor(of: index)
        matmuls.initializeElement(
          at: index,
          to: Matmul(
            by: context.parameter(tensor).matrix, bias: biases[index] ? context.parameter(tensor + 1).vector : nil,
            into: y.base, stride: y.width))
      }
      matmul(
        x.base, stride: x.width, rows: x.count, by: UnsafeBufferPointer(matmuls), accumulate: addsInput,
        in: context.computeType, pool: context.pool)
    }
  }

  /// `dx += Σ dy_i·W_i`, `dW_i += dy_iᵀ·x`, `db_i += Σ dy_i`, `da += dy`.
  public func backward(_ context: BackwardContext) {
    for index in biases.indices {
      let dy = context.outputGradient(index)
      let tensor = self.tensor(of: index)
      if let dx = context.inputGradient() {
        matmulTransposed(
          dy.base, rows: dy.count, by: context.parameter(tensor).matrix, into: dx.base,
          accumulate: context.addsToInputGradient() || index > 0, in: context.computeType, pool: context.pool)
      }
      if let dw = context.parameterGradient(tensor) {
        let x = context.input()
        matmulOuter(
          dy.base, outputs: dy.width, x.base, inputs: x.width, rows: dy.count, into: dw,
          accumulate: context.addsToParameterGradient(tensor), in: context.computeType, pool: context.pool)
      }
      if biases[index], let db = context.parameterGradient(tensor + 1) {
        sumRows(
          dy.base, rows: dy.count, columns: dy.width, into: db,
          accumulate: context.addsToParameterGradient(tensor + 1), pool: context.pool)
      }
    }
    if addsInput { context.passGradient(to: 1) }
  }

  public func flops(step: Step, context: Int) -> Int {
    zip(step.outputs, biases).reduce(0) { sum, output in
      sum + 2 * step.inputs[0].width * output.0.width + (output.1 ? output.0.width : 0)
    } + (addsInput ? step.outputs[0].width : 0)
  }
}

extension PlanBuilder {
  /// Writes a matrix to `width` numbers a row, named `name`, with a bias when `bias` says so.
  public mutating func linear(_ x: Value, to width: Int, named name: String, bias: Bool = false) -> Value {
    var tensors = [
      parameter("\(name).weight", shape: [width, x.width], starts: .normal(0.02))
    ]
    if bias { tensors.append(parameter("\(name).bias", shape: [width], starts: .zeros)) }
    return apply(Linear(bias: bias), to: x, parameters: tensors)
  }
}
