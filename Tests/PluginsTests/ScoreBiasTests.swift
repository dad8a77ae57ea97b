import Components
import Execution
import Kernels
import Specification
import TestSupport
import Testing

/// Biases on scores in plans that no file can ask for yet: with a full or a prefix mask, and with keys of another axis.
@Suite("biases on attention scores")
struct ScoreBiasTests {
  private static let (heads, width, vocabulary) = (3, 6, 13)

  /// The bias that `options` of the position encoding `type` give attention with three heads.
  private static func bias(_ type: String, _ options: String = "") throws -> any ScoreBias {
    let setting = try YAMLReader(source: "bias").read("{type: \(type)\(options)}")
    let position = try Standard.kit.registry.make(.position, setting, as: (any PositionEncoding).self)
    return try #require(position.scoreBias(heads: heads, scale: 0.5))
  }

  /// One attention over the text's tokens, or over those of a source.
  private static func plan(_ bias: any ScoreBias, _ mask: Attend.Mask, crosses: Bool = false) throws -> Plan {
    var plan = PlanBuilder(
      shape: ModelShape(vocabSize: vocabulary, contextLength: 16, hiddenSize: width, layerCount: 1))
    let source = crosses ? plan.axis("source") : .tokens
    func embed(_ name: String, on axis: RowAxis, _ plan: inout PlanBuilder) -> Value {
      let table = plan.parameter("\(name).weight", shape: [vocabulary, width], starts: .normal(0.5))
      return plan.apply(EmbeddingLookup(axis: axis), to: [], parameters: [table])[0]
    }
    let x = embed("text", on: .tokens, &plan)
    let memory = crosses ? embed("source", on: source, &plan) : x
    let q = plan.linear(x, to: width, named: "q")
    let k = plan.linear(memory, to: width, named: "k")
    let v = plan.linear(memory, to: width, named: "v")
    let states = ["k", "v"].map { plan.state($0, width: width, extent: .perToken, precision: .any, axis: source) }
    let attend = Attend(
      mask: mask, heads: heads, keyHeads: heads, scale: 0.5, window: nil, softcap: nil, bias: bias)
    let y = plan.apply(attend, to: q, k, v, states: states)
    let logits = plan.linear(plan.selectRows(y), to: vocabulary, named: "head")
    return try plan.finish(name: "biased", logits: logits)
  }

  /// The logits of all tokens of `text`, the first `prefix` of which see each other.
  private static func logits(_ plan: Plan, _ text: [Int], prefix: Int) throws -> [[Float]] {
    let executor = try PlanExecutor(
      plan, Parameters(plan, seed: 4), pool: ThreadPool(threads: 1), maximumRows: 16, states: .f32, fusing: false,
      computeType: .f32)
    var rows: [[Float]] = []
    let sequence = try executor.openSequence(length: text.count, prefix: prefix)
    try executor.forward([(sequence, text)], logits: .all) { _, _, row in rows.append(Array(row)) }
    return rows
  }

  // A text read from its other end gives each token the same keys at the same distances: under a full mask the logits
  // are the same, in the other order. A bias that grew behind the query would tell the ends apart.
  @Test(
    "under a full mask a text and its mirror image give the same logits", arguments: ["", ", max_bias: 4, strength: 2"])
  func mirrored(_ options: String) throws {
    let plan = try Self.plan(Self.bias("alibi", options), .full)
    let text = [3, 1, 4, 1, 5, 9, 2, 6]
    let there = try Self.logits(plan, text, prefix: text.count)
    let back = try Self.logits(plan, text.reversed(), prefix: text.count)
    for (a, b) in zip(there, back.reversed()) {
      for (x, y) in zip(a, b) { #expect(abs(x - y) < 1e-5) }
    }
    // It does something: without distance all orders of the same tokens would be one.
    #expect(there[1] != there[3], "one token at two positions")
  }

  @Test("under a full mask a nearer key weighs more, whether it comes before the query or after it")
  func nearer() throws {
    let bias = try Self.bias("alibi")
    var scores = [Float](repeating: 0, count: 9)
    scores.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { bias.add(to: base, count: 9, head: 1, query: 6, firstKey: 2) }
    }
    for distance in 1...4 { #expect(scores[4 - distance] == scores[4 + distance] && scores[4 + distance] < 0) }
    #expect(scores[4] == 0 && scores[3] < 0 && scores[8] < scores[5])
  }

  @Test("under a prefix mask tokens of the prefix are penalized by their distance, too")
  func prefix() throws {
    let plan = try Self.plan(Self.bias("alibi"), .prefix)
    let (text, same) = ([7, 2, 9, 2, 7], 5)
    let whole = try Self.logits(plan, text, prefix: same)
    for (x, y) in zip(whole[0], whole[4]) { #expect(abs(x - y) < 1e-5, "the ends of a palindrome") }
  }

  @Test("one that is for keys up to the query is refused by name under another mask, and any on another axis")
  func refused() throws {
    _ = try Self.plan(Self.bias("alibi", ", precision: bf16"), .causal)
    for mask in [Attend.Mask.full, .prefix] {
      let problems = try #require(throws: Problems.self) {
        _ = try Self.plan(Self.bias("alibi", ", precision: bf16"), mask)
      }
      #expect(
        problems.list[0].sentence.contains(
          "adds the bias 'alibi', which is for keys up to the query's own, under a \(mask.rawValue) mask"))
    }
    let problems = try #require(throws: Problems.self) { _ = try Self.plan(Self.bias("alibi"), .full, crosses: true) }
    #expect(problems.list[0].sentence.contains("adds the bias 'alibi', which goes by positions, to scores of keys on"))
  }
}
