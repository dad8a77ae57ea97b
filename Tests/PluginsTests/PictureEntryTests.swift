import Components
import Conformance
import Execution
import Kernels
import StandardComponents
import TestSupport
import Testing

/// Pictures of four patches that a text reads by cross-attention, without a canvas.
@Suite struct PictureEntryTests {
  private static let mark = 3
  private static let stack =
    "stacks.image={like: text, context_length: 4, embedding: {type: patches, size: 1, channels: 2}, position: learned, "
    + "attention: {type: attention, num_heads: 4, mask: full}}"

  private static func model(_ cross: String, _ more: String...) throws -> TinyModel {
    try TinyModel(patches: [stack, "cross_attention={num_heads: 2\(cross)}"] + more)
  }

  private static func numbers(_ count: Int, seed: Int) -> [Float] {
    (0..<count).map { Float(($0 * 7 + seed) % 11) / 7 - 0.6 }
  }

  /// The logits of `text`, which is read in parts of `parts` tokens, beside `given`.
  private static func logits(
    _ plan: Plan, _ parameters: Parameters, _ text: [Int], _ given: [RowAxis: AxisInput], parts: Int = 16
  ) throws -> [[Float]] {
    let executor = try PlanExecutor(
      plan, parameters, pool: ThreadPool(threads: 1), maximumRows: 16, states: .f32, fusing: true, computeType: .stored)
    let sequence = try executor.openSequence(length: text.count)
    var rows: [[Float]] = []
    for start in stride(from: 0, to: text.count, by: parts) {
      let part = Array(text[start..<min(text.count, start + parts)])
      try executor.forward([(sequence, part)], beside: [given], logits: .all) { rows.append(Array($2)) }
    }
    return rows
  }

  private func distance(_ a: [[Float]], _ b: [[Float]]) -> Float {
    #expect(a.count == b.count && !a.isEmpty)
    return zip(a.joined(), b.joined()).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  // The same sums in another order: f32, of numbers near 1.
  @Test("of a single picture every token reads all rows, and gradients are those of cross-attention that reads them")
  func single() throws {
    let (own, plain) = (try Self.model(", pictures: {token: \(Self.mark)}"), try Self.model(""))
    #expect(own.plan.parameters.map(\.name) == plain.plan.parameters.map(\.name))
    let stack = try #require(own.plan.pictureStacks.first)
    #expect(stack.mark == Self.mark && stack.placeholder == nil && plain.plan.pictureStacks.first?.mark == nil)
    let given: [RowAxis: AxisInput] = [stack.axis: .rows(Self.numbers(8, seed: 2))]
    for text in [[Self.mark, 1, 4, 9, 0], [5, 1, Self.mark, 9, 2]] {
      let whole = try Self.logits(own.plan, own.parameters, text, given)
      #expect(distance(whole, try Self.logits(plain.plan, own.parameters, text, given)) < 1e-5)
      #expect(distance(whole, try Self.logits(own.plan, own.parameters, text, given, parts: 1)) < 1e-5)
      func gradients(_ plan: Plan) throws -> [[Float]] {
        let executor = try GradientExecutor(
          plan, own.parameters, pool: ThreadPool(threads: 1), rows: 16, options: TrainingOptions(precision: .f32))
        _ = try executor.trainingLoss([text], targets: [Array(text.dropFirst()) + [7]], beside: [given])
        return plan.parameters.indices.map { Array(executor.gradient($0)) }
      }
      let (ours, others) = (try gradients(own.plan), try gradients(plain.plan))
      #expect(distance(ours, others) < 1e-5)
      for (tensor, gradient) in zip(own.plan.parameters, ours) {
        #expect(gradient.contains { $0 != 0 }, "\(tensor.name)")
      }
    }
  }

  @Test("of several pictures a token reads those whose marks stand last before it")
  func several() throws {
    let model = try Self.model(", pictures: {token: \(Self.mark)}", "attention=none")
    let stack = try #require(model.plan.pictureStacks.first)
    let plan = model.plan.given([stack]) { InputRows(axis: $0, width: $1) }
    let size = 4 * stack.states.width
    let pictures = [Self.numbers(size, seed: 1), Self.numbers(size, seed: 5)]
    func logits(_ text: [Int], _ pictures: [[Float]], parts: Int = 16) throws -> [[Float]] {
      try Self.logits(plan, model.parameters, text, [stack.states.axis: .rows(pictures.flatMap(\.self))], parts: parts)
    }
    let text = [Self.mark, 1, 4, Self.mark, 9, 2]
    let whole = try logits(text, pictures)
    #expect(distance(whole, try logits(text, pictures, parts: 1)) < 1e-5)
    #expect(distance(Array(whole[..<3]), try logits(Array(text[..<3]), [pictures[0]])) < 1e-5)
    #expect(distance(Array(whole[3...]), try logits(Array(text[3...]), [pictures[1]])) < 1e-5)
    #expect(distance(Array(whole[3...]), try logits(Array(text[3...]), [pictures[0]])) > 1e-3)
    // Marks beside one another are read together.
    let together = try logits([Self.mark, Self.mark, 1], pictures)
    let apart = try logits([Self.mark, Self.mark, 1], [pictures[1], pictures[0]])
    #expect(distance([together[2]], [apart[2]]) < 1e-5, "in no order")
    #expect(distance([together[2]], [whole[1]]) > 1e-3)
  }

  @Test("rows that are reduced are fewer of each picture, and a stack whose pictures are of any size is refused")
  func reduced() throws {
    let cross = ", pictures: {token: \(Self.mark)}"
    let model = try Self.model(cross, "stacks.image.output={reduce: {type: pixel_shuffle, window: 2}}")
    let step = try #require(model.plan.steps.first { $0.operation.name == "attend pictures" })
    #expect(step.operation.attributes.contains { $0.name == "picture_rows" && $0.value == .integer(1) })
    do {
      _ = try Self.model(cross, "stacks.image.position=none")
      Issue.record("pictures of any size were taken")
    } catch let problems as Problems {
      #expect(problems.list.map(\.sentence) == ["the stack gives no rows of pictures that all have as many"])
    }
  }
}
