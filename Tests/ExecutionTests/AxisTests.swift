import Components
import Execution
import Kernels
import Testing

/// A plan that no file can ask for yet: two encoders whose tokens all see each other, one of token ids and one of given
/// rows, a decoder that reads both by cross-attention, and a prefix mask over its own tokens.
@Suite("rows of other axes")
struct AxisTests {
  static let width = 8
  static let heads = 2
  static let vocabulary = 11

  private static func plan(mask: Attend.Mask = .prefix, windowAfter: Int? = nil) throws -> (
    plan: Plan, axes: (RowAxis, RowAxis)
  ) {
    var plan = PlanBuilder(
      shape: ModelShape(vocabSize: vocabulary, contextLength: 16, hiddenSize: width, layerCount: 1))
    let (source, image) = (plan.axis("source"), plan.axis("image", inputWidth: 5))
    func embed(_ name: String, on axis: RowAxis, _ plan: inout PlanBuilder) -> Value {
      let table = plan.parameter("\(name).weight", shape: [vocabulary, width], starts: .normal(0.5))
      return plan.apply(EmbeddingLookup(axis: axis), to: [], parameters: [table])[0]
    }
    func attend(
      _ x: Value, to memory: Value, _ name: String, mask: Attend.Mask, windowAfter: Int? = nil,
      _ plan: inout PlanBuilder
    ) -> Value {
      plan.within(name) { plan in
        let q = plan.linear(x, to: width, named: "q")
        let k = plan.linear(memory, to: width / 2, named: "k")
        let v = plan.linear(memory, to: width / 2, named: "v")
        let states = [
          plan.state("k", width: k.width, extent: .perToken, precision: .any, axis: memory.axis),
          plan.state("v", width: v.width, extent: .perToken, precision: .any, axis: memory.axis),
        ]
        let attend = Attend(
          mask: mask, heads: heads, keyHeads: 1, scale: 0.5, window: nil, windowAfter: windowAfter, softcap: nil,
          bias: nil)
        return plan.linear(plan.apply(attend, to: q, k, v, states: states), to: width, named: "o")
      }
    }
    var text = embed("embed", on: .tokens, &plan)
    var words = embed("source.embed", on: source, &plan)
    let patches = plan.apply(InputRows(axis: image, width: 5), to: [])[0]
    var picture = plan.linear(patches, to: width, named: "image.embed")
    words = plan.add(words, attend(words, to: words, "source.attn", mask: .full, windowAfter: windowAfter, &plan))
    picture = plan.add(picture, attend(picture, to: picture, "image.attn", mask: .full, &plan))
    text = plan.add(text, attend(text, to: text, "text.attn", mask: mask, &plan))
    text = plan.add(text, attend(text, to: words, "text.cross", mask: .full, &plan))
    text = plan.add(text, attend(text, to: picture, "text.look", mask: .full, &plan))
    let logits = plan.linear(plan.selectRows(text), to: vocabulary, named: "head")
    return (try plan.finish(name: "two axes", logits: logits), (source, image))
  }

  private static let texts = [[1, 5, 2, 8, 3], [7, 7, 4]]
  private static let prefixes = [2, 1]
  private static func given(_ axes: (RowAxis, RowAxis)) -> [[RowAxis: AxisInput]] {
    let rows = { (count: Int, seed: Int) in (0..<5 * count).map { Float(($0 * 7 + seed) % 11) / 7 - 0.6 } }
    return [
      [axes.0: .tokens([3, 1, 9, 10]), axes.1: .rows(rows(3, 2))],
      [axes.0: .tokens([6, 2]), axes.1: .rows(rows(6, 5))],
    ]
  }

  /// The logits of every token, the texts in parts of `parts` tokens after their prefixes.
  private static func logits(
    _ plan: Plan, _ parameters: Parameters, _ given: [[RowAxis: AxisInput]], parts: Int, batch: Bool = true
  ) throws -> [[Float]] {
    let executor = try PlanExecutor(
      plan, parameters, pool: ThreadPool(threads: 2), maximumRows: 16, states: .f32, fusing: true, computeType: .stored)
    var results = texts.map { _ in [Float]() }
    let sequences = try texts.indices.map { try executor.openSequence(length: texts[$0].count, prefix: prefixes[$0]) }
    var done = texts.map { _ in 0 }
    while done != texts.map(\.count) {
      let next = texts.indices.filter { done[$0] < texts[$0].count }
      for group in batch ? [next] : next.map({ [$0] }) {
        let inputs = group.map { index in
          let end = min(texts[index].count, done[index] == 0 ? max(parts, prefixes[index]) : done[index] + parts)
          return (sequence: sequences[index], tokens: Array(texts[index][done[index]..<end]))
        }
        try executor.forward(inputs, beside: group.map { given[$0] }, logits: .all) { input, _, row in
          results[group[input]] += row
        }
        for (index, input) in zip(group, inputs) { done[index] += input.tokens.count }
      }
    }
    return results
  }

  private func distance(_ a: [[Float]], _ b: [[Float]]) -> Float {
    zip(a.joined(), b.joined()).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  // A few roundings of numbers near 1: the same sums, by kernels for few and for many rows.
  @Test("at once, token by token, and each sequence alone give the same logits")
  func decoding() throws {
    let (plan, axes) = try Self.plan()
    let parameters = try Parameters(plan, seed: 3)
    let whole = try Self.logits(plan, parameters, Self.given(axes), parts: 16)
    #expect(whole.map(\.count) == Self.texts.map { $0.count * Self.vocabulary })
    #expect(try distance(whole, Self.logits(plan, parameters, Self.given(axes), parts: 1)) < 2e-5)
    #expect(try distance(whole, Self.logits(plan, parameters, Self.given(axes), parts: 2, batch: false)) < 2e-5)
  }

  @Test("a mask decides who sees whom")
  func masks() throws {
    let (plan, axes) = try Self.plan()
    let parameters = try Parameters(plan, seed: 3)
    let before = try Self.logits(plan, parameters, Self.given(axes), parts: 16)
    // The last word of a source, and the first row of an image, reach every token of their own text and of no other.
    for (axis, change) in [
      (axes.0, AxisInput.tokens([3, 1, 9, 0])), (axes.1, .rows(Array(repeating: 0.25, count: 15))),
    ] {
      var given = Self.given(axes)
      given[0][axis] = change
      let after = try Self.logits(plan, parameters, given, parts: 16)
      for token in 0..<5 {
        let range = token * Self.vocabulary..<(token + 1) * Self.vocabulary
        #expect(before[0][range] != after[0][range], "token \(token)")
      }
      #expect(before[1] == after[1])
    }
    // With a causal mask the first token does not see the second; with a prefix of two it does.
    let (causal, causalAxes) = try Self.plan(mask: .causal)
    let others = try Self.logits(causal, Parameters(causal, seed: 3), Self.given(causalAxes), parts: 16)
    #expect(before[0][..<Self.vocabulary] != others[0][..<Self.vocabulary])
    #expect(distance([Array(before[0][(2 * Self.vocabulary)...])], [Array(others[0][(2 * Self.vocabulary)...])]) < 2e-5)
    // A prefix of one token is a causal mask.
    #expect(distance([before[1]], [others[1]]) < 2e-5)
  }

  @Test("plans that differ in a mask or a window are unequal, and their attributes say so")
  func equality() throws {
    let plans = [try Self.plan().plan, try Self.plan(mask: .causal).plan, try Self.plan(windowAfter: 1).plan]
    #expect(
      plans[0].difference(from: plans[1])
        == .init(own: "attend in text.attn: mask prefix", other: "attend in text.attn: mask causal"))
    #expect(plans[0].difference(from: plans[2])?.other == "attend in source.attn: window_after 1")
    for plan in plans { #expect(plan.verify().isEmpty && plan.fused().verify().isEmpty) }
  }

  // With the loss in Double over few tokens, ε = 1e-2 leaves three digits of Float.
  @Test("gradients are those of finite differences", arguments: [Attend.Mask.prefix, .causal])
  func gradients(_ mask: Attend.Mask) throws {
    let (plan, axes) = try Self.plan(mask: mask, windowAfter: 1)
    let parameters = try Parameters(plan, seed: 5)
    let executor = try GradientExecutor(
      plan, parameters, pool: ThreadPool(threads: 2), rows: 16, options: TrainingOptions(precision: .f32))
    let targets = [[5, 2, 8, -1, 1], [7, 4, 0]]
    func loss() throws -> Double {
      7 * (try executor.loss(Self.texts, targets: targets, beside: Self.given(axes), prefixes: Self.prefixes))
    }
    _ = try executor.trainingLoss(
      Self.texts, targets: targets, beside: Self.given(axes), prefixes: Self.prefixes, gradientScale: 7)
    for (index, tensor) in plan.parameters.enumerated() {
      let gradient = Array(executor.gradient(index))
      let numbers = try #require(parameters.mutable(index))
      let largest = gradient.reduce(0) { max($0, abs($1)) }
      for i in stride(from: 0, to: numbers.count, by: 3) {
        let original = numbers[i]
        numbers[i] = original + 1e-2
        let above = try loss()
        numbers[i] = original - 1e-2
        let below = try loss()
        numbers[i] = original
        let measured = (above - below) / 2e-2
        #expect(
          abs(measured - Double(gradient[i])) <= 0.01 * abs(measured) + 0.003 * Double(max(largest, 1)),
          "\(tensor.name)[\(i)]: \(gradient[i]), measured \(measured)")
      }
    }
  }

  @Test("what an axis does not take is refused")
  func refused() throws {
    let (plan, axes) = try Self.plan()
    let executor = try PlanExecutor(
      plan, Parameters(plan, seed: 3), pool: ThreadPool(threads: 1), maximumRows: 16, states: .f32, fusing: true,
      computeType: .stored)
    func run(_ given: [RowAxis: AxisInput]) throws {
      let sequence = try executor.openSequence(length: 5, prefix: 2)
      try executor.forward([(sequence, [1, 2])], beside: [given], logits: .last) { _, _, _ in }
    }
    #expect(throws: ExecutionProblem.wrongInput("source")) { try run([axes.0: .rows([1])]) }
    #expect(throws: ExecutionProblem.wrongInput("image")) { try run([axes.1: .rows([1, 2, 3])]) }
    #expect(throws: ExecutionProblem.unknownToken(11, vocabulary: 11)) { try run([axes.0: .tokens([11])]) }
    #expect(throws: ExecutionProblem.tooLong(tokens: 17, limit: 16)) {
      try run([axes.0: .tokens(Array(repeating: 1, count: 17))])
    }
    #expect(throws: ExecutionProblem.tooLong(tokens: 2, limit: 1)) {
      let sequence = try executor.openSequence(length: 5, prefix: 2)
      try executor.forward([(sequence, [1])], beside: [Self.given(axes)[0]], logits: .last) { _, _, _ in }
    }
    #expect(throws: ExecutionProblem.missingInput("source")) {
      let sequence = try executor.openSequence(length: 5)
      try executor.forward([(sequence, [1])], logits: .last) { _, _, _ in }
    }
    #expect(throws: ExecutionProblem.missingInput("image")) { try run([axes.0: .tokens([1])]) }
  }
}
