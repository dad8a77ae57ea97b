import Kernels
import Testing

@Suite struct ReductionTests {
  private static let counts = [0, 1, 2, 3, 4, 7, 8, 13, 14, 15, 16, 17, 31, 33, 63, 64, 65, 127, 255, 1000, 4099]

  @Test("sums, dots and the largest equal the plain loop for every count", arguments: KernelLevel.available)
  func reductions(level: KernelLevel) {
    var numbers = Numbers(seed: 40)
    for count in Self.counts {
      let a = Guarded(numbers.floats(count)), b = Guarded(numbers.floats(count))
      let products = zip(a.elements, b.elements).map { Double($0) * Double($1) }
      let squares = a.elements.map { Double($0) * Double($0) }, plain = a.elements.map(Double.init)
      level.perform {
        for (found, terms) in [
          (dot(a.base, b.base, count: count), products), (sum(a.base, count: count), plain),
          (sumOfSquares(a.base, count: count), squares),
        ] {
          let size = terms.reduce(0) { $0 + abs($1) }
          #expect(worstError(found: [found], expected: [terms.reduce(0, +)], sizes: [size], depth: count) < 1)
        }
        #expect(maximum(a.base, count: count) == a.elements.max() ?? -.infinity)
      }
    }
  }

  @Test("the largest is found wherever it stands, and NaN is passed over", arguments: KernelLevel.available)
  func maximumEverywhere(level: KernelLevel) {
    for count in [1, 5, 16, 33, 70] {
      for at in 0..<count {
        let x = Guarded<Float>(count: count, filledWith: -5)
        x[at] = -4
        #expect(level.perform { maximum(x.base, count: count) } == -4)
        x[at] = .nan
        #expect(level.perform { maximum(x.base, count: count) } == (count == 1 ? -.infinity : -5))
      }
    }
  }

  @Test("y += factor · x touches each element once", arguments: KernelLevel.available)
  func addScaled(level: KernelLevel) {
    var numbers = Numbers(seed: 41)
    for count in Self.counts {
      let x = Guarded(numbers.floats(count)), y = Guarded(numbers.floats(count))
      let expected = zip(x.elements, y.elements).map { Double($1) + 1.5 * Double($0) }
      level.perform { add(x.base, scaledBy: 1.5, to: y.base, count: count) }
      #expect(zip(y.elements, expected).allSatisfy { abs(Double($0) - $1) <= 0x1p-22 })
    }
  }
}
