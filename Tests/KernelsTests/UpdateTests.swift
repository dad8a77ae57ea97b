import Kernels
import Testing

/// Optimizers' passes against the same equations one number at a time in Double.
@Suite struct UpdateTests {
  /// A parameter, its gradient and its moments.
  private typealias State = (p: Double, g: Double, m: Double, v: Double)

  private func check(
    _ level: KernelLevel,
    _ apply: (
      UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int
    ) -> Void,
    _ exact: (State) -> State
  ) {
    for count in Array(1...35) + [257] {
      var numbers = Numbers(seed: UInt64(count))
      let (p, g, m, v) = (
        numbers.floats(count), numbers.floats(count), numbers.floats(count), numbers.floats(count).map { $0 * $0 }
      )
      // A number behind the last must stay as it is.
      var (newP, newM, newV) = (p + [9], m + [9], v + [9])
      level.perform { apply(&newP, g, &newM, &newV, count) }
      for i in 0..<count {
        let wanted = exact((Double(p[i]), Double(g[i]), Double(m[i]), Double(v[i])))
        // A few roundings of numbers up to 1.
        #expect(
          abs(Double(newP[i]) - wanted.p) < 4e-7 && abs(Double(newM[i]) - wanted.m) < 4e-7
            && abs(Double(newV[i]) - wanted.v) < 4e-7)
      }
      #expect(newP[count] == 9 && newM[count] == 9 && newV[count] == 9)
    }
  }

  @Test("AdamW", arguments: KernelLevel.available)
  func adamW(_ level: KernelLevel) {
    let step = AdamWStep(step: 3, rate: 0.01, beta1: 0.9, beta2: 0.95, eps: 1e-8, decay: 0.1, gradientScale: 0.5)
    check(level, { step.apply(to: $0, gradient: $1, m: $2, v: $3, count: $4) }) { state in
      let g = 0.5 * state.g
      let (m, v) = (0.9 * state.m + 0.1 * g, 0.95 * state.v + 0.05 * g * g)
      let size = (v / (1 - 0.95 * 0.95 * 0.95)).squareRoot() + 1e-8
      return ((1 - 0.001) * state.p - 0.01 * m / (1 - 0.9 * 0.9 * 0.9) / size, g, m, v)
    }
  }

  @Test("Lion", arguments: KernelLevel.available)
  func lion(_ level: KernelLevel) {
    let step = LionStep(rate: 0.01, beta1: 0.9, beta2: 0.99, decay: 0.1, gradientScale: 0.5)
    check(level, { p, g, m, _, count in step.apply(to: p, gradient: g, m: m, count: count) }) { state in
      let g = 0.5 * state.g
      let ahead = 0.9 * state.m + 0.1 * g
      return (0.999 * state.p - 0.01 * (ahead > 0 ? 1 : -1), g, 0.99 * state.m + 0.01 * g, state.v)
    }
  }

  @Test("momentum", arguments: KernelLevel.available, [true, false])
  func momentum(_ level: KernelLevel, _ nesterov: Bool) {
    let step = MomentumStep(rate: 0.01, momentum: 0.9, nesterov: nesterov, decay: 0.1, gradientScale: 0.5)
    check(level, { p, g, m, _, count in step.apply(to: p, gradient: g, m: m, count: count) }) { state in
      let g = 0.5 * state.g + 0.1 * state.p
      let m = 0.9 * state.m + g
      return (state.p - 0.01 * (nesterov ? g + 0.9 * m : m), g, m, state.v)
    }
  }
}
