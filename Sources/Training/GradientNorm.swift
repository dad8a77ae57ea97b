import Kernels

/// The length of all gradients together, as one vector.
///
///     ‖g‖ = √Σ gᵢ²
///
/// Sums over pieces of one size are added in order, in `Double`, so the result is the same on any number of threads.
func gradientNorm(_ gradients: UnsafeBufferPointer<Float>, pool: ThreadPool) -> Double {
  guard let base = gradients.baseAddress else { return 0 }
  let size = 1 << 15
  let sums = [Double](unsafeUninitializedCapacity: (gradients.count + size - 1) / size) { sums, count in
    count = (gradients.count + size - 1) / size
    guard let sums = sums.baseAddress else { return }
    pool.run(count) { pieces in
      for piece in pieces {
        let length = min(size, gradients.count - piece * size)
        (sums + piece).initialize(to: Double(sumOfSquares(base + piece * size, count: length)))
      }
    }
  }
  return sums.reduce(0, +).squareRoot()
}
