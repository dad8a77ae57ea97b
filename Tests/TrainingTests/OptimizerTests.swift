import Components
import Foundation
import Kernels
import StandardComponents
import Testing

import Training

/// Three steps from one matrix with made-up gradients, compared with torch 2.15:
///
///     p0 = [0.5, -0.25, 1, 0.125, -1.5, 2]; grads[s][i] = 0.1*((i*7+s*5)%11-5)/5
///     p = torch.nn.Parameter(torch.tensor(p0).reshape(2, 3)); o = make([p])
///     for s in range(3): p.grad = torch.tensor(grads[s]).reshape(2, 3); o.step()
///     AdamW(p, lr=0.1, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1); SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01)
///     SGD(p, lr=0.1, momentum=0.9, nesterov=True); Muon(p, lr=0.1, weight_decay=0.1, momentum=0.95), its
///     _zeropower_via_newtonschulz in float32 instead of bfloat16, also with shape (3, 2)
///
/// torch has no Lion: its numbers are the paper's two equations in numpy, lr 0.1, betas 0.9 and 0.99, decay 0.5.
@Suite struct OptimizerTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let options: String
    let shape: [Int]
    let expected: [Float]
    var testDescription: String { "\(options) \(shape)" }
  }

  static let cases = [
    Case(
      options: "type=adamw", shape: [2, 3],
      expected: [0.64176077, -0.2908884, 1.0699171, -0.098801523, -1.4485798, 2.1075923]),
    Case(
      options: "type=sgd weight_decay=0.01", shape: [2, 3],
      expected: [0.5142594, -0.24623151, 0.99982566, 0.093035333, -1.4780146, 2.0054307]),
    Case(
      options: "type=sgd nesterov=true", shape: [2, 3],
      expected: [0.51538998, -0.24587601, 1.008896, 0.08083, -1.4797781, 2.0249941]),
    Case(
      options: "type=lion weight_decay=0.5", shape: [2, 3],
      expected: [0.5139375, -0.30959375, 0.952625, 0.011921875, -1.1813125, 1.81]),
    Case(
      options: "type=muon", shape: [2, 3],
      expected: [0.60098034, -0.30904743, 1.0044897, -0.045885626, -1.3678603, 2.0308716]),
    Case(
      options: "type=muon", shape: [3, 2],
      expected: [0.54474735, -0.12592702, 0.98014277, -0.075593241, -1.2988148, 2.004463]),
  ]

  static let start: [Float] = [0.5, -0.25, 1, 0.125, -1.5, 2]

  @Test("moves a matrix as the reference does", arguments: cases)
  func matches(_ sample: Case) throws {
    let found = try Self.run(sample.options, name: "layers.0.mlp.up.weight", shape: sample.shape, threads: 1)
    for (found, expected) in zip(found, sample.expected) {
      // Some dozens of roundings of numbers near 1.
      #expect(abs(found - expected) < 2e-6, "\(found) for \(expected)")
    }
  }

  @Test("decays matrices and no vectors, unless told", arguments: ["adamw", "lion", "sgd"])
  func decay(_ type: String) throws {
    let base = try Self.run("type=\(type) weight_decay=0", name: "norm.weight", shape: [6], threads: 1)
    #expect(try Self.run("type=\(type) weight_decay=0.5", name: "norm.weight", shape: [6], threads: 1) == base)
    #expect(
      try Self.run("type=\(type) weight_decay=0.5 decay=all", name: "norm.weight", shape: [6], threads: 1) != base)
    #expect(try Self.run("type=\(type) weight_decay=0.5", name: "head.weight", shape: [2, 3], threads: 1) != base)
  }

  @Test("an unknown optimizer or option is refused with the nearest word")
  func refuses() {
    #expect(throws: Problems.self) { try Self.make(Setting(text: "adam_w")) }
    do {
      _ = try Self.make(Self.setting("type=adamw beta3=0.9"))
      Issue.record("it took beta3")
    } catch {
      #expect(error.list.map(\.sentence) == ["no option here is named 'beta3'"])
      #expect(error.list.first?.hint?.contains("beta") == true)
    }
  }

  /// The matrix that Muon's iteration makes has singular values around one: between 0.6 and 1.3 for a random one.
  @Test("muon makes matrices nearly orthogonal", arguments: [(6, 6), (3, 8), (8, 3)])
  func orthogonal(_ rows: Int, _ columns: Int) {
    var state: UInt64 = 1
    var x = (0..<rows * columns).map { _ -> Float in
      state = state &* 6_364_136_223_846_793_005 &+ 1
      return Float(state >> 40) / Float(1 << 23) - 1
    }
    Muon(.unset).orthogonalize(&x, rows: rows, columns: columns, pool: ThreadPool(threads: 1))
    // ‖X‖² is the sum of the squares of the singular values.
    let squares = x.reduce(0) { $0 + $1 * $1 }
    let count = Float(min(rows, columns))
    #expect(squares > 0.4 * count && squares < 1.6 * count)
  }

  static func make(_ setting: Setting) throws(Problems) -> any Optimizer {
    try Registry(standardComponents).make(.optimizer, setting)
  }

  static func setting(_ options: String) -> Setting {
    Setting(
      .group(
        options.split(separator: " ").map { option in
          let parts = option.split(separator: "=")
          return Setting.Entry(String(parts[0]), Setting(text: String(parts[1])))
        }))
  }

  static func run(_ options: String, name: String, shape: [Int], threads: Int) throws -> [Float] {
    let optimizer = try make(setting(options))
    let tensor = PlannedTensor(name: TensorName(name), shape: shape, initialization: .zeros)
    let parameters = try Floats(count: 6)
    parameters.base.update(from: start, count: 6)
    let moments = try optimizer.moments(of: tensor).map { _ in try Floats(count: 6) }
    for step in 0..<3 {
      let gradients: [Float] = (0..<6).map { (i: Int) -> Float in
        let whole = (i * 7 + step * 5) % 11 - 5
        return Float(0.1 * Double(whole) / 5)
      }
      gradients.withUnsafeBufferPointer { gradients in
        guard let base = gradients.baseAddress else { return }
        optimizer.update(
          TensorUpdate(
            tensor: tensor, parameters: parameters.base, gradients: base, moments: moments.map(\.base), step: step + 1,
            rate: 0.1, gradientScale: 1, pool: ThreadPool(threads: threads)))
      }
    }
    return Array(UnsafeBufferPointer(start: parameters.base, count: 6))
  }
}
