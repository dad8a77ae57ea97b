import Components

/// The rows of another stack, with which a stack goes on: what begins its residual stream, and what is kept for its output.
///
///     (x, r) = s;   y = x (+ tanh(g)·E[canvas, tile])        s: the other stack's rows, x: its first hidden_size numbers
///
/// Llama Team, 2024, https://arxiv.org/abs/2407.21783 (Llama 3.2 Vision, whose second encoder reads the tiles of the first together). The stack
/// has the other's rows, one for one; what stands behind the first numbers of each, r, the output can join again (`canvas: {rest: true}`). With `tiles` the
/// places of tiles are added as at the beginning, to all rows of a tile.
///
/// Examples: `{from: source}`
public struct StackRows: Embedding {
  public static let name = "stack_rows"

  let from: String
  /// Where the gate of the tiles' vectors starts; nil where there are none.
  let tiles: Double?
  let place: Place?

  /// What stands behind the numbers that begin the stream.
  struct Rest: Sendable {
    let rows: Value
  }

  public init(_ options: Options) {
    place = options.place
    from = options.requiredText("from", "the stack that is written before, whose rows these are")
    tiles = options.group("tiles", "vectors of the places of tiles, which are added as far as a gate lets them") {
      $0.number("start", default: 0, in: -1e3...1e3, "the initial value of the gate")
    }
    if !options.isOfOtherStack, !options.isDescribing {
      options.fail("type", "the text has tokens of its own, and no other stack's rows")
    }
  }

  public var source: String? { from }

  public func write(position: any PositionEncoding, reading stacks: [StackStates], into plan: inout PlanBuilder)
    -> Value
  {
    let width = plan.shape.hiddenSize
    guard let rows = stacks.first(where: { $0.name == from })?.states else {
      plan.fail(
        "no stack that is written before is named '\(from)'", at: place,
        hint: stacks.isEmpty ? nil : "there are \(stacks.map(\.name).joined(separator: ", "))")
      return plan.apply(InputRows(axis: plan.rows, width: width), to: [])[0]
    }
    guard rows.width >= width else {
      plan.fail(
        "the stack '\(from)' gives rows of \(rows.width) numbers, and \(width) are wanted at least", at: place)
      return rows
    }
    return plan.within("embed") { plan in
      var x = rows
      if rows.width > width {
        let parts = plan.split(rows, into: [width, rows.width - width])
        x = parts[0]
        plan.leave(Rest(rows: parts[1]))
      }
      if let tiles {
        guard let canvas = plan.patches?.tiles else {
          plan.fail("the rows of '\(from)' are no tiles of a picture", at: place)
          return x
        }
        x = AddTiles.write(x, canvas, from: 0, to: canvas.rows, named: "tiles", starts: tiles, into: &plan)
      }
      return position.embed(x, into: &plan)
    }
  }
}
