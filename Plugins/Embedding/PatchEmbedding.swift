import Components
import Kernels

/// The squares of a picture, each a linear map of its pixels: what an image encoder begins with.
///
///     x[t] = W·pixels[t] + b;   x[0] = c with a class row;   y = norm(x + positions)        W: [hidden_size, channels·size²]
///
/// Dosovitskiy et al., 2020, https://arxiv.org/abs/2010.11929. A patch's numbers are those of its first channel row by row, then the
/// next channel's; patches stand row by row. The class row is a row of its own, before the patches, and has a position: a careful
/// reader's mistake is a table of positions that is one row short. `registers` are learned rows between it and the patches, to which no
/// position is added (Darcet et al., 2023, https://arxiv.org/abs/2309.16588). `position` adds positions of the embedding's own, where those of
/// the stack turn queries and keys (Qwen3-VL, GLM-4.1V). With `order: channels_last` the map reads a pixel's
/// channels together, and `range: signed` takes numbers from 0 to 1 as such from −1 to 1 (Gemma 4).
///
/// Examples: `{size: 1, class: true, norm: layernorm}` `{size: 2, channels: 1, bias: false}` `{size: 1, class: true, registers: 2}`
/// `{size: 1, frames: 2, merge: 2}` `{size: 1, patch_norm: rmsnorm, position: {type: grid_table, side: 3}}`
/// `{size: 2, channels: 3, order: channels_last, range: signed}`
///
/// Known as: patch_embedding, patch_embed, patch_size, vision_embedding `embedding: {type: patches, size: 16}`
public struct PatchEmbedding: Embedding {
  public static let name = "patches"

  let size: Int
  let channels: Int
  let bias: Bool
  let hasClass: Bool
  let frames: Int
  let merge: Int
  let registers: Int
  enum Order: String, CaseIterable {
    case channelsFirst = "channels_first"
    case channelsLast = "channels_last"
  }
  enum NumberRange: String, CaseIterable { case own, signed }

  let order: Order
  let range: NumberRange
  let own: (any PositionEncoding)?
  let patchNorm: (any Normalization)?
  let place: Place?
  let norm: (any Normalization)?

  public init(_ options: Options) {
    size = options.requiredInteger("size", in: 1...1024, "the pixels along a side of a patch")
    channels = options.integer("channels", default: 3, in: 1...64, "the numbers of a pixel")
    bias = options.flag("bias", default: true, "whether the map of patches has a bias")
    frames = options.integer("frames", default: 1, in: 1...16, "the equal frames that a patch of a picture holds")
    merge = options.integer(
      "merge", default: 1, in: 1...64, "patches along a side of the blocks in which they stand, where not row by row")
    place = options.place
    order = options.choice(
      "order", default: Order.channelsFirst, "how the map reads a patch: channel after channel, or pixel after pixel")
    range = options.choice(
      "range", default: NumberRange.own, "whether numbers are read as they are given, or doubled less one")
    hasClass = options.flag("class", default: false, "whether a learned row stands before the patches")
    registers = options.integer(
      "registers", default: 0, in: 0...64, "learned rows between the class row and the patches, without positions")
    patchNorm = options.component(
      "patch_norm", default: "none", slot: .norm, "the norm of the patches, before positions")
    own = options.component(
      "position", default: "none", slot: .position, "positions that are added besides the stack's")
    norm = options.component("norm", default: "none", slot: .norm, "the norm of the sum")
  }

  public var patches: PatchGrid? {
    PatchGrid(
      size: size, channels: channels, rowsBefore: (hasClass ? 1 : 0) + registers, frames: frames, merge: merge)
  }

  public func write(position: any PositionEncoding, reading stacks: [StackStates], into plan: inout PlanBuilder)
    -> Value
  {
    let rows = InputRows(axis: plan.rows, width: patches?.width ?? 0)
    var x = plan.within("embed") { plan in
      var given = plan.apply(rows, to: [])[0]
      if range == .signed { given = plan.shift(plan.scale(given, by: 2), by: -1) }
      if order == .channelsLast, channels > 1 {
        given = plan.apply(PermuteHeads(heads: rows.width, groups: rows.width / channels), to: given)
      }
      return plan.linear(given, to: plan.shape.hiddenSize, named: "patches", bias: bias)
    }
    if hasClass {
      let row = plan.parameter("embed.class.weight", shape: [x.width], starts: .normal(0.02))
      x = plan.apply(FirstRow(), to: x, parameters: [row])
    }
    x = patchNorm?.write(x, named: "embed.patch_norm", over: .row, into: &plan) ?? x
    if let own, own.actsAtEmbedding, position.actsAtEmbedding {
      plan.fail(
        "the patches have positions of their own, and those of the stack would be added to them", at: place,
        hint: "leave one out, or take one for the stack that turns queries and keys")
      return x
    }
    x = own?.embed(x, into: &plan) ?? x
    x = position.embed(x, into: &plan)
    if registers > 0 {
      let rows = plan.parameter("embed.registers.weight", shape: [registers, x.width], starts: .normal(0.02))
      x = plan.apply(RegisterRows(start: hasClass ? 1 : 0, count: registers), to: x, parameters: [rows])
    }
    return norm?.write(x, named: "embed.norm", over: .row, into: &plan) ?? x
  }

  /// A learned row in place of the first of every sequence.
  ///
  ///     y[0] = w,   y[t] = x[t]        w: [width]
  struct FirstRow: Kernel {
    let name = "first row"

    var attributes: [Attribute] { [] }
    var traits: OperatorTraits { OperatorTraits(overwritableInput: 0, backwardReadsInputs: .none) }

    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      let w = context.parameter().vector
      if x.base != UnsafePointer(y.base) { y.base.update(from: x.base, count: x.count * x.width) }
      for sequence in context.sequences where sequence.start == 0 && !sequence.rows.isEmpty {
        y[sequence.rows.lowerBound].update(from: w, count: y.width)
      }
    }

    /// `dw += dy[0]`, `dx[t] += dy[t]` of the other rows.
    func backward(_ context: BackwardContext) {
      let dy = context.outputGradient()
      let (dx, dw) = (context.inputGradient(), context.parameterGradient())
      for sequence in context.sequences {
        for row in sequence.rows {
          if sequence.start == 0, row == sequence.rows.lowerBound {
            if let dw { add(dy[row], scaledBy: 1, to: dw, count: dy.width) }
          } else if let dx {
            add(dy[row], scaledBy: 1, to: dx[row], count: dy.width)
          }
        }
      }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.define(
        "with_first",
        """
        def with_first(x, row):
            \"""x with `row` in the place of the first row of each picture.\"""
            return torch.cat([row.expand(x.size(0), 1, -1), x[:, 1:]], dim=1)
        """)
      return .call("with_first", [call.input(), call.parameter()])
    }

    func flops(step: Step, context: Int) -> Int { 0 }
  }

  /// Learned rows in place of those of every sequence from `start` on.
  ///
  ///     y[start + i] = W[i],   y[t] = x[t] elsewhere        W: [registers, width]
  struct RegisterRows: Kernel {
    let name = "register rows"
    let start: Int
    let count: Int

    var attributes: [Attribute] { [Attribute("start", start, plain: 0), Attribute("count", count)] }
    var traits: OperatorTraits { OperatorTraits(overwritableInput: 0, backwardReadsInputs: .none) }

    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      let table = context.parameter().matrix
      if x.base != UnsafePointer(y.base) { y.base.update(from: x.base, count: x.count * x.width) }
      forEachRow(of: context.sequences) { row, register in
        guard let register else { return }
        widen(table.format, table.base + register * table.rowBytes, count: y.width, into: y[row])
      }
    }

    /// `dW[i] += dy[start + i]`, `dx[t] += dy[t]` of the other rows.
    func backward(_ context: BackwardContext) {
      let dy = context.outputGradient()
      let (dx, dw) = (context.inputGradient(), context.parameterGradient())
      forEachRow(of: context.sequences) { row, register in
        if let register {
          if let dw { add(dy[row], scaledBy: 1, to: dw + register * dy.width, count: dy.width) }
        } else if let dx {
          add(dy[row], scaledBy: 1, to: dx[row], count: dy.width)
        }
      }
    }

    /// Each row, with the number of the register that it is.
    private func forEachRow(
      of sequences: UnsafeBufferPointer<SequenceSpan>, _ body: (_ row: Int, _ register: Int?) -> Void
    ) {
      for sequence in sequences {
        for row in sequence.rows {
          let register = sequence.start + row - sequence.rows.lowerBound - start
          body(row, (0..<count).contains(register) ? register : nil)
        }
      }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.define(
        "with_registers",
        """
        def with_registers(x, rows, start):
            \"""x with `rows` in the places of those of each picture from `start` on.\"""
            end = start + rows.size(0)
            return torch.cat([x[:, :start], rows.expand(x.size(0), -1, -1), x[:, end:]], dim=1)
        """)
      return .call("with_registers", [call.input(), call.parameter(), PyTorchExpression(start)])
    }

    func flops(step: Step, context: Int) -> Int { 0 }
  }
}
