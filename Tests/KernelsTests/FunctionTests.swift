import Foundation
import Kernels
import Testing

private typealias Kernel = @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void

private struct Function: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let range: ClosedRange<Float>
  let exact: @Sendable (Double) -> Double
  let kernel: Kernel
}

private let functions = [
  Function(testDescription: "exp", range: -103...88.7, exact: { exp($0) }) {
    exponentials(of: $0, into: $1, count: $2)
  },
  Function(testDescription: "sigmoid", range: -87...87, exact: { 1 / (1 + exp(-$0)) }) {
    sigmoids(of: $0, into: $1, count: $2)
  },
  Function(testDescription: "tanh", range: -12...12, exact: { tanh($0) }) {
    hyperbolicTangents(of: $0, into: $1, count: $2)
  },
  Function(testDescription: "erf", range: -5...5, exact: { erf($0) }) { errorFunctions(of: $0, into: $1, count: $2) },
]

/// |found − exact| relative to the exact value, or to the smallest normal number below it, where f32 has fewer bits.
private func relativeError(_ found: Float, _ exact: Double) -> Double {
  abs(Double(found) - exact) / max(abs(exact), Double(Float.leastNormalMagnitude))
}

@Suite struct FunctionTests {
  @Test("functions are within 5e-7 of double precision", arguments: KernelLevel.available, functions)
  private func accuracy(level: KernelLevel, function: Function) {
    let count = 200_003
    let width = function.range.upperBound - function.range.lowerBound
    var numbers = Numbers(seed: 30)
    var arguments = (0..<count).map { function.range.lowerBound + width * Float($0) / Float(count - 1) }
    for _ in 0..<5000 {
      arguments.append(numbers.next() * Float(sign: .plus, exponent: -Int(numbers.bits() % 40), significand: 1))
    }
    let x = Guarded(arguments)
    let y = Guarded<Float>(count: x.count, filledWith: .nan)
    level.perform { function.kernel(x.base, y.base, x.count) }
    var worst = 0.0, at: Float = 0
    for i in 0..<x.count {
      let error = relativeError(y[i], function.exact(Double(x[i])))
      if !(error <= worst) { (worst, at) = (error, x[i]) }
    }
    #expect(worst < 5e-7, "relative error \(worst) at \(at)")
  }

  @Test("infinities, large numbers and NaN end where they should", arguments: KernelLevel.available)
  func extremes(level: KernelLevel) {
    let x: [Float] = [.infinity, -.infinity, 1e30, -1e30, 89.5, -120, 0, -0.0, .nan]
    func values(_ function: Function) -> [Float] {
      var y = [Float](repeating: 7, count: x.count)
      level.perform { function.kernel(x, &y, x.count) }
      return y
    }
    let expected: [[Float]] = [
      [.infinity, 0, .infinity, 0, .infinity, 0, 1, 1], [1, 0, 1, 0, 1, 0, 0.5, 0.5],
      [1, -1, 1, -1, 1, -1, 0, 0], [1, -1, 1, -1, 1, -1, 0, 0],
    ]
    for (function, expected) in zip(functions, expected) {
      let found = values(function)
      #expect(Array(found.dropLast()) == expected, "\(function.testDescription)")
      #expect(found.last?.isNaN == true, "\(function.testDescription) of NaN")
    }
  }

  @Test("any count, in place or not, gives the same numbers", arguments: KernelLevel.available)
  func counts(level: KernelLevel) {
    var numbers = Numbers(seed: 31)
    let x = numbers.floats(70).map { $0 * 9 }
    for function in functions {
      var all = [Float](repeating: 0, count: 70)
      level.perform { function.kernel(x, &all, 70) }
      for count in 0...67 {
        let y = Guarded(Array(x[..<count]))
        level.perform { function.kernel(y.base, y.base, count) }
        #expect(y.elements == Array(all[..<count]), "\(function.testDescription) of \(count)")
      }
    }
  }
}

@Suite struct SoftmaxTests {
  @Test("softmax equals the plain loop and sums to one", arguments: KernelLevel.available)
  func plain(level: KernelLevel) {
    var numbers = Numbers(seed: 32)
    for count in [1, 2, 3, 13, 15, 16, 17, 31, 33, 255, 5000] {
      let x = Guarded(numbers.floats(count).map { $0 * 30 + 500 })
      let largest = Double(x.elements.max() ?? 0)
      let powers = x.elements.map { exp(Double($0) - largest) }
      let total = powers.reduce(0, +)
      level.perform { softmax(inPlace: x.base, count: count) }
      for (found, power) in zip(x.elements, powers) { #expect(relativeError(found, power / total) < 2e-6) }
      #expect(abs(x.elements.reduce(0) { $0 + Double($1) } - 1) < 1e-5)
    }
  }

  @Test("softmax gives −∞ nothing, turns a row of −∞ to zeros, hides no NaN", arguments: KernelLevel.available)
  func masked(level: KernelLevel) {
    func softmaxed(_ x: [Float]) -> [Float] {
      var x = x
      level.perform { softmax(inPlace: &x, count: x.count) }
      return x
    }
    #expect(softmaxed([-.infinity, 3, -.infinity, 3]) == [0, 0.5, 0, 0.5])
    #expect(softmaxed([-.infinity, -.infinity]) == [0, 0])
    #expect(softmaxed([]) == [])
    for row in [[1, .nan, 2], [.nan], [.nan, -.infinity]] as [[Float]] { #expect(softmaxed(row).contains { $0.isNaN }) }
  }
}
