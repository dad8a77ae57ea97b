import Kernels

/// The backward of a normalization whose row is `y = x̂ ⊙ w + b`, x̂ = (x − shift)·r: what all of that form share.
///
///     g = dy ⊙ w;   dx += r·(g − a − c·x̂),   dw += dy ⊙ x̂,   db += dy
///
/// The normalization itself says x̂ and r, and the corrections a and c that follow from how they depend on x.
public struct NormGradient {
  let parts: NormParts
  let weight: Bool
  let bias: Bool
  let unitOffset: Bool

  /// The gradient of a normalization of `parts` whose step reads a weight, then a bias, as these say; with `unitOffset`
  /// the weight is stored as its difference from 1.
  public init(parts: NormParts, weight: Bool, bias: Bool, unitOffset: Bool) {
    self.parts = parts
    self.weight = weight
    self.bias = bias
    self.unitOffset = unitOffset
  }

  /// Numbers of scratch memory that a worker needs.
  public static func scratch(_ parts: NormParts) -> Int { 2 * parts.width }

  /// Rows whose sums for learned tensors are made together, whatever the number of workers: so the sums do not depend on it.
  private static let rowsTogether = 64

  /// Computes all gradients of the step.
  ///
  /// - Parameters:
  ///   - normalize: writes x̂ of a part of a row and answers r.
  ///   - correct: a and c, given g and x̂.
  public func run(
    _ context: BackwardContext, normalize: (_ row: Int, _ part: Int, _ normal: UnsafeMutablePointer<Float>) -> Float,
    correct: (_ g: UnsafePointer<Float>, _ normal: UnsafePointer<Float>) -> (Float, Float)
  ) {
    let dy = context.outputGradient()
    let dx = context.inputGradient()
    let adding = dx != nil && context.addsToInputGradient()
    let w = weight ? context.parameter().vector : nil
    let dw = weight ? context.parameterGradient() : nil
    let db = bias ? context.parameterGradient(weight ? 1 : 0) : nil
    let n = parts.width
    let learned = parts.sharedWeight ? n : n * parts.count
    let groups = (dy.count + Self.rowsTogether - 1) / Self.rowsTogether
    let one: Float = unitOffset ? 1 : 0
    withScratch(2 * groups * learned) { sums in
      sums.update(repeating: 0, count: 2 * groups * learned)
      context.parallel(groups, grain: max(1, elementwiseGrain(dy.width) / Self.rowsTogether)) { own, worker in
        let (normal, g) = (worker.scratch, worker.scratch + n)
        for row in own.lowerBound * Self.rowsTogether..<min(dy.count, own.upperBound * Self.rowsTogether) {
          let group = sums + row / Self.rowsTogether * 2 * learned
          for part in 0..<parts.count {
            let r = normalize(row, part, normal)
            let dys = dy[row] + part * n
            let offset = parts.weightOffset(part)
            if dw != nil { multiply(dys, with: normal, into: group + offset, count: n, accumulate: true) }
            if db != nil { add(dys, scaledBy: 1, to: group + learned + offset, count: n) }
            guard let dxs = dx.map({ $0[row] + part * n }) else { continue }
            if let w = w.map({ $0 + offset }) {
              for i in 0..<n { g[i] = dys[i] * (one + w[i]) }
            } else {
              g.update(from: dys, count: n)
            }
            let (a, c) = correct(g, normal)
            if adding {
              for i in 0..<n { dxs[i] += r * (g[i] - a - c * normal[i]) }
            } else {
              for i in 0..<n { dxs[i] = r * (g[i] - a - c * normal[i]) }
            }
          }
        }
      }
      for (index, gradient) in [dw, db].enumerated() {
        guard let gradient else { continue }
        let tensor = weight ? index : 0
        if !context.addsToParameterGradient(tensor) { gradient.update(repeating: 0, count: learned) }
        for group in 0..<groups {
          add(sums + (2 * group + index) * learned, scaledBy: 1, to: gradient, count: learned)
        }
      }
    }
  }
}
