import Components

/// What a stack gives to those that read it: the last layer's states, normalized; of an image encoder fewer rows of another width.
///
///     states = norm(x);   with reduce  s[i] = mean or concatenation of the window² rows of block i;   project  W₂·act(W₁·norm(s))
///
/// Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, whose norms stand after the sublayers, so that none follows the last.
/// The norm is there unless the last block ends in one; `norm` overrules that. Reducing takes the rows for a square picture, cut into
/// blocks of `window`×`window`: `average` takes their mean (Gemma 3), `pixel_shuffle` joins them, row by row, to wider rows (Idefics3,
/// InternVL), `unfold` number by number (Mistral 3); `blocks` joins rows that stand block by block (Qwen2-VL). Of a picture whose columns
/// are known the rows need be no square. `reduce` may have a norm before it, and a matrix to `width` numbers after it. `project` ends in
/// the width of the text (Liu et al., 2023, https://arxiv.org/abs/2304.08485); gated, it is W₂·(act(G·norm(s)) ⊙ W₁·norm(s)) (Aya Vision).
///
/// Examples: `{norm: false}` `{drop_class: true, project: {bias: true}}` `{reduce: {type: average, window: 3}}`
/// `{drop_class: true, reduce: {type: pixel_shuffle, window: 3}, project: {hidden: 6, activation: tanh, norm: layernorm}}`
/// `{project: {hidden: 6, activation: silu, gated: true, bias: true}}` `{reduce: {type: unfold, window: 2, norm: rmsnorm, width: 5}, project: {}}`
///
/// Known as: projector, connector, multi_modal_projector `output: {project: {hidden: 4096}}`, pixel_shuffle `output: {reduce: {type: pixel_shuffle, window: 2}}`
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
  }

  /// The matrices to the text's width.
  struct Projection {
    let hidden: Int?
    let activation: (any Activation)?
    let gated: Bool
    let bias: Bool
    let norm: (any Normalization)?
  }

  let norm: Bool?
  let dropsClass: Bool
  let reduce: Reducing?
  let project: Projection?
  let place: Place?

  public init(_ options: Options) {
    place = options.place
    norm = options.optionalFlag(
      "norm", "whether a norm stands at the end; when left out, unless the last block ends in one")
    dropsClass = options.flag("drop_class", default: false, "whether the first row is left out")
    reduce = options.group("reduce", "how the rows of a square picture become fewer") { group in
      Reducing(
        type: group.choice(
          "type", default: Reduction.pixelShuffle,
          "the mean of a block's rows, all of them as one row, row by row or number by number, or of rows that stand in blocks already"),
        window: group.requiredInteger("window", in: 1...64, "the rows along a side of a block"),
        norm: group.component("norm", default: "none", slot: .norm, "the norm of the rows before that"),
        width: group.optionalInteger(
          "width", in: 1...(1 << 24), "the width of a matrix behind it, which has no bias; none when left out"))
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
        norm: group.component("norm", default: "none", slot: .norm, "the norm before the first matrix"))
    }
  }

  public func write(
    _ hidden: [Value], norm component: any Normalization, normIsDue: Bool, into plan: inout PlanBuilder
  ) -> Value {
    var x = hidden[hidden.count - 1]
    if norm ?? normIsDue { x = component.write(x, named: "final_norm", over: .row, into: &plan) }
    if dropsClass || reduce != nil {
      let window = reduce?.window ?? 1
      let dropping = dropsClass ? 1 : 0
      if plan.patches != nil { check(plan.shape.contextLength - dropping, window, into: &plan) }
      x = reduce?.norm?.write(x, named: "reduce.norm", over: .row, into: &plan) ?? x
      let axis = plan.axis(from: x.axis, dropping: dropping, joining: window * window)
      x = plan.apply(
        ReduceRows(
          axis: axis, dropping: dropping, window: window, joins: reduce.map { $0.type != .average } ?? false,
          isUnfolded: reduce?.type == .unfold, isInBlocks: reduce?.type == .blocks),
        to: x)
      if let width = reduce?.width { x = plan.linear(x, to: width, named: "reduce.merge") }
    }
    guard let project else { return x }
    return plan.within("project") { plan in
      var y = project.norm?.write(x, named: "norm", over: .row, into: &plan) ?? x
      if let hidden = project.hidden {
        let inner = plan.linear(y, to: hidden, named: "in", bias: project.bias)
        if project.gated {
          let gate = plan.linear(y, to: hidden, named: "gate", bias: project.bias)
          let opened = project.activation?.write(gate, into: &plan) ?? gate
          y = plan.multiply(opened, inner)
        } else {
          y = project.activation?.write(inner, into: &plan) ?? inner
        }
      }
      return plan.linear(y, to: plan.textShape.hiddenSize, named: "out", bias: project.bias)
    }
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
