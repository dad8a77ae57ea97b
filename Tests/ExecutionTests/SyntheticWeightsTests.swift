import Formats
import Conformance
import Execution
import Kernels
import TestSupport
import Testing

@Suite struct SyntheticWeightsTests {
  @Test("numbers deviate as they should, in every format", arguments: StorageFormat.allCases)
  func deviation(_ format: StorageFormat) {
    let count = 256 * 400
    let bytes = randomBlocks(format, count: count, deviation: 0.02, seed: 1)
    #expect(bytes.count == format.byteCount(elements: count))
    #expect(bytes == randomBlocks(format, count: count, deviation: 0.02, seed: 1), "the same every time")
    #expect(bytes != randomBlocks(format, count: count, deviation: 0.02, seed: 2))
    var numbers = [Float](repeating: 0, count: count)
    bytes.withUnsafeBytes { if let base = $0.baseAddress { widen(format, base, count: count, into: &numbers) } }
    // 102,400 numbers: the mean deviates by 6e-5 and the deviation by 0.3 %; rounding to 4 bits adds 2 %. The middle of
    // quants from 0 to 63 is half a step beside their zero at 32: 0.02 · 0.5 / 18.5 = 5.4e-4.
    #expect(abs(numbers.reduce(0, +) / Float(count)) < 8e-4)
    let deviation = (numbers.reduce(0) { $0 + $1 * $1 } / Float(count)).squareRoot()
    #expect(abs(deviation / 0.02 - 1) < 0.05, "\(deviation)")
  }

  @Test("a model runs on them and gives finite logits that differ", arguments: StorageFormat.allCases)
  func runs(_ format: StorageFormat) throws {
    let model = try TinyModel("hidden_size=256", "mlp.intermediate_size=512")
    let pool = ThreadPool(threads: 2)
    let weights = try SyntheticWeights(model.plan, format: format, pool: pool)
    for tensor in model.plan.parameters {
      let stored = try #require(weights.tensors[tensor.name.text])
      #expect(stored.shape == tensor.shape && stored.format == (tensor.use == .vector ? .f32 : format))
      #expect(stored.bytes.count == stored.format.byteCount(elements: tensor.count))
    }
    let executor = try PlanExecutor(
      model.plan, Parameters(model.plan, stored: weights.tensors), pool: pool, states: .f32, fusing: true,
      computeType: .stored)
    let sequence = try executor.openSequence(length: 4)
    try executor.forward([(sequence, [1, 2, 3])], logits: .last) { _, _, logits in
      #expect(logits.allSatisfy(\.isFinite) && Set(logits).count > 10)
    }
  }

  @Test("matrices whose rows are not whole blocks are f16")
  func partBlocks() throws {
    let plan = try TinyModel().plan
    let weights = try SyntheticWeights(plan, format: .q8_0, pool: ThreadPool(threads: 1))
    for tensor in plan.parameters where tensor.use == .matrix {
      #expect(weights.tensors[tensor.name.text]?.format == ((tensor.shape.last ?? 0) % 32 == 0 ? .q8_0 : .f16))
    }
  }
}
