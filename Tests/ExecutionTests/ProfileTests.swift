import Conformance
import Execution
import Kernels
import TestSupport
import Testing

@Suite struct ProfileTests {
  /// An executor of the plan as it was composed, whose steps can be counted by hand.
  private func executor(_ model: TinyModel, rows: Int = 16) throws -> PlanExecutor {
    try PlanExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 2), maximumRows: rows, states: .f32, fusing: false,
      computeType: .stored)
  }

  @Test("nothing is measured until it is asked for, and nothing after")
  func onRequest() throws {
    let executor = try executor(TinyModel())
    let sequence = try executor.openSequence(length: 4)
    try executor.forward([(sequence, [1])], logits: .last) { _, _, _ in }
    #expect(executor.profile == nil)
    executor.startProfile()
    try executor.forward([(sequence, [2])], logits: .last) { _, _, _ in }
    #expect(executor.profile?.passes(.generation) == 1)
    executor.endProfile()
    #expect(executor.profile == nil)
  }

  @Test("a profiled pass computes what a plain one does")
  func sameLogits() throws {
    let model = try TinyModel("position=rope")
    let plain = try model.logits(TinyModel.tokens, parts: 10)
    let executor = try executor(model)
    executor.startProfile()
    let sequence = try executor.openSequence(length: 10)
    var logits: [Float] = []
    try executor.forward([(sequence, TinyModel.tokens)], logits: .all) { _, _, row in logits += row }
    #expect(largestDifference(logits, plain) < 1e-5)
  }

  @Test("every step is counted once, under its operator and its place")
  func counts() throws {
    let model = try TinyModel("position=rope", "mlp.gated=true")
    let executor = try executor(model)
    executor.startProfile()
    let sequence = try executor.openSequence(length: 10)
    try executor.forward([(sequence, [1, 2, 3])], logits: .last) { _, _, _ in }
    for token in [4, 5] { try executor.forward([(sequence, [token])], logits: .last) { _, _, _ in } }
    let profile = try #require(executor.profile)
    #expect(profile.passes(.prompt) == 1 && profile.tokens(.prompt) == 3)
    #expect(profile.passes(.generation) == 2 && profile.tokens(.generation) == 2)
    for phase in Profile.Phase.allCases {
      let steps = model.plan.steps.count * profile.passes(phase)
      for lines in [profile.byOperator(phase), profile.byScope(phase)] {
        #expect(lines.reduce(0) { $0 + $1.calls } == steps)
        #expect(abs(lines.reduce(0) { $0 + $1.seconds } - profile.seconds(phase)) < 1e-9)
        #expect(lines.allSatisfy { $0.seconds >= 0 && $0.seconds.isFinite })
        #expect(zip(lines, lines.dropFirst()).allSatisfy { $0.seconds >= $1.seconds })
      }
    }
    let places = profile.byScope(.generation).map(\.name)
    for place in ["attn.q", "attn.attend", "mlp.down", "attn_norm", "final_norm", "head", "embed.tokens"] {
      #expect(places.contains(place), "\(place) among \(places)")
    }
    #expect(!places.contains { $0.contains("layers") })
  }

  @Test("work is that of the plan: operations of each position, and each matrix once a pass")
  func work() throws {
    let model = try TinyModel()
    let executor = try executor(model)
    executor.startProfile()
    let sequence = try executor.openSequence(length: 16)
    for token in 0..<6 { try executor.forward([(sequence, [token])], logits: .last) { _, _, _ in } }
    let measured = try #require(executor.profile).byOperator(.generation)
    let flops = (0..<6).reduce(0) { $0 + model.plan.flopsPerToken(context: $1 + 1) }
    #expect(measured.reduce(0) { $0 + $1.work.flops } == Double(flops))
    var planned = Work()
    for position in 0..<6 { planned.add(executor.work(tokens: 1, position: position)) }
    #expect(planned.flops == Double(flops))
    // 2 layers of q, k, v, o and up, down; the head; four bytes a number.
    let matrices = 2 * (16 * 16 * 2 + 16 * 8 * 2 + 2 * 24 * 16) + 13 * 16
    #expect(planned.weightBytes == Double(6 * 4 * matrices))
    #expect(measured.reduce(0) { $0 + $1.work.weightBytes } == planned.weightBytes)
  }

  @Test("a prompt in several passes reads its matrices as often, and only its last token needs the head")
  func promptWork() throws {
    let model = try TinyModel("context_length=64")
    let executor = try executor(model, rows: 16)
    let layers = 2 * (16 * 16 * 2 + 16 * 8 * 2 + 2 * 24 * 16), head = 13 * 16
    #expect(executor.work(tokens: 40).weightBytes == Double(4 * (3 * layers + head)))
    let all = (0..<40).reduce(0) { $0 + model.plan.flopsPerToken(context: $1 + 1) }
    let heads = model.plan.steps.filter { $0.outputs.first?.axis == .outputs }
    let one = heads.reduce(0) { $0 + $1.operation.flops(step: $1, context: 40) }
    #expect(executor.work(tokens: 40).flops == Double(all - 39 * one))
  }
}
