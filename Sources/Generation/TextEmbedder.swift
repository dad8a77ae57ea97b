import Components
import Essentials
import Execution
import Kernels
import Models
import Tokenization

/// Gives texts vectors: the final states of their tokens, pooled.
///
///     v = Σ_t x_t / T,   x_1,   x_T   or   max_t x_t;   then v / ‖v‖ where that is asked for
///
/// Marks count as tokens, as the tokenizer puts them around a text. A careful reader's mistake: BERT's pooler, a layer behind
/// the first token's state, has no part in it.
public struct TextEmbedder {
  /// The vectors of one text.
  public struct Result: Sendable {
    /// The ids that were read.
    public let tokens: [Int]
    /// How many more the text has, which were not.
    public let leftOut: Int
    /// The pooled vector.
    public fileprivate(set) var vector: [Float] = []
    /// The state of each token, where that was asked for.
    public fileprivate(set) var states: [[Float]] = []
  }

  private let model: LoadedModel
  private let pooling: TextPooling
  private let limit: Int
  private let suffix: [Int]
  private let pool: ThreadPool
  private let computeType: ComputeType

  /// Vectors of `model`, pooled as `pooling` says.
  public init(_ model: LoadedModel, _ pooling: TextPooling, pool: ThreadPool, computeType: ComputeType) {
    self.model = model
    self.pooling = pooling
    self.pool = pool
    self.computeType = computeType
    limit = min(pooling.maximumTokens ?? Int.max, model.description.plan.longestText)
    suffix = model.tokenizer?.marksBehind ?? []
  }

  /// The ids of `text`, as many as are read, with the marks behind it: how many more there are is told.
  public func tokens(of text: String, _ tokenizer: Tokenizer) throws -> Result {
    let text = pooling.prompt + (pooling.lowercases ? text.lowercased() : text)
    try tokenizer.requireEncodable(text)
    return tokens(ids: tokenizer.encode(text))
  }

  /// `ids` of a text with its marks, as many as are read, filled up where the model is made for texts of one length.
  public func tokens(ids: [Int]) -> Result {
    var ids = ids
    let excess = max(0, ids.count - limit)
    // What ends a text stays.
    if excess > 0 { ids = Array(ids.prefix(max(0, limit - suffix.count)) + suffix.suffix(limit)) }
    return Result(tokens: model.description.plan.filled(ids, to: limit), leftOut: excess)
  }

  /// The vectors of pictures, whose `rows` are what an image encoder is given, in order; of every row too with `keepingStates`.
  public func vectors(ofPictures rows: [[Float]], keepingStates: Bool) throws -> [Result] {
    let width = model.description.plan.axes[RowAxis.tokens.index].inputWidth ?? 1
    let pictures = rows.map { Result(tokens: Array(repeating: 0, count: $0.count / width), leftOut: 0) }
    return try vectors(of: pictures, given: rows, keepingStates: keepingStates)
  }

  /// The vectors of `texts`, in order; of every token too with `keepingStates`. Throws `ModelProblem` where states are NaN.
  public func vectors(of texts: [Result], keepingStates: Bool) throws -> [Result] {
    try vectors(of: texts, given: nil, keepingStates: keepingStates)
  }

  /// The vectors of what stands beside a text on `axis` in a model that compares both, such as pictures, in order: `rows` are what each
  /// is given as.
  public func vectors(beside rows: [[Float]], on axis: RowAxis) throws -> [Result] {
    let width = model.description.plan.axes[axis.index].inputWidth ?? 1
    let most = rows.map { $0.count / width }.max() ?? 1
    let executor = try model.otherExecutor(pool: pool, rows: max(256, most), computeType: computeType)
    return try rows.map { rows in
      var result = Result(tokens: [], leftOut: 0)
      // Beside any text, of which the vector sees nothing.
      let sequence = try executor.openSequence(length: 1)
      try executor.forward([(sequence, [0])], beside: [[axis: .rows(rows)]], logits: .last) { _, _, state in
        guard !state.contains(where: \.isNaN) else { throw ModelProblem.notANumber(tokens: 1) }
        result.vector = pooling.normalizes ? Self.unit(Array(state)) : Array(state)
      }
      return result
    }
  }

  /// `vector` divided by its length, which is at least 1e-12.
  private static func unit(_ vector: [Float]) -> [Float] {
    let length = max(vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot(), 1e-12)
    return vector.map { Float(Double($0) / length) }
  }

  private func vectors(of texts: [Result], given rows: [[Float]]?, keepingStates: Bool) throws -> [Result] {
    var results = texts
    let longest = texts.map(\.tokens.count).max() ?? 1
    let executor = try model.statesExecutor(pool: pool, tokens: longest, computeType: computeType)
    let wanted: PlanExecutor.Wanted =
      switch pooling.mode {
      case .cls where !keepingStates: .first
      case .last where !keepingStates: .last
      case .mean, .max, .cls, .last: .all
      }
    // Texts of like length together, and never so many that their caches weigh anything.
    let order = texts.indices.sorted { (texts[$0].tokens.count, $0) < (texts[$1].tokens.count, $1) }
    for start in stride(from: 0, to: order.count, by: Self.together) {
      let group = order[start..<min(start + Self.together, order.count)]
      let inputs = try group.map { index in
        (sequence: try executor.openSequence(length: texts[index].tokens.count), tokens: texts[index].tokens)
      }
      var sums = group.map { _ in Pooled(mode: pooling.mode) }
      let beside = rows.map { rows in group.map { [RowAxis.tokens: AxisInput.rows(rows[$0])] } } ?? []
      try executor.forward(inputs, beside: beside, logits: wanted) { place, position, state in
        guard !state.contains(where: \.isNaN) else { throw ModelProblem.notANumber(tokens: position + 1) }
        if pooling.mode != .cls || position == 0 { sums[place].add(state) }
        if keepingStates { results[order[start + place]].states.append(Array(state)) }
      }
      for (place, index) in group.enumerated() {
        results[index].vector = sums[place].vector(normalized: pooling.normalizes)
      }
    }
    return results
  }

  private static let together = 16

  /// What the states of a text come to.
  private struct Pooled {
    let mode: TextPooling.Mode
    var values: [Double] = []
    var count = 0

    mutating func add(_ state: UnsafeBufferPointer<Float>) {
      count += 1
      if values.isEmpty || mode == .cls || mode == .last {
        values = state.map(Double.init)
      } else {
        for (index, value) in state.enumerated() {
          values[index] = mode == .max ? max(values[index], Double(value)) : values[index] + Double(value)
        }
      }
    }

    func vector(normalized: Bool) -> [Float] {
      var vector = mode == .mean ? values.map { $0 / Double(max(1, count)) } : values
      if normalized {
        // As PyTorch's `normalize` has it: a vector of zeros stays one.
        let length = max(vector.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
        vector = vector.map { $0 / length }
      }
      return vector.map { Float($0) }
    }
  }

  /// The cosine of the angle between two vectors; 0 where one has no length.
  public static func cosine(_ a: [Float], _ b: [Float]) -> Double {
    var (product, left, right) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
      product += Double(x) * Double(y)
      left += Double(x) * Double(x)
      right += Double(y) * Double(y)
    }
    let length = (left * right).squareRoot()
    return length > 0 ? product / length : 0
  }
}
