import Kernels
import Plans

/// Rows whose sums for learned tensors are made together, whatever the number of workers: so the sums do not depend on it.
private let rowsTogether = 64

extension RowNormKernel {
  /// With g = dy ⊙ w: `dx += r·(g − a − c·x̂)`, `dw += dy ⊙ x̂`, `db += dy`.
  public func backward(_ context: BackwardContext) {
    let (x, dy, norm) = (context.input(), context.outputGradient(), norm)
    let dx = context.inputGradient()
    let adding = dx != nil && context.addsToInputGradient()
    let w = norm.weight ? context.parameter().vector : nil
    let dw = norm.weight ? context.parameterGradient() : nil
    let db = norm.bias ? context.parameterGradient(norm.weight ? 1 : 0) : nil
    let n = norm.parts.width
    let learned = norm.parts.sharedWeight ? n : n * norm.parts.count
    let groups = (dy.count + rowsTogether - 1) / rowsTogether
    let one: Float = norm.unitOffset ? 1 : 0
    let sums = context.sharedScratch
    sums.update(repeating: 0, count: 2 * groups * learned)
    context.parallel(groups, grain: max(1, elementwiseGrain(dy.width) / rowsTogether)) { own, worker in
      let (normal, g) = (worker.scratch, worker.scratch + n)
      for row in own.lowerBound * rowsTogether..<min(dy.count, own.upperBound * rowsTogether) {
        let group = sums + row / rowsTogether * 2 * learned
        for part in 0..<norm.parts.count {
          let xs = x[row] + part * n
          let (shift, r) = statistics(xs, count: n)
          for i in 0..<n { normal[i] = (xs[i] - shift) * r }
          let dys = dy[row] + part * n
          let offset = norm.parts.weightOffset(part)
          if dw != nil { multiply(dys, with: normal, into: group + offset, count: n, accumulate: true) }
          if db != nil { add(dys, scaledBy: 1, to: group + learned + offset, count: n) }
          guard let dxs = dx.map({ $0[row] + part * n }) else { continue }
          if let w = w.map({ $0 + offset }) {
            for i in 0..<n { g[i] = dys[i] * (one + w[i]) }
          } else {
            g.update(from: dys, count: n)
          }
          let (a, c) = corrections(g, normal, count: n)
          if adding {
            for i in 0..<n { dxs[i] += r * (g[i] - a - c * normal[i]) }
          } else {
            for i in 0..<n { dxs[i] = r * (g[i] - a - c * normal[i]) }
          }
        }
      }
    }
    func addSums(_ index: Int, to gradient: UnsafeMutablePointer<Float>?) {
      guard let gradient else { return }
      if !context.addsToParameterGradient(norm.weight ? index : 0) { gradient.update(repeating: 0, count: learned) }
      for group in 0..<groups { add(sums + (2 * group + index) * learned, scaledBy: 1, to: gradient, count: learned) }
    }
    addSums(0, to: dw)
    addSums(1, to: db)
  }

  /// The sums of each group of rows for weight and bias.
  public func sharedScratch(step: Step, rows: Int) -> Int {
    let learned = norm.parts.sharedWeight ? norm.parts.width : norm.parts.width * norm.parts.count
    return 2 * ((rows + rowsTogether - 1) / rowsTogether) * learned
  }
}
