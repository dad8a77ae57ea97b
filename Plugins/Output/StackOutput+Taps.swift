import Components
import Kernels

extension StackOutput {
  /// Layers whose results a stack gives besides its last layer's.
  struct Taps {
    let layers: [Int]
    let norm: (any Normalization)?

    init(_ options: Options) {
      layers = (options.numbers("layers", "the layers, from 0") ?? []).compactMap { Int(exactly: $0) }
      norm = options.component(
        "norm", default: "none", slot: .norm, "the norm of the reduced rows, before the matrices")
      if options.isDescribing { return }
      if layers.isEmpty || Set(layers).count != layers.count {
        options.fail("layers", "'layers' takes numbers of layers, each once")
      }
    }

    /// Writes what each of the layers gives, in their order or as they are listed: reduced, normalized and projected; tensors are numbered as
    /// the layers are listed.
    func states(
      of hidden: [Value], asListed: Bool, at place: Place?, into plan: inout PlanBuilder,
      reducing: (Value, inout PlanBuilder) -> Value, projecting: (Value, inout PlanBuilder) -> Value
    ) -> [Value] {
      if let layer = layers.first(where: { $0 < 0 || $0 >= plan.shape.layerCount }) {
        plan.fail("there is no layer \(layer) among \(plan.shape.layerCount)", at: place)
        return []
      }
      let order = asListed ? Array(layers.indices) : layers.indices.sorted { layers[$0] < layers[$1] }
      return order.map { index in
        // A sketch of the plan has fewer layers.
        let rows = reducing(hidden[min(layers[index] + 1, hidden.count - 1)], &plan)
        return plan.within("taps.\(index)") { plan in
          projecting(norm?.write(rows, named: "norm", over: .row, into: &plan) ?? rows, &plan)
        }
      }
    }
  }
}

/// Rows of several values as one wider row.
///
///     y[t] = (x₁[t], x₂[t], …);   with `byNumber`, of equal widths, y[t] = (x₁[t][0], x₂[t][0], …, x₁[t][1], …)
struct JoinRows: Kernel {
  let name = "join rows"
  /// Numbers of a row of each.
  let widths: [Int]
  var byNumber = false

  var attributes: [Attribute] {
    [Attribute("widths", widths), Attribute("by_number", byNumber, plain: false)]
  }
  var traits: OperatorTraits {
    OperatorTraits(isRowwise: true, backwardReadsInputs: .none)
  }
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    inputs.prefix(1).map { $0.with(width: widths.reduce(0, +)) }
  }

  func forward(_ context: ForwardContext) {
    let y = context.output()
    if byNumber {
      for index in widths.indices {
        let x = context.input(index)
        for row in 0..<y.count {
          for i in 0..<x.width { y[row][i * widths.count + index] = x[row][i] }
        }
      }
      return
    }
    var before = 0
    for (index, width) in widths.enumerated() {
      let x = context.input(index)
      for row in 0..<y.count { (y[row] + before).update(from: x[row], count: width) }
      before += width
    }
  }

  /// `dx_i += ` its part of `dy`.
  func backward(_ context: BackwardContext) {
    let dy = context.outputGradient()
    var before = 0
    for (index, width) in widths.enumerated() {
      if let dx = context.inputGradient(index) {
        if byNumber {
          for row in 0..<dy.count {
            for i in 0..<width { dx[row][i] += dy[row][i * widths.count + index] }
          }
          continue
        }
        for row in 0..<dy.count { add(dy[row] + before, scaledBy: 1, to: dx[row], count: width) }
      }
      before += width
    }
  }

  func flops(step: Step, context: Int) -> Int { 0 }
}

/// What each row of a canvas is: 1 of a tile that the picture has, 0 of one that it has not, −1 where a tile is filled up.
struct TileMarks: Kernel {
  let name = "tile marks"
  let canvas: CanvasTiles
  let axis: RowAxis

  var attributes: [Attribute] { canvas.attributes + [Attribute("axis", axis.index)] }
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] { [ValueShape(width: 1, axis: axis)] }

  func forward(_ context: ForwardContext) {
    let y = context.output()
    for sequence in context.sequences {
      let tiles = canvas.tiles(ofCanvas: sequence.canvas)
      for row in 0..<sequence.rows.count {
        let place = sequence.start + row
        let mark: Float = place % canvas.rows >= canvas.used ? -1 : place / canvas.rows < tiles ? 1 : 0
        y[sequence.rows.lowerBound + row][0] = mark
      }
    }
  }

  /// Nothing: no learned number has a part in them.
  func backward(_ context: BackwardContext) {}

  func flops(step: Step, context: Int) -> Int { 0 }
}
