import Checkpoints
import Execution
import Files
import Kernels

/// A model compared with what the reference implementation computed, as an `expected.safetensors` holds it: `input_ids`
/// [rows, tokens], `logits` [rows, tokens, vocabulary], and `greedy` [1, tokens], a continuation of the first row's
/// beginning by the largest logit. An encoder's may hold `attention_mask` and `token_type_ids` [rows, tokens] too, and of one
/// without a head `last_hidden_state` is compared.
public struct Verification: Sendable {
  /// The largest absolute difference of a logit.
  public let largestDifference: Float
  /// Where it is: row, position and token id.
  public let place: (row: Int, position: Int, id: Int)
  /// How many logits were compared.
  public let count: Int
  /// How many tokens of the greedy continuation came out, cached and token by token.
  public let greedy: (wanted: Int, agreed: Int)?

  /// Whether every logit is within `tolerance` and the continuation is the same.
  public func holds(tolerance: Float) -> Bool {
    largestDifference <= tolerance && greedy.map { $0.wanted == $0.agreed } ?? true
  }

  /// Computes what the file at `path` expects, with `model` in `computeType`. Throws `FileProblem` when the file is not of that form.
  public init(_ model: LoadedModel, expected path: String, pool: ThreadPool, computeType: ComputeType) throws {
    let file = try SafetensorsFile(path: path)
    let entry = { (name: String) throws(FileProblem) -> StoredTensorEntry in
      guard let entry = file.tensors.first(where: { $0.name == name }) else {
        throw FileProblem(path: path, sentence: "there is no tensor '\(name)'")
      }
      return entry
    }
    let ids = try Verification.integers(try entry("input_ids"))
    let shape = try entry("input_ids").shape
    let plan = model.description.plan
    let expected = try entry(plan.prediction == .states ? "last_hidden_state" : "logits")
    let width = plan.logits.width
    let tables = try ["attention_mask", "token_type_ids"].map { name in
      try file.tensors.first { $0.name == name }.map { try Verification.integers($0) }
    }
    let isOfTexts = plan.prediction == .classes
    let rows = shape.dropLast(isOfTexts ? 1 : 0) + [width]
    guard shape.count == 2, expected.shape == Array(rows), expected.format == .f32 else {
      throw FileProblem(
        path: path,
        sentence: "'\(expected.name)' is \(expected.typeName) \(expected.shape) for input_ids \(shape); "
          + "expected F32 of those and \(width)")
    }
    let executor = try model.executor(pool: pool, longest: shape[1], states: .f32, computeType: computeType)
    var worst: Float = 0
    var count = 0
    var place = (row: 0, position: 0, id: 0)
    for row in 0..<shape[0] {
      let (start, end) = (row * shape[1], (row + 1) * shape[1])
      // What the mask hides stands behind the text.
      let length = tables[0].map { $0[start..<end].prefix { $0 != 0 }.count } ?? shape[1]
      let tokens = Array(ids[start..<start + length])
      let second = tables[1].flatMap { $0[start..<start + length].firstIndex(of: 1) }.map { $0 - start } ?? Int.max
      let sequence = try executor.openSequence(length: tokens.count, second: second)
      count += (isOfTexts ? 1 : tokens.count) * width
      try executor.forward([(sequence, tokens)], logits: isOfTexts ? .first : .all) { _, position, logits in
        let start = (isOfTexts ? row : row * shape[1] + position) * width
        for (id, logit) in logits.enumerated() {
          let wanted = expected.bytes.loadUnaligned(fromByteOffset: (start + id) * 4, as: Float.self)
          let difference = abs(logit - wanted)
          // A NaN differs from everything.
          if !(difference <= worst) {
            worst = difference.isNaN ? .infinity : difference
            place = (row, position, id)
          }
        }
      }
    }
    largestDifference = worst
    self.place = place
    self.count = count

    guard file.tensors.contains(where: { $0.name == "greedy" }) else {
      greedy = nil
      return
    }
    let wanted = try Verification.integers(try entry("greedy"))
    guard wanted.count > 1 else {
      throw FileProblem(path: path, sentence: "'greedy' has \(wanted.count) tokens; expected a beginning and more")
    }
    let start = zip(wanted, ids).prefix { $0 == $1 }.count
    // The reference began with part of the first row; where that ends it wrote itself, and may have agreed by chance.
    let given = min(start, 8)
    let sequence = try executor.openSequence(length: wanted.count)
    var next = 0
    var agreed = 0
    for position in max(1, given)..<wanted.count {
      let tokens = position == max(1, given) ? Array(wanted[..<position]) : [wanted[position - 1]]
      try executor.forward([(sequence, tokens)], logits: .last) { _, _, logits in
        next = logits.indices.max { logits[$0] < logits[$1] } ?? 0
      }
      if next == wanted[position] { agreed += 1 }
    }
    greedy = (wanted.count - max(1, given), agreed)
  }

  private static func integers(_ entry: StoredTensorEntry) throws(FileProblem) -> [Int] {
    guard entry.typeName == "I64" else {
      throw FileProblem(path: entry.file.path, sentence: "'\(entry.name)' is \(entry.typeName); expected I64")
    }
    return (0..<entry.elementCount).map { Int(entry.bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
  }
}
