import Components
import Kernels

/// Momentum whose matrices are made orthogonal, for the matrices inside the layers; the rest is AdamW's.
///
///     m ← β·m + (1 − β)·g;  u = (1 − β)·g + β·m with nesterov, else m;   O ≈ UVᵀ of u = UΣVᵀ
///     p ← (1 − rate·weight_decay)·p − rate·√max(1, rows / columns)·O
///
/// O by `iterations` of X ← a·X + (b·G + c·G²)·X, G = X·Xᵀ, from X = u / ‖u‖, with a, b, c = 3.4445, −4.775, 2.0315.
/// Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/; the forms are those of torch.optim.Muon.
/// Embeddings, the head, norms and biases go to AdamW at `rest_rate` times the learning rate. In f32, not in bf16.
/// A tensor of more than two axes is a stack of matrices.
public struct Muon: Optimizer {
  public static let name = "muon"
  public static let defaultLearningRate = 0.02

  let momentum: Double
  let nesterov: Bool
  let weightDecay: Double
  let iterations: Int
  let restRate: Double
  let rest: AdamW

  public init(_ options: Options) {
    momentum = options.number("momentum", default: 0.95, in: 0...0.999999, "decay of the mean of gradients")
    nesterov = options.flag("nesterov", default: true, "Nesterov momentum")
    weightDecay = options.number(
      "weight_decay", default: 0.1, in: 0...1e3, "decoupled weight decay of matrices, multiplied by the learning rate")
    iterations = options.integer(
      "iterations", default: 5, in: 1...20, "Newton-Schulz iterations")
    restRate = options.number(
      "rest_rate", default: 0.05, in: 0...1e6, "the learning rate of everything else, as a fraction of the matrices'")
    rest = options.group("rest", "the options of AdamW, for everything else") { AdamW($0) } ?? AdamW(.unset)
  }

  private func isOwn(_ tensor: PlannedTensor) -> Bool {
    tensor.shape.count >= 2 && tensor.name.layer != nil && tensor.shape.suffix(2).allSatisfy { $0 > 1 }
  }

  public func moments(of tensor: PlannedTensor) -> [String] { isOwn(tensor) ? ["m"] : rest.moments(of: tensor) }

  public func update(_ tensor: TensorUpdate) {
    guard isOwn(tensor.tensor) else {
      rest.update(tensor.withRate(tensor.rate * restRate))
      return
    }
    let (rows, columns) = (
      tensor.tensor.shape[tensor.tensor.shape.count - 2], tensor.tensor.shape[tensor.tensor.shape.count - 1]
    )
    for start in stride(from: 0, to: tensor.count, by: rows * columns) {
      update(tensor, start: start, rows: rows, columns: columns)
    }
  }

  private func update(_ tensor: TensorUpdate, start: Int, rows: Int, columns: Int) {
    let (p, m, g) = (tensor.parameters + start, tensor.moments[0] + start, tensor.gradients + start)
    let (beta, scale) = (Float(momentum), Float(tensor.gradientScale))
    var step = [Float](repeating: 0, count: rows * columns)
    for i in step.indices {
      let gradient = scale * g[i]
      m[i] += (1 - beta) * (gradient - m[i])
      step[i] = nesterov ? gradient + beta * (m[i] - gradient) : m[i]
    }
    orthogonalize(&step, rows: rows, columns: columns, pool: tensor.pool)
    let keep = Float(1 - tensor.rate * weightDecay)
    let rate = Float(tensor.rate * max(1, Double(rows) / Double(columns)).squareRoot())
    for i in step.indices { p[i] = keep * p[i] - rate * step[i] }
  }

  /// Brings `x`, [rows, columns], near to the orthogonal matrix that is nearest to it.
  package func orthogonalize(_ x: inout [Float], rows: Int, columns: Int, pool: ThreadPool) {
    let norm = Double(
      x.withUnsafeBufferPointer { $0.baseAddress.map { base in sumOfSquares(base, count: rows * columns) } ?? 0 }
    ).squareRoot()
    let factor = Float(1 / max(norm, 1e-7))
    for i in x.indices { x[i] *= factor }
    // The smaller of X·Xᵀ and Xᵀ·X, so that a tall matrix is turned.
    let isTall = rows > columns
    let (short, long) = (min(rows, columns), max(rows, columns))
    var work = isTall ? transposed(x, rows: rows, columns: columns) : x  // [short, long]
    var gram = [Float](repeating: 0, count: short * short)
    var square = gram
    for _ in 0..<iterations {
      product(work, rows: short, by: work, columns: long, outputs: short, into: &gram, pool)
      product(gram, rows: short, by: gram, columns: short, outputs: short, into: &square, pool)  // symmetric
      for i in gram.indices { square[i] = -4.775 * gram[i] + 2.0315 * square[i] }
      var next = work
      for i in next.indices { next[i] *= 3.4445 }
      square.withUnsafeBufferPointer { square in
        work.withUnsafeBufferPointer { work in
          next.withUnsafeMutableBufferPointer { next in
            guard let square = square.baseAddress, let work = work.baseAddress, let next = next.baseAddress else {
              return
            }
            matmulTransposed(
              square, rows: short, by: WeightMatrix(base: work, format: .f32, rows: short, columns: long),
              into: next, accumulate: true, in: .f32, pool: pool)
          }
        }
      }
      work = next
    }
    x = isTall ? transposed(work, rows: columns, columns: rows) : work
  }

  /// y = x·wᵀ.
  private func product(
    _ x: [Float], rows: Int, by w: [Float], columns: Int, outputs: Int, into y: inout [Float], _ pool: ThreadPool
  ) {
    x.withUnsafeBufferPointer { x in
      w.withUnsafeBufferPointer { w in
        y.withUnsafeMutableBufferPointer { y in
          guard let x = x.baseAddress, let w = w.baseAddress, let y = y.baseAddress else { return }
          matmul(
            x, stride: columns, rows: rows, by: WeightMatrix(base: w, format: .f32, rows: outputs, columns: columns),
            bias: nil, into: y, stride: outputs, accumulate: false, in: .f32, pool: pool)
        }
      }
    }
  }

  private func transposed(_ x: [Float], rows: Int, columns: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: x.count) { y, count in
      for row in 0..<rows {
        for column in 0..<columns { y.initializeElement(at: column * rows + row, to: x[row * columns + column]) }
      }
      count = x.count
    }
  }

  /// Only what AdamW does of it: torch's own Muon computes in bf16, and so is another one.
  public func pytorch(_ tensor: PlannedTensor) -> PyTorchUpdate? {
    guard !isOwn(tensor), let update = rest.pytorch(tensor) else { return nil }
    return PyTorchUpdate(by: update.optimizer, update.arguments, group: update.group + ["factor=\(restRate)"])
  }
}
