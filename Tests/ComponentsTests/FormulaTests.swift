import Components
import Foundation
import Kernels
import Testing

private struct Sample: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let value: @Sendable (Double) -> Double
  let slope: @Sendable (Double) -> Double

  init(_ text: String, _ value: @escaping @Sendable (Double) -> Double, _ slope: @escaping @Sendable (Double) -> Double)
  {
    testDescription = text
    self.value = value
    self.slope = slope
  }
}

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// Formulas beside their values and derivatives by hand.
private let samples = [
  Sample("x * sigmoid(1.702 * x)", { $0 * sigmoid(1.702 * $0) }) {
    let s = sigmoid(1.702 * $0)
    return s + 1.702 * $0 * s * (1 - s)
  },
  Sample("max(x, 0)^2", { max($0, 0) * max($0, 0) }, { 2 * max($0, 0) }),
  Sample("-x^2 + 2^-1 * x - 1e-1", { -$0 * $0 + $0 / 2 - 0.1 }, { -2 * $0 + 0.5 }),
  Sample("x * tanh(softplus(x))", { $0 * tanh(log(1 + exp($0))) }) {
    let t = tanh(log(1 + exp($0)))
    return t + $0 * (1 - t * t) * sigmoid($0)
  },
  Sample("sqrt(1 + x^2) - cos(x) / (2 + sin(x))", { (1 + $0 * $0).squareRoot() - cos($0) / (2 + sin($0)) }) {
    let (s, c) = (sin($0), cos($0))
    return $0 / (1 + $0 * $0).squareRoot() + (s * (2 + s) + c * c) / ((2 + s) * (2 + s))
  },
  Sample("if(x > 1, log(x), x - 1)", { $0 > 1 ? log($0) : $0 - 1 }, { $0 > 1 ? 1 / $0 : 1 }),
  Sample("if(abs(x) < 2, erf(x), gelu(x))", { abs($0) < 2 ? erf($0) : $0 / 2 * (1 + erf($0 / 2.squareRoot())) }) {
    abs($0) < 2
      ? 2 / Double.pi.squareRoot() * exp(-$0 * $0)
      : 0.5 * (1 + erf($0 / 2.squareRoot())) + $0 * exp(-$0 * $0 / 2) / (2 * Double.pi).squareRoot()
  },
  Sample("clamp(silu(x), -0.2, 3) + min(x, pi)", { min(max($0 * sigmoid($0), -0.2), 3) + min($0, .pi) }) {
    let (s, y) = (sigmoid($0), $0 * sigmoid($0))
    return (y > -0.2 && y < 3 ? s + $0 * s * (1 - s) : 0) + ($0 < .pi ? 1 : 0)
  },
  Sample("2^3^2 / 512 * x ^ 3", { $0 * $0 * $0 }, { 3 * $0 * $0 }),
]

@Suite("formulas")
struct FormulaTests {
  // A few roundings of Float, each relative to the largest number on the way, which stays below 100 here.
  @Test(
    "give the value and the derivative that are written by hand, on every level", arguments: KernelLevel.available,
    samples)
  private func values(level: KernelLevel, sample: Sample) throws {
    let formula = try Formula(sample.testDescription)
    let x = stride(from: Float(-4.13), to: 4.2, by: 0.0517).map { $0 }
    var y = [Float](repeating: .nan, count: x.count)
    var slope = y
    level.perform {
      formula.apply(x, into: &y, count: x.count)
      formula.derivative(x, into: &slope, count: x.count)
    }
    for i in x.indices {
      let (value, expected) = (sample.value(Double(x[i])), sample.slope(Double(x[i])))
      #expect(abs(Double(y[i]) - value) <= 1e-5 * max(1, abs(value)), "f(\(x[i])) is \(value), not \(y[i])")
      #expect(
        abs(Double(slope[i]) - expected) <= 1e-5 * max(1, abs(expected)), "f′(\(x[i])) is \(expected), not \(slope[i])")
    }
  }

  @Test("know their derivative by a scalar")
  func scalars() throws {
    let formula = try Formula("a * x^2 + exp(b * x)", scalars: ["a", "b"])
    let x: [Float] = [-1.5, 0.25, 2]
    var y = [Float](repeating: 0, count: 3)
    formula.derivative(by: 0, x, scalars: [0.5, -0.75], into: &y, count: 3)
    #expect(y == x.map { $0 * $0 })
    formula.derivative(by: 1, x, scalars: [0.5, -0.75], into: &y, count: 3)
    for (found, x) in zip(y, x) { #expect(abs(found - x * exp(-0.75 * x)) < 1e-6) }
  }

  @Test("any count, in place or not, gives the same numbers")
  func counts() throws {
    let formula = try Formula("x * sigmoid(x) + sin(x)")
    let x = (0..<300).map { Float($0) / 20 - 7 }
    var all = x
    formula.apply(x, into: &all, count: 300)
    for count in [0, 1, 3, 15, 16, 17, 127, 128, 129, 255, 299] {
      var y = Array(x[..<count]) + [7]
      y.withUnsafeMutableBufferPointer { y in
        if let base = y.baseAddress { formula.apply(base, into: base, count: count) }
      }
      #expect(y == Array(all[..<count]) + [7])
    }
  }

  @Test(
    "say where they cannot be read",
    arguments: [
      ("x +", "ends where a number, 'x' or a function should stand", 4), ("2 x", "ends before 'x'", 3),
      ("(x", "lacks a ')'", 3),
      ("x)", "ends before ')'", 2), ("sigmod(x)", "knows no function 'sigmod'", 1),
      ("y * 2", "knows nothing named 'y'", 1),
      ("max(x)", "gives 'max' 1 argument, not 2", 1),
      ("x * *", "has '*' where a number, 'x' or a function should stand", 5),
      ("if(x, 1, 2)", "lacks '>' or '<' in the condition of 'if'", 5), ("1.2.3", "has no number '1.2.3'", 1),
      (String(repeating: "(", count: 200), "is nested too deeply", 65),
    ])
  func problems(text: String, sentence: String, character: Int) throws {
    do {
      _ = try Formula(text)
      Issue.record("'\(text)' was read")
    } catch {
      #expect(error.sentence == sentence)
      #expect(error.character == character)
    }
  }

  @Test("too long or too wide a text is refused")
  func limits() throws {
    #expect(throws: FormulaProblem.self) { try Formula(String(repeating: "x+", count: 1001) + "x") }
    let many = (0..<80).map { "sin(\($0).5*x)" }.joined(separator: "+")
    #expect(throws: FormulaProblem.self) { try Formula(many) }
  }
}
