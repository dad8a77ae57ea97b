import Formats
import Components
import Conformance
import Execution
import Kernels
import TestSupport
import Testing

@Suite struct StateFormatTests {
  static let lossy: [StorageFormat] = [.f16, .bf16, .q8_0]

  // A kept number is off by 2⁻¹² (f16), 2⁻⁹ (bf16) and 1/254 of the largest of its block (q8_0) of its size. Scores,
  // values and what two layers make of them are of the order of 1, and so are logits.
  static let bounds: [StorageFormat: Float] = [.f32: 2e-5, .f16: 4e-3, .bf16: 4e-2, .q8_0: 4e-2]

  /// Heads of 16, so that a row of keys is one block.
  private func model(_ patches: String...) throws -> TinyModel {
    try TinyModel(patches: patches + ["attention.head_dim=16"])
  }

  @Test(
    "logits with states in a narrower format are near those with f32, and not the same", arguments: lossy,
    KernelLevel.available)
  func near(_ format: StorageFormat, _ level: KernelLevel) throws {
    let model = try model("context_length=64", "position=rope")
    let exact = try model.logits(PlanExecutorTests.long, parts: 60, maximumRows: 64)
    let found = try level.perform {
      try model.logits(PlanExecutorTests.long, parts: 60, maximumRows: 64, states: format)
    }
    let difference = largestDifference(found, exact)
    #expect(difference < Self.bounds[format] ?? 0 && difference > 1e-6)
  }

  @Test(
    "a prompt at once and token by token agree in every format, windows and all", arguments: PlannedState.formats,
    [1, 7, 16])
  func stepByStep(_ format: StorageFormat, _ parts: Int) throws {
    let model = try model("context_length=64", "attention.window=5", "position=rope")
    let whole = try model.logits(PlanExecutorTests.long, parts: 60, maximumRows: 64, states: format)
    // Rounding in another order may tip a kept number over to its neighbour, which is worth a part of the bound.
    let bound = max(2e-5, (Self.bounds[format] ?? 0) / 4)
    #expect(largestDifference(try model.logits(PlanExecutorTests.long, parts: parts, states: format), whole) < bound)
  }

  @Test("rows that are not whole blocks are kept in bf16, and what must be exact in f32")
  func fallbacks() {
    let odd = PlannedState(name: "k", width: 40, extent: .perToken, precision: .any)
    #expect(odd.format(wanted: .q8_0) == .bf16 && odd.rowBytes(wanted: .q8_0) == 80)
    #expect(odd.format(wanted: .f16) == .f16)
    let whole = PlannedState(name: "k", width: 64, extent: .perToken, precision: .any)
    #expect(whole.format(wanted: .q8_0) == .q8_0 && whole.rowBytes(wanted: .q8_0) == 68)
    let exact = PlannedState(name: "s", width: 64, extent: .fixed, precision: .full)
    #expect(exact.format(wanted: .q8_0) == .f32 && exact.rowBytes(wanted: .q8_0) == 256)
  }

  @Test("a plan tells the bytes of its states in every format")
  func bytes() throws {
    let plan = try model("attention.window=5").plan  // 2 layers, keys and values of 2 heads of 16
    #expect(plan.stateBytesPerToken(in: .f32) == 2 * 2 * 32 * 4)
    #expect(plan.stateBytes(length: 100, in: .bf16) == 2 * 2 * 32 * 2 * 5)
    #expect(plan.stateBytes(length: 3, in: .q8_0) == 2 * 2 * 34 * 3)
  }

  @Test("a window's state has room for what it reads and a pass, whatever the length")
  func windowRoom() throws {
    let model = try model("context_length=100000", "attention.window=100")
    let executor = try PlanExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 1), maximumRows: 32, states: .f32, fusing: true,
      computeType: .stored)
    #expect(try executor.openSequence(length: 100_000).byteCount == 2 * 2 * 32 * 4 * (99 + 32))
    #expect(try executor.openSequence(length: 7).byteCount == 2 * 2 * 32 * 4 * 7)
  }

  #if os(Linux)
    @Test("a sequence opened for many tokens takes memory for those it has")
    func grows() throws {
      let model = try model("context_length=1000000")
      let executor = try PlanExecutor(
        model.plan, model.parameters, pool: ThreadPool(threads: 1), states: .f32, fusing: true, computeType: .stored)
      let before = try Here.residentBytes()
      let sequence = try executor.openSequence(length: 1_000_000)
      #expect(sequence.byteCount == 512_000_000)
      for _ in 0..<3 {
        try executor.forward([(sequence, TinyModel.tokens)], logits: .last) { _, _, _ in }
        sequence.reset()
      }
      #expect(try Here.residentBytes() - before < 100_000_000)  // other tests run meanwhile
      #expect(sequence.length == 1_000_000)
    }
  #endif
}
