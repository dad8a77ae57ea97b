import Components
import Conformance
import Execution
import Files
import Foundation
import Generation
import Kernels
import Models
import Specification
import TestSupport
import Testing

/// Answers depend on the text, and not on the room that is left for more of it, nor on the texts beside it.
@Suite struct LengthTests {
  /// A small model of the architecture's shape, whose position scaling begins within a few tokens where it has one.
  private static func model(_ name: String) throws -> (Plan, Parameters) {
    let plan = try PassTests.shrunk(name, adding: ["position.scaling.original_context=8"])
    let parameters = try Parameters(plan, seed: 3)
    var noise = Noise(seed: 4)
    for index in plan.parameters.indices {
      guard let numbers = parameters.mutable(index) else { continue }
      for i in numbers.indices { numbers[i] += 0.1 * noise.next() }
    }
    return (plan, parameters)
  }

  private static let text = (0..<20).map { ($0 * 11 + 3) % 61 }

  /// The logits of `text` and of six tokens after it, one by one where they can be, in a sequence opened for `room` tokens.
  private func logits(_ executor: PlanExecutor, room: Int, beside other: [Int] = []) throws -> [Float] {
    let sequence = try executor.openSequence(length: room)
    let turns = [Self.text, [5], [6], [7], [8], [9], [10]]
    var logits: [Float] = []
    let neighbour = try executor.openSequence(length: 32)
    for tokens in executor.plan.seesWholeTexts ? [turns.flatMap(\.self)] : turns {
      let inputs = [(sequence: neighbour, tokens: other), (sequence: sequence, tokens: tokens)]
        .filter { !$0.tokens.isEmpty }
      try executor.forward(inputs, logits: .all) { input, _, row in
        if input == inputs.count - 1 { logits += row }
      }
    }
    return logits
  }

  @Test("a model opened for n tokens and for m gives the same bits", arguments: PassTests.names)
  func opened(_ name: String) throws {
    let (plan, parameters) = try Self.model(name)
    let executor = try PlanExecutor(
      plan, parameters, pool: ThreadPool(threads: 2), maximumRows: plan.seesWholeTexts ? 32 : 16, states: .f32,
      fusing: true, computeType: .stored)
    let exact = try logits(executor, room: 26)
    #expect(exact.count == 26 * plan.logits.width)
    for room in [27, 32] { #expect(try logits(executor, room: room) == exact, "opened for \(room)") }
  }

  // One row and several are added up in different orders: a few roundings of numbers near 1.
  @Test("a text gives the same logits beside another, longer or shorter", arguments: PassTests.names)
  func beside(_ name: String) throws {
    let (plan, parameters) = try Self.model(name)
    let executor = try PlanExecutor(
      plan, parameters, pool: ThreadPool(threads: 2), maximumRows: 48, states: .f32, fusing: true, computeType: .stored)
    let alone = try logits(executor, room: 26)
    for other in [[3], [1, 4, 1, 5]] {
      #expect(largestDifference(try logits(executor, room: 30, beside: other), alone) < 1e-5, "beside \(other)")
    }
  }

  /// Tiny models with what transformers 5.23 generates greedily across the border where the scaling begins:
  /// `Tests/Interop/lengths.py`.
  private static let folder = Here.package + "/Tests/Regressions/Lengths"
  static let scaled = ["phi3-longrope", "llama-longrope", "llama-dynamic"]

  private static func load(_ name: String) throws -> (LoadedModel, JSONValue) {
    let models = try Here.models()
    let path = "\(folder)/\(name)"
    let loaded = try models.load(models.describe(path))
    #expect(loaded.description.notes.isEmpty)
    return (loaded, try JSONValue(parsing: String(contentsOfFile: path + "/expected.json", encoding: .utf8)))
  }

  private static func numbers(_ value: JSONValue?) throws -> [Int] {
    try #require(value?.array).compactMap(\.integer)
  }

  @Test("what is generated across the border is the reference's, for every limit of the output", arguments: scaled)
  func generation(_ name: String) throws {
    let (loaded, expected) = try Self.load(name)
    let executor = try loaded.executor(pool: ThreadPool(threads: 2), states: .f32, computeType: .f32)
    let (prompt, greedy) = (try Self.numbers(expected["prompt"]), try Self.numbers(expected["greedy"]))
    #expect(prompt.count < 24 && prompt.count + greedy.count > 40)
    var settings = TextGenerator.Settings()
    settings.sampling.temperature = 0
    for limit in [1, 9, 10, 11, 12, 40] {
      settings.maximumTokens = limit
      let result = try TextGenerator(executor, tokenizer: nil).generate(prompt, settings) { _, _ in true }
      #expect(result.tokens == Array(greedy.prefix(limit)), "at most \(limit) tokens")
    }
    // Beside texts that are past the border already, and such as never come to it.
    settings.maximumTokens = 40
    let others = [(0..<40).map { $0 * 3 % 32 }, [4, 2]]
    try BatchGenerator(executor, tokenizer: nil, together: 3)
      .generate([others[0], prompt, others[1]], settings) { index, result in
        if index == 1 { #expect(result.tokens == greedy, "in a batch") }
      }
  }

  // Float sums of some 16 terms near 1, in another order than torch's.
  @Test("a text beyond the border has the reference's logits, in passes of any length", arguments: scaled)
  func longText(_ name: String) throws {
    let (loaded, expected) = try Self.load(name)
    let text = try Self.numbers(expected["text"])
    let wanted = try #require(expected["logits"]?.array).compactMap(\.number).map(Float.init)
    // No pass takes more than so many rows, and what a pass holds decides nothing.
    for rows in [16, 64] {
      let executor = try loaded.executor(
        pool: ThreadPool(threads: 2), maximumRows: rows, states: .f32, computeType: .f32)
      let sequence = try executor.openSequence(length: 90)
      var last: [Float] = []
      try executor.forward([(sequence, text)], logits: .last) { _, _, row in last = Array(row) }
      #expect(largestDifference(last, wanted) < 1e-4, "\(rows) rows in a pass")
    }
  }

  @Test("only logits of new tokens are handed out where earlier ones are computed again")
  func recomputed() throws {
    let (loaded, expected) = try Self.load("phi3-longrope")
    let text = try Self.numbers(expected["text"])
    let executor = try loaded.executor(pool: ThreadPool(threads: 1), maximumRows: 16, states: .f32, computeType: .f32)
    let whole = try executor.openSequence(length: 60)
    var wanted: [[Float]] = []
    try executor.forward([(whole, Array(text.prefix(30)))], logits: .all) { _, _, row in wanted.append(Array(row)) }
    let parted = try executor.openSequence(length: 60)
    try executor.forward([(parted, Array(text.prefix(20)))], logits: .all) { _, _, _ in }
    var positions: [Int] = []
    try executor.forward([(parted, Array(text[20..<30]))], logits: .all) { _, position, row in
      positions.append(position)
      #expect(largestDifference(Array(row), wanted[position]) < 1e-5)
    }
    #expect(positions == Array(20..<30))
  }

  @Test("a wider context moves no length that a scaling is measured from", arguments: scaled)
  func contextSetting(_ name: String) throws {
    let models = try Here.models()
    let path = "\(Self.folder)/\(name)"
    let expected = try JSONValue(parsing: String(contentsOfFile: path + "/expected.json", encoding: .utf8))
    let text = try Self.numbers(expected["text"])
    let wanted = try #require(expected["logits"]?.array).compactMap(\.number).map(Float.init)
    for context in [60, 100, 1000] {
      let loaded = try models.load(models.describe(path, patches: try Overrides(["context_length=\(context)"]).patches))
      let executor = try loaded.executor(pool: ThreadPool(threads: 1), states: .f32, computeType: .f32)
      let sequence = try executor.openSequence(length: 60)
      var last: [Float] = []
      try executor.forward([(sequence, text)], logits: .last) { _, _, row in last = Array(row) }
      #expect(largestDifference(last, wanted) < 1e-4, "context_length=\(context)")
    }
  }

  @Test("texts longer than the context are taken where the scaling is made for them")
  func longestTexts() throws {
    let models = try Here.models()
    func longest(_ changes: String...) throws -> Int {
      try models.describe("llama-mini", patches: try Overrides(["context_length=64"] + changes).patches).plan
        .longestText
    }
    #expect(try longest() == 64)
    #expect(try longest("position.scaling={type: dynamic, factor: 2, original_context: 64}") == Int.max)
    #expect(try longest("position.scaling={type: yarn, factor: 4, original_context: 64}") == 256)
    #expect(try longest("position.scaling={type: linear, factor: 2}") == 128)
    #expect(try longest("position.scaling={type: llama3, factor: 2, original_context: 16}") == 64)
  }
}
