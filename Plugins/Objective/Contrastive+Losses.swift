import Components
import Essentials
import Kernels

/// What losses of pairs share: each output is a text's vector u and, in its second half, a picture's v.
protocol LossOfPairs: Kernel {}

extension LossOfPairs {
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    inputs.prefix(1).map { $0.with(width: 1) }
  }

  func flops(step: Step, context: Int) -> Int { 2 * step.inputs[0].width }

  /// A product for each row of outputs, twice.
  func scratch(step: Step, rows: Int, context: Int) -> Int { 2 * rows }

  /// The products of text `row` with all pictures, and of picture `row` with all texts.
  static func products(
    _ x: Rows, _ row: Int, texts: UnsafeMutablePointer<Float>, pictures: UnsafeMutablePointer<Float>
  ) {
    let half = x.width / 2
    for other in 0..<x.count {
      texts[other] = dot(x[row], x[other] + half, count: half)
      pictures[other] = dot(x[other], x[row] + half, count: half)
    }
  }

  /// `du += Σ_j a_j·v_j`, `dv += Σ_j b_j·u_j` of `row`.
  static func add(
    _ x: Rows, _ row: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, to dx: MutableRows
  ) {
    let half = x.width / 2
    for other in 0..<x.count {
      Kernels.add(x[other] + half, scaledBy: a[other], to: dx[row], count: half)
      Kernels.add(x[other], scaledBy: b[other], to: dx[row] + half, count: half)
    }
  }
}

/// The surprise at the right picture among all of the batch, and at the right text, halved.
///
///     y_i = (log Σ_j e^{S[i,j]} + log Σ_j e^{S[j,i]}) / 2 − S[i,i],   S[i,j] = u_i·v_j        x: [n, (u, v)], y: [n, 1]
///
/// The two logarithms are saved; products are computed again, for there are n² of them.
struct SoftmaxOfPairs: LossOfPairs {
  let name = "softmax of pairs"

  var traits: OperatorTraits { OperatorTraits(savedWidths: [2]) }

  func forward(_ context: ForwardContext) {
    let (x, y, saved) = (context.input(), context.output(), context.saved())
    context.parallel(x.count) { rows, worker in
      let (texts, pictures) = (worker.scratch, worker.scratch + x.count)
      for row in rows {
        Self.products(x, row, texts: texts, pictures: pictures)
        let own = texts[row]
        let logarithms = [texts, pictures].map { products in
          let most = maximum(products, count: x.count)
          return most + log(sumOfExponentials(products, minus: most, count: x.count))
        }
        if let saved { (saved[row][0], saved[row][1]) = (logarithms[0], logarithms[1]) }
        y[row][0] = (logarithms[0] + logarithms[1]) / 2 - own
      }
    }
  }

  /// With A and B the logarithms: `dS[i,j] = (dy_i·e^{S[i,j] − A_i} + dy_j·e^{S[i,j] − B_j}) / 2 − [i = j]·dy_i`.
  func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let (x, dy, saved) = (context.input(), context.outputGradient(), context.saved())
    context.parallel(x.count) { rows, worker in
      let (texts, pictures) = (worker.scratch, worker.scratch + x.count)
      for row in rows {
        Self.products(x, row, texts: texts, pictures: pictures)
        for other in 0..<x.count {
          let (own, its) = (dy[row][0] / 2, dy[other][0] / 2)
          texts[other] = own * exp(texts[other] - saved[row][0]) + its * exp(texts[other] - saved[other][1])
          pictures[other] = its * exp(pictures[other] - saved[other][0]) + own * exp(pictures[other] - saved[row][1])
        }
        texts[row] -= dy[row][0]
        pictures[row] -= dy[row][0]
        Self.add(x, row, texts, pictures, to: dx)
      }
    }
  }
}

/// Each text and each picture of the batch by themselves: whether they belong together.
///
///     y_i = Σ_j log(1 + e^{−z·S[i,j]}),   z = 1 where i = j, else −1,   S[i,j] = u_i·v_j        x: [n, (u, v)], y: [n, 1]
struct SigmoidOfPairs: LossOfPairs {
  let name = "sigmoid of pairs"

  var traits: OperatorTraits { OperatorTraits() }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    context.parallel(x.count) { rows, worker in
      let (texts, pictures) = (worker.scratch, worker.scratch + x.count)
      for row in rows {
        Self.products(x, row, texts: texts, pictures: pictures)
        var sum = 0.0
        for other in 0..<x.count {
          let z = Double(other == row ? -texts[other] : texts[other])
          sum += max(z, 0) + log(1 + exp(-abs(z)))
        }
        y[row][0] = Float(sum)
      }
    }
  }

  /// `dS[i,j] = −z·σ(−z·S[i,j])·dy_i`.
  func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let (x, dy) = (context.input(), context.outputGradient())
    func slope(_ product: Float, isOwn: Bool) -> Float {
      let z: Float = isOwn ? 1 : -1
      return -z / (1 + exp(z * product))
    }
    context.parallel(x.count) { rows, worker in
      let (texts, pictures) = (worker.scratch, worker.scratch + x.count)
      for row in rows {
        Self.products(x, row, texts: texts, pictures: pictures)
        for other in 0..<x.count {
          texts[other] = slope(texts[other], isOwn: other == row) * dy[row][0]
          pictures[other] = slope(pictures[other], isOwn: other == row) * dy[other][0]
        }
        Self.add(x, row, texts, pictures, to: dx)
      }
    }
  }
}
