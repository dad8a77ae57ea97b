import Components

/// What a stack gives to those that read it: the last layer's states, normalized; of an image encoder fewer rows of another width.
///
///     states = norm(x);   with reduce  s[i] = mean or concatenation of the window² rows of block i;   project  W₂·act(W₁·norm(s))
///
/// Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, whose norms stand after the sublayers, so that none follows the last.
/// The norm is there unless the last block ends in one; `norm` overrules that. Reducing takes the rows for a square picture, cut into
/// blocks of `window`×`window`: `average` takes their mean (Gemma 3), `pixel_shuffle` joins them, row by row, to wider rows (Idefics3,
/// InternVL), `unfold` element by element (Mistral 3); `blocks` joins rows that stand block by block (Qwen2-VL). Of a picture whose columns
/// are known the rows need be no square. `reduce` may have a norm before it, and behind it a factor `scale` and learned numbers, (c·s − b) ⊙ w
/// (`standardize`, Gemma 4), then a matrix to `width` numbers with an activation (Llama 4). `project` ends in the width of the text
/// (Liu et al., 2023, https://arxiv.org/abs/2304.08485); gated, it is W₂·(act(G·norm(s)) ⊙ W₁·norm(s)) (Aya Vision).
/// `activation` stands behind its first matrix, and `last_norm` behind its last (GIT: Wang et al., 2022, https://arxiv.org/abs/2205.14100).
/// `taps` has what some layers give reduced and projected too, with matrices of their own, and put behind the numbers of each row, in the order
/// of the layers (DeepStack: Meng et al., 2024, https://arxiv.org/abs/2406.04334); their norm stands behind the reducing, the stack's own before. Without
/// `project` they are joined as they are, the first number of each layer, then the second (Llama 3.2 Vision, whose second stack joins them with `canvas: {rest: true}`).
///
/// Examples: `{norm: false}` `{drop_class: true, project: {bias: true}}` `{reduce: {type: average, window: 3}}`
/// `{drop_class: true, reduce: {type: pixel_shuffle, window: 3}, project: {hidden: 6, activation: tanh, norm: layernorm}}`
/// `{project: {hidden: 6, bias: true}, taps: {layers: [0], norm: layernorm}}` `{taps: {layers: [1, 0]}}`
/// `{project: {hidden: 6, activation: silu, gated: true, bias: true}}` `{reduce: {type: unfold, window: 2, norm: rmsnorm, width: 5}, project: {}}`
/// `{reduce: {type: average, window: 1, scale: sqrt_hidden, standardize: true}, project: {}}`
/// `{reduce: {type: pixel_shuffle, window: 1, width: 5, activation: gelu}, project: {hidden: 6, last_norm: layernorm}}`
///
/// Known as: deepstack `output: {taps: {layers: [0, 1]}, project: {hidden: 4096}}`, projector, connector, multi_modal_projector `output: {project: {hidden: 4096}}`, pixel_shuffle `output: {reduce: {type: pixel_shuffle, window: 2}}`
public struct StackOutput: Output {
  public static let name = "output"

  enum Reduction: String, CaseIterable {
    case average
    case pixelShuffle = "pixel_shuffle"
    case unfold, blocks
  }

  /// How rows become fewer.
  struct Reducing {
    let type: Reduction
    let window: Int
    let norm: (any Normalization)?
    let width: Int?
    let activation: (any Activation)?
    let scale: Double
    let standardizes: Bool
  }

  /// The matrices to the text's width.
  struct Projection {
    let hidden: Int?
    let activation: (any Activation)?
    let gated: Bool
    let bias: Bool
    let norm: (any Normalization)?
    let lastNorm: (any Normalization)?

    /// Writes the matrices, whose names the scope has.
    func write(_ x: Value, into plan: inout PlanBuilder) -> Value {
      var y = x
      if let hidden {
        let inner = plan.linear(y, to: hidden, named: "in", bias: bias)
        if gated {
          let gate = plan.linear(y, to: hidden, named: "gate", bias: bias)
          let opened = activation?.write(gate, into: &plan) ?? gate
          y = plan.multiply(opened, inner)
        } else {
          y = activation?.write(inner, into: &plan) ?? inner
        }
      }
      y = plan.linear(y, to: plan.textShape.hiddenSize, named: "out", bias: bias)
      return lastNorm?.write(y, named: "last_norm", over: .row, into: &plan) ?? y
    }
  }

  let norm: Bool?
  let dropsClass: Bool
  let reduce: Reducing?
  let project: Projection?
  let taps: Taps?
  let canvas: (rest: Bool, marks: Bool)?
  let place: Place?

  public init(_ options: Options) {
    place = options.place
    norm = options.optionalFlag(
      "norm", "whether a norm stands at the end; when left out, unless the last block ends in one")
    dropsClass = options.flag("drop_class", default: false, "whether the first row is left out")
    reduce = options.group("reduce", "how the rows of a square picture become fewer") { group in
      let type = group.choice(
        "type", default: Reduction.pixelShuffle,
        "the mean of a block's rows, all of them as one row, row by row or element by element, or of rows that stand in blocks already"
      )
      let window = group.requiredInteger("window", in: 1...64, "the rows along a side of a block")
      let norm: (any Normalization)? = group.component(
        "norm", default: "none", slot: .norm, "the norm of the rows before that")
      let width = group.optionalInteger(
        "width", in: 1...(1 << 24), "the width of a matrix behind it, which has no bias; none when left out")
      let scale = group.number(
        "scale", default: 1, words: ["sqrt_hidden": Double(options.shape.hiddenSize).squareRoot()],
        "a factor of the reduced rows")
      let standardizes = group.flag(
        "standardize", default: false,
        "whether learned numbers are taken from those, and others multiply the difference")
      let hasActivation = width != nil && group.isSet("activation") || group.isDescribing
      return Reducing(
        type: type, window: window, norm: norm, width: width,
        activation: hasActivation
          ? group.component("activation", default: "identity", slot: .activation, "what stands behind that matrix")
          : nil, scale: scale, standardizes: standardizes)
    }
    project = options.group("project", "the matrices to the width of the text") { group in
      let hidden = group.optionalInteger(
        "hidden", in: 1...(1 << 24), "the width between two matrices; one matrix when left out")
      return Projection(
        hidden: hidden,
        activation: hidden == nil && !group.isDescribing
          ? nil : group.component("activation", default: "gelu", slot: .activation, "what stands between two matrices"),
        gated: hidden == nil && !group.isDescribing
          ? false : group.flag("gated", default: false, "whether the first matrix has a gate beside it"),
        bias: group.flag("bias", default: false, "whether the matrices have biases"),
        norm: group.component("norm", default: "none", slot: .norm, "the norm before the first matrix"),
        lastNorm: group.component("last_norm", default: "none", slot: .norm, "the norm behind the last matrix"))
    }
    taps = options.group("taps", "layers whose results are given besides", Taps.init)
    if let taps, taps.norm?.isIdentity == false, project == nil, !options.isDescribing {
      options.fail("taps.norm", "what layers give is normalized where there is a 'project'")
    }
    canvas = options.group("canvas", "what is given of tiles that lie on a canvas") { group in
      (
        rest: group.flag(
          "rest", default: false, "whether what stands behind the first numbers of another stack's rows is joined again"
        ),
        marks: group.flag(
          "marks", default: false, "whether a last number tells whether a row is picture, absent tile or filling")
      )
    }
  }

  public func write(
    _ hidden: [Value], norm component: any Normalization, normIsDue: Bool, into plan: inout PlanBuilder
  ) -> Value {
    var x = hidden[hidden.count - 1]
    if norm ?? normIsDue { x = component.write(x, named: "final_norm", over: .row, into: &plan) }
    if let canvas, canvas.rest {
      if let rest = plan.left(StackRows.Rest.self) {
        x = plan.apply(JoinRows(widths: [x.width, rest.rows.width]), to: x, rest.rows)
      } else {
        plan.fail(
          "there is nothing behind the rows that the stack goes on with", at: place, hint: "leave 'canvas.rest' out")
      }
    }
    let states = states(x, hidden, into: &plan)
    guard let canvas, canvas.marks else { return states }
    guard let tiles = plan.patches?.tiles, states.axis == plan.rows else {
      plan.fail("the rows are no tiles of a picture on a canvas", at: place, hint: "leave 'canvas.marks' out")
      return states
    }
    let marks = plan.apply(TileMarks(canvas: tiles, axis: states.axis), to: [])[0]
    return plan.apply(JoinRows(widths: [states.width, 1]), to: states, marks)
  }

  /// The rows that `x` becomes, with what the taps give of `hidden`.
  private func states(_ x: Value, _ hidden: [Value], into plan: inout PlanBuilder) -> Value {
    let axis = axis(of: x, into: &plan)
    let reduced = self.reduced(x, on: axis, into: &plan)
    guard let project else {
      guard let taps else { return reduced }
      let others = taps.states(of: hidden, asListed: true, at: place, into: &plan) { x, plan in
        self.reduced(x, on: axis, into: &plan)
      } projecting: { x, _ in
        x
      }
      guard !others.isEmpty else { return reduced }
      let joined = plan.apply(JoinRows(widths: others.map(\.width), byNumber: true), to: others)[0]
      return plan.apply(JoinRows(widths: [reduced.width, joined.width]), to: reduced, joined)
    }
    let own = plan.within("project") { plan in
      project.write(project.norm?.write(reduced, named: "norm", over: .row, into: &plan) ?? reduced, into: &plan)
    }
    guard let taps else { return own }
    let others = taps.states(of: hidden, asListed: false, at: place, into: &plan) { x, plan in
      self.reduced(x, on: axis, into: &plan)
    } projecting: { x, plan in
      project.write(x, into: &plan)
    }
    return plan.apply(JoinRows(widths: ([own] + others).map(\.width)), to: [own] + others)[0]
  }

  /// The axis of fewer rows; nil where they are all there.
  private func axis(of x: Value, into plan: inout PlanBuilder) -> RowAxis? {
    guard dropsClass || reduce != nil else { return nil }
    let window = reduce?.window ?? 1
    let dropping = dropsClass ? 1 : 0
    if plan.patches != nil { check(plan.shape.contextLength - dropping, window, into: &plan) }
    return plan.axis(from: x.axis, dropping: dropping, joining: window * window)
  }

  /// The rows of `x` that stand on `axis`.
  private func reduced(_ x: Value, on axis: RowAxis?, into plan: inout PlanBuilder) -> Value {
    guard let axis else { return x }
    let y = reduce?.norm?.write(x, named: "reduce.norm", over: .row, into: &plan) ?? x
    var z = plan.apply(
      ReduceRows(
        axis: axis, dropping: dropsClass ? 1 : 0, window: reduce?.window ?? 1,
        joins: reduce.map { $0.type != .average } ?? false, isInBlocks: reduce?.type == .blocks,
        byChannel: reduce?.type == .unfold),
      to: y)
    if let reduce { z = plan.scale(z, by: reduce.scale) }
    if reduce?.standardizes == true {
      let tensors = [
        plan.parameter("reduce.mean", shape: [z.width], starts: .zeros, use: .vector),
        plan.parameter("reduce.factor", shape: [z.width], starts: .ones, use: .vector),
      ]
      z = plan.apply(Standardize(), to: z, parameters: tensors)
    }
    guard let width = reduce?.width else { return z }
    let merged = plan.linear(z, to: width, named: "reduce.merge")
    return reduce?.activation?.write(merged, into: &plan) ?? merged
  }

  /// Refuses a picture of `rows` patches that is no square of blocks.
  private func check(_ rows: Int, _ window: Int, into plan: inout PlanBuilder) {
    guard let reduce, reduce.type != .blocks else { return }
    let side = Int(Double(rows).squareRoot())
    if side * side != rows || side % window != 0 {
      plan.fail(
        "\(rows) patches are no square that divides into blocks of \(window)×\(window)", at: place,
        hint: "'context_length' of the stack is the number of its rows")
    }
  }
}
