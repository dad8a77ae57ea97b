import Components
import Execution
import Kernels
import Operators
import Plans

/// A text of a comparison, with what it is given beside its tokens; of a model of pictures alone a picture.
struct ComparedText {
  /// What an argument of `forward` holds.
  struct Argument {
    /// What it is called.
    let name: String
    let shape: [Int]
    let numbers: [Float]
    /// What its numbers are.
    let kind: Kind
  }

  /// What the numbers of an argument are.
  enum Kind: String { case numbers, ids, count }

  /// Its tokens; zeros for the rows of a picture that stands for itself.
  var tokens: [Int]
  /// What is given on the plan's axes.
  var beside: [RowAxis: AxisInput] = [:]
  /// The same, as the module is given it.
  var arguments: [Argument] = []
  /// Where the second of two texts begins.
  var second = Int.max
  /// How many first tokens see each other, and the ranges of those that do so besides.
  var prefix = 0
  var together: [Range<Int>] = []
  /// How many tokens are computed at once at least: those that pictures stand for.
  var leastTogether = 1
}

/// What the texts of a comparison are made of, and the plan that computes them.
struct ComparedInputs {
  /// The plan of the texts; where pictures stand in one, it is given what their stack gives.
  let plan: Plan
  private let composed: Plan
  private let parameters: Parameters
  private let pool: ThreadPool
  private let inputs: ModelInputs
  private let stack: Plan.PictureStack?

  /// The inputs of `plan` with `parameters`.
  init(_ plan: Plan, _ parameters: Parameters, pool: ThreadPool) throws(ExportProblem) {
    (composed, self.parameters, self.pool) = (plan, parameters, pool)
    inputs = try ModelInputs(plan, for: .plain)
    stack = plan.pictureStacks.first
    self.plan = stack.map { plan.given([$0]) { InputRows(axis: $0, width: $1) } } ?? plan
  }

  /// Whether all that is read is a text.
  var isTextAlone: Bool { composed.axes.count == PlannedAxis.ofText.count && composed.readsTokens }
  /// Whether losses can be compared: each token has one, and training knows who sees whom.
  var hasLoss: Bool { composed.prediction == .tokens && composed.readsTokens && !composed.lets(.picture) }

  /// Texts beside which something is given, of `lengths` tokens.
  func texts(_ lengths: [Int], _ tokens: (_ length: Int) -> [Int]) throws -> [ComparedText] {
    if !inputs.readsTokens { return (0..<2).map { pictureAlone($0) } }
    if let stack { return try (0...2).map { try text(pictures: $0, stack) } }
    if let source = inputs.source {
      return lengths.enumerated().map { index, length in
        let ids = Self.ids(5 + 4 * index, of: composed, on: source.axis)
        return ComparedText(
          tokens: tokens(length), beside: [source.axis: .tokens(ids)], arguments: [argument(source.name, [ids])])
      }
    }
    return lengths.enumerated().map { index, length in
      var text = ComparedText(tokens: tokens(length))
      // Every other text is two that are read together.
      if length > 2, index % 2 == 1, composed.steps.contains(where: { readsTypes($0) }) {
        text.second = length / 2
        let types = (0..<length).map { $0 < length / 2 ? Float(0) : 1 }
        text.arguments = [ComparedText.Argument(name: "types", shape: [1, length], numbers: types, kind: .ids)]
      }
      return text
    }
  }

  /// Rows of a batch of training, each of `length` tokens or, with pictures, of as many as that takes, with the arguments of all.
  func batch(_ rows: [[Int]]) -> (texts: [ComparedText], arguments: [ComparedText.Argument]) {
    if let stack {
      let texts = rows.indices.map { index in
        let picture = pixels(index, on: stack.axis)
        let own = Array(rows[index].prefix(6)).map { replaced($0, stack) }
        let places = Array(repeating: stack.placeholder ?? 0, count: rowCount(stack))
        return ComparedText(
          tokens: Array(own.prefix(2)) + places + own.dropFirst(2),
          beside: [stack.axis: picture.input], arguments: [picture.argument],
          prefix: composed.lets(.prompt) ? 2 + places.count : 0)
      }
      return (texts, [stacked(texts)] + (composed.lets(.prompt) ? [prefix(texts[0].prefix)] : []))
    }
    if let source = inputs.source {
      let ids = rows.indices.map { row in Self.ids(7, of: composed, on: source.axis).map { ($0 + row) % vocabulary } }
      let texts = zip(rows, ids).map { ComparedText(tokens: $0, beside: [source.axis: .tokens($1)]) }
      return (texts, [argument(source.name, ids)])
    }
    return (rows.map { ComparedText(tokens: $0) }, [])
  }

  /// How many rows one of `texts` takes at most on any axis.
  func longestRow(_ texts: [ComparedText], otherwise length: Int) -> Int {
    texts.reduce(length) { most, text in
      text.beside.reduce(max(most, text.tokens.count)) { most, entry in
        max(most, entry.value.rowCount(width: composed.axes[entry.key.index].inputWidth ?? 1))
      }
    }
  }

  private var vocabulary: Int { composed.shape.vocabSize }

  private func readsTypes(_ step: Step) -> Bool {
    var call = PyTorchCall(
      step, for: .plain, shapes: step.parameters.map { composed.parameters[$0].shape }, peers: [step.operation],
      inputs: step.inputs.map { _ in .init("x", .rows, headCount: nil, width: "0") },
      parameters: step.parameters.map { _ in "self.w" }, holder: "self.m", states: step.states.map { _ in "s" },
      outputWidths: step.outputs.map { _ in "0" }, settings: [:])
    return step.operation.pytorch(&call) != nil && call.notes.readsTypes
  }

  private static func ids(_ count: Int, of plan: Plan, on axis: RowAxis) -> [Int] {
    let vocabulary = plan.axes[axis.index].vocabSize ?? plan.shape.vocabSize
    return (0..<min(count, plan.longestInput(on: axis))).map { ($0 * 6151 + 11 * count) % vocabulary }
  }

  private func argument(_ name: String, _ ids: [[Int]]) -> ComparedText.Argument {
    ComparedText.Argument(
      name: name, shape: [ids.count, ids.first?.count ?? 0], numbers: ids.flatMap { $0.map { Float($0) } }, kind: .ids)
  }

  // Pictures.

  /// A picture of numbers from −1 to 1 that `seed` tells from others: what it is on `axis`, and what the module is given.
  private func pixels(_ seed: Int, on axis: RowAxis) -> (input: AxisInput, argument: ComparedText.Argument) {
    let planned = composed.axes[axis.index]
    let patches = planned.patches ?? PatchGrid(size: 1, channels: 1, rowsBefore: 0)
    let count = (axis == .tokens ? composed.shape.contextLength : composed.longestInput(on: axis)) - patches.rowsBefore
    // Where nobody says how many rows a picture has, or so many that they take long, some that blocks divide.
    let most = max(1, Int(Double(count).squareRoot()))
    let across = axis == .tokens || most <= 12 ? most : 12
    let (size, channels) = (patches.size, patches.channels)
    let side = across * size
    var state = UInt64(seed + 3)
    let numbers = (0..<channels * side * side).map { _ in
      // A linear congruential generator (Knuth).
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / Float(1 << 23) - 1
    }
    var rows = [Float](repeating: 0, count: patches.rowsBefore * patches.width)
    for patch in 0..<across * across {
      for channel in 0..<channels {
        for line in 0..<size {
          let start = (channel * side + patch / across * size + line) * side + patch % across * size
          rows += numbers[start..<start + size]
        }
      }
    }
    return (
      axis == .tokens ? .rows(rows) : .grid(rows, columns: across),
      ComparedText.Argument(
        name: ModelInputs.pixels, shape: [1, channels, side, side], numbers: numbers, kind: .numbers)
    )
  }

  private func pictureAlone(_ seed: Int) -> ComparedText {
    let picture = pixels(seed, on: .tokens)
    let rows = picture.input.rowCount(width: composed.axes[RowAxis.tokens.index].inputWidth ?? 1)
    return ComparedText(
      tokens: Array(repeating: 0, count: rows), beside: [.tokens: picture.input], arguments: [picture.argument])
  }

  /// How many rows a picture becomes in a text.
  private func rowCount(_ stack: Plan.PictureStack) -> Int {
    let rows = pixels(0, on: stack.axis).input.rowCount(width: stack.patches.width)
    return composed.rows(on: stack.states.axis, of: rows)
  }

  private func prefix(_ count: Int) -> ComparedText.Argument {
    ComparedText.Argument(name: "prefix", shape: [1], numbers: [Float(count)], kind: .count)
  }

  private func replaced(_ token: Int, _ stack: Plan.PictureStack) -> Int {
    token == stack.placeholder ? (token + 1) % vocabulary : token
  }

  private func stacked(_ texts: [ComparedText]) -> ComparedText.Argument {
    let all = texts.flatMap(\.arguments)
    return ComparedText.Argument(
      name: ModelInputs.pixels, shape: [all.count] + (all.first?.shape.dropFirst() ?? []),
      numbers: all.flatMap(\.numbers), kind: .numbers)
  }

  /// A text with so many pictures, each after two tokens of its own.
  private func text(pictures count: Int, _ stack: Plan.PictureStack) throws -> ComparedText {
    var text = ComparedText(tokens: [])
    let token = { (place: Int) in replaced((place * 7919 + 13 * count) % vocabulary, stack) }
    let places = rowCount(stack)
    var rows: [Float] = []
    var pictures: [ComparedText] = []
    for number in 0..<count {
      text.tokens += [token(number), token(number + 50)]
      if composed.lets(.picture) { text.together.append(text.tokens.count..<text.tokens.count + places) }
      text.tokens += Array(repeating: stack.placeholder ?? 0, count: places)
      let picture = pixels(number + 5, on: stack.axis)
      pictures.append(ComparedText(tokens: [], arguments: [picture.argument]))
      let most = picture.input.rowCount(width: stack.patches.width)
      let encoder = try PlanExecutor(
        composed.encoder(of: stack), parameters, pool: pool, maximumRows: most, states: .f32, fusing: true,
        computeType: .f32)
      rows += try encoder.encode([stack.axis: picture.input])
    }
    text.leastTogether = max(1, text.tokens.count)
    if composed.lets(.prompt) { text.prefix = text.tokens.count }
    text.tokens += (0..<6).map { token($0 + 100) }
    if count > 0 {
      text.beside = [stack.states.axis: .rows(rows)]
      text.arguments = [stacked(pictures)]
    }
    if composed.lets(.prompt) { text.arguments.append(prefix(text.prefix)) }
    return text
  }
}

extension AxisInput {
  /// How many rows of `width` numbers it has.
  fileprivate func rowCount(width: Int) -> Int {
    switch self {
    case .tokens(let ids): ids.count
    case .rows(let numbers), .grid(let numbers, _), .canvas(let numbers, _): numbers.count / max(1, width)
    }
  }
}
