/// The rows of one pass: consecutive new tokens of some sequences, and which of them give logits. Its table is made once
/// and filled anew for every pass.
struct PassPlan {
  /// Consecutive tokens of one input.
  struct Part {
    let input: Int
    let tokens: ArraySlice<Int>
    /// Whether it holds the input's first token.
    let isFirst: Bool
    /// Whether it holds the input's last token.
    let isLast: Bool
    /// How many of its first tokens were computed before and give no logits again.
    let known: Int
  }

  private(set) var parts: [Part] = []
  private let rows: Int
  private let outputs: Int
  private var wanted = PlanExecutor.Wanted.last
  private var rowCount = 0
  private var outputCount = 0

  /// An empty plan for passes of up to `rows` rows, `outputs` of which give logits.
  init(rows: Int, outputs: Int) {
    self.rows = rows
    self.outputs = outputs
    parts.reserveCapacity(rows)
  }

  var isEmpty: Bool { parts.isEmpty }
  var isFull: Bool { rowCount == rows || outputCount >= outputs }

  /// Begins a pass that gives the logits `wanted`.
  mutating func begin(_ wanted: PlanExecutor.Wanted) {
    self.wanted = wanted
    clear()
  }

  mutating func clear() {
    parts.removeAll(keepingCapacity: true)
    rowCount = 0
    outputCount = 0
  }

  /// How many rows there is room for, of tokens all of which may give logits.
  var room: Int { wanted == .all ? min(rows - rowCount, outputs - outputCount) : rows - rowCount }

  /// Takes as many of `tokens` as have room, and says how many. The first `known` give no logits; the first `together` are computed in
  /// one pass, for whose logits there is room as long as there is for its rows.
  mutating func add(input: Int, tokens: ArraySlice<Int>, known: Int, together: Int = 0) -> Int {
    let room = wanted == .all ? max(outputs - outputCount + known, together) : rows
    let count = min(room, rows - rowCount, tokens.count)
    let isLast = count == tokens.count
    let isFirst = tokens.startIndex == 0
    parts.append(Part(input: input, tokens: tokens.prefix(count), isFirst: isFirst, isLast: isLast, known: known))
    rowCount += count
    switch wanted {
    case .all: outputCount += max(0, count - known)
    case .last: outputCount += isLast ? 1 : 0
    case .first: outputCount += isFirst ? 1 : 0
    }
    return count
  }

  /// Whether the token at `offset` of `part` gives logits.
  func givesLogits(_ part: Part, offset: Int) -> Bool {
    switch wanted {
    case .all: offset >= part.known
    case .last: part.isLast && offset == part.tokens.count - 1
    case .first: part.isFirst && offset == 0
    }
  }
}
