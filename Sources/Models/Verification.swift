import Checkpoints
import Components
import Execution
import Files
import Kernels

/// A model compared with what the reference implementation computed, as an `expected.safetensors` holds it: `input_ids`
/// [rows, tokens], `logits` [rows, tokens, vocabulary], and `greedy` [1, tokens], a continuation of the first row's
/// beginning by the largest logit. Where a model reads a source text, `input_ids` are that one's and `decoder_input_ids`
/// [rows, tokens] are the text's, with which `greedy` begins. An encoder's may hold `attention_mask` and `token_type_ids` [rows, tokens] too, and of one
/// without a head `last_hidden_state` is compared. Of a model that compares texts with pictures, `text_embeds`, `image_embeds`, `logits_per_text` and
/// `logits_per_image` are.
public struct Verification: Sendable {
  /// The tensors of the file that were compared.
  public let compared: [String]
  /// The largest absolute difference of a logit.
  public let largestDifference: Float
  /// The tensor in which it is.
  public let tensor: String
  /// Where it is: row, position and token id, or place in a vector.
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
    let plan = model.description.plan
    if plan.prediction == .pairs {
      let pairs = try VerifiedPairs(model, file, pool: pool, computeType: computeType)
      (compared, tensor) = (pairs.compared, pairs.tensor)
      (largestDifference, place, count) = (pairs.largestDifference, pairs.place, pairs.count)
      greedy = nil
      return
    }
    var pictures = try VerifiedPictures(model, file, pool: pool, computeType: computeType)
    let source = try plan.otherAxes.isEmpty || pictures != nil ? nil : Source(plan, file)
    let idsName = source == nil ? "input_ids" : "decoder_input_ids"
    let ids = try pictures?.ownIds ?? Verification.integers(try entry(idsName))
    let shape = try pictures?.ownShape ?? entry(idsName).shape
    let given = try pictures?.given(ids, rows: shape[0])
    let expected = try entry(plan.prediction == .states ? "last_hidden_state" : "logits")
    (compared, tensor) = ([expected.name], expected.name)
    let width = plan.logits.width
    let tables = try ["attention_mask", "token_type_ids"].map { name in
      try source != nil ? nil : file.tensors.first { $0.name == name }.map { try Verification.integers($0) }
    }
    let isOfTexts = plan.prediction == .classes
    let rows = shape.dropLast(isOfTexts ? 1 : 0) + [width]
    guard shape.count == 2, expected.shape == Array(rows), expected.format == .f32 else {
      throw FileProblem(
        path: path,
        sentence: "'\(expected.name)' is \(expected.typeName) \(expected.shape) for \(idsName) \(shape); "
          + "expected F32 of those and \(width)")
    }
    if let source, source.rows.count < shape[0] {
      throw FileProblem(path: path, sentence: "'input_ids' has \(source.rows.count) rows, and '\(idsName)' \(shape[0])")
    }
    let longest = max(source?.rows.map(\.count).max() ?? 0, shape[1], pictures?.longest ?? 0)
    let executor = try model.executor(pool: pool, longest: longest, states: .f32, computeType: computeType)
    var worst: Float = 0
    var count = 0
    var place = (row: 0, position: 0, id: 0)
    for row in 0..<shape[0] {
      let (start, end) = (row * shape[1], (row + 1) * shape[1])
      // What the mask hides stands behind the text.
      let length = tables[0].map { $0[start..<end].prefix { $0 != 0 }.count } ?? shape[1]
      let tokens = Array(ids[start..<start + length])
      let second = tables[1].flatMap { $0[start..<start + length].firstIndex(of: 1) }.map { $0 - start } ?? Int.max
      let sequence =
        try pictures?.open(executor, tokens, ofText: row, length: tokens.count, second: second)
        ?? executor.openSequence(length: tokens.count, second: second)
      count += (isOfTexts ? 1 : tokens.count) * width
      let beside = given.map { [$0[row]] } ?? source.map { [$0.given(row)] } ?? []
      try executor.forward([(sequence, tokens)], beside: beside, logits: isOfTexts ? .first : .all) {
        _, position, logits in
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
    // With pictures it began with all of the row, or with all that its tokens let see each other.
    let begun =
      pictures.map { _ in
        min(
          start,
          max(1, tables[1].flatMap { plan.lets(.prompt) ? $0.prefix(shape[1]).firstIndex(of: 1) : nil } ?? shape[1]))
      } ?? (source == nil ? min(start, 8) : 1)
    let first = max(1, begun)
    let sequence =
      try pictures?.open(executor, Array(wanted[..<first]), ofText: 0, length: wanted.count, second: first)
      ?? executor.openSequence(length: wanted.count)
    var next = 0
    var agreed = 0
    for position in first..<wanted.count {
      let tokens = position == first ? Array(wanted[..<position]) : [wanted[position - 1]]
      let beside = position == first ? given.map { [$0[0]] } ?? source.map { [$0.given(0)] } ?? [] : []
      try executor.forward([(sequence, tokens)], beside: beside, logits: .last) { _, _, logits in
        next = logits.indices.max { logits[$0] < logits[$1] } ?? 0
      }
      if next == wanted[position] { agreed += 1 }
    }
    greedy = (wanted.count - first, agreed)
  }

  /// The source texts of a file, for the one stack that reads them.
  private struct Source {
    let axis: RowAxis
    /// The tokens of each, without those that the mask hides behind them.
    let rows: [[Int]]

    init(_ plan: Plan, _ file: SafetensorsFile) throws {
      let tensors = Dictionary(file.tensors.map { ($0.name, $0) }) { first, _ in first }
      guard plan.otherAxes.count == 1, plan.axes[plan.otherAxes[0].index].inputWidth == nil,
        let entry = tensors["input_ids"], entry.shape.count == 2
      else { throw ModelProblem.noSource(plan.name, stacks: plan.otherAxes.map { plan.axes[$0.index].name }) }
      axis = plan.otherAxes[0]
      let (ids, length) = (try Verification.integers(entry), entry.shape[1])
      let mask = try tensors["attention_mask"].map { try Verification.integers($0) }
      rows = (0..<entry.shape[0]).map { row in
        let range = row * length..<(row + 1) * length
        return Array(ids[range].prefix(mask.map { $0[range].prefix { $0 != 0 }.count } ?? length))
      }
    }

    func given(_ row: Int) -> [RowAxis: AxisInput] { [axis: .tokens(rows[row])] }
  }

  static func integers(_ entry: StoredTensorEntry) throws(FileProblem) -> [Int] {
    guard entry.typeName == "I64" else {
      throw FileProblem(path: entry.file.path, sentence: "'\(entry.name)' is \(entry.typeName); expected I64")
    }
    return (0..<entry.elementCount).map { Int(entry.bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
  }
}
