import Components
import Kernels

/// The tiles of a picture on its canvas, in patches, all of them together: what the encoder of Llama 3.2 Vision begins with.
///
///     x[tile, p] = W·pixels[tile, p] + tanh(a)·E[canvas, tile];   x[tile, 0] = c, before the patches
///     y[tile, p] = norm(x[tile, p] + (1 − tanh b)·P[p] + tanh(b)·T[canvas, tile, p]),   0 in the rows that fill a tile up
///
/// Llama Team, 2024, https://arxiv.org/abs/2407.21783. A canvas has a number, from 1, in the order of its rows and columns of tiles; number 0 is
/// none. Tiles that a canvas does not have are there all the same, of zeros and with their vectors: other rows see them.
///
/// Examples: `{size: 1, image_size: 2, tiles: 2, multiple: 6, norm: layernorm}` `{size: 1, image_size: 2, tiles: 2, multiple: 1}`
///
/// Known as: tile_embedding, aspect_ratio_embedding `embedding: {type: canvas_patches, size: 14, image_size: 448, tiles: 4}`
public struct CanvasEmbedding: Embedding {
  public static let name = "canvas_patches"

  let size: Int
  let side: Int
  let channels: Int
  let tiles: Int
  let multiple: Int
  let norm: (any Normalization)?

  public init(_ options: Options) {
    size = options.requiredInteger("size", in: 1...1024, "the pixels along a side of a patch")
    side = options.requiredInteger("image_size", in: 1...65536, "the pixels along a side of a tile")
    channels = options.integer("channels", default: 3, in: 1...64, "the numbers of a pixel")
    tiles = options.integer("tiles", default: 4, in: 1...64, "the most tiles of a canvas")
    multiple = options.integer("multiple", default: 8, in: 1...1024, "what the rows of a tile are a multiple of")
    norm = options.component("norm", default: "none", slot: .norm, "the norm of the sum")
  }

  private var canvas: CanvasTiles {
    let along = side / max(1, size)
    return CanvasTiles(most: tiles, used: along * along + 1, multiple: multiple)
  }

  public var patches: PatchGrid? { PatchGrid(size: size, channels: channels, rowsBefore: 1, tiles: canvas) }

  public func write(position: any PositionEncoding, reading stacks: [StackStates], into plan: inout PlanBuilder)
    -> Value
  {
    let rows = InputRows(axis: plan.rows, width: patches?.width ?? 0)
    let canvas = canvas
    let (width, numbers) = (plan.shape.hiddenSize, canvas.tileCounts.count + 1)
    return plan.within("embed") { plan in
      let given = plan.apply(rows, to: [])[0]
      var x = plan.linear(given, to: width, named: "patches")
      x = AddTiles.write(x, canvas, from: 1, to: canvas.used, named: "tiles", into: &plan)
      let tensors = [
        plan.parameter("class.weight", shape: [width], starts: .normal(0.02)),
        plan.parameter("positions.weight", shape: [canvas.used, width], starts: .normal(0.02)),
        plan.parameter("positions.gate", shape: [1], starts: .zeros, use: .vector),
        plan.parameter(
          "tile_positions.weight", shape: [numbers, canvas.most * canvas.used * width], starts: .normal(0.02)),
      ]
      x = plan.apply(AddTilePositions(canvas: canvas), to: x, parameters: tensors)
      x = norm?.write(x, named: "norm", over: .row, into: &plan) ?? x
      return plan.apply(ClearFilling(canvas: canvas), to: x)
    }
  }
}

/// Adds to the rows of each tile the vector of its place on the canvas, as far as a gate lets it.
///
///     y[tile, p] = x[tile, p] + tanh(g)·E[canvas, tile] for p from `first` to `end`        E: [canvases + 1, tiles·width], g: [1]
struct AddTiles: Kernel {
  let name = "add tiles"
  let canvas: CanvasTiles
  let first: Int
  let end: Int

  /// Writes the step, with a table and a gate under `name`.
  static func write(
    _ x: Value, _ canvas: CanvasTiles, from first: Int, to end: Int, named name: String, starts: Double = 0,
    into plan: inout PlanBuilder
  ) -> Value {
    let table = plan.parameter(
      "\(name).weight", shape: [canvas.tileCounts.count + 1, canvas.most * x.width], starts: .normal(0.02))
    let gate = plan.parameter("\(name).gate", shape: [1], starts: .constant(starts), use: .vector)
    return plan.apply(AddTiles(canvas: canvas, first: first, end: end), to: x, parameters: [table, gate])
  }

  var attributes: [Attribute] { canvas.attributes + [Attribute("first", first), Attribute("end", end)] }
  var traits: OperatorTraits { OperatorTraits(overwritableInput: 0, backwardReadsInputs: .none) }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    let (table, gate) = (context.parameter().matrix, tanhOf(context.parameter(1)))
    if x.base != UnsafePointer(y.base) { y.base.update(from: x.base, count: x.count * x.width) }
    for sequence in context.sequences {
      context.parallel(sequence.rows.count, grain: elementwiseGrain(x.width)) { rows, worker in
        for row in rows where reaches(sequence.start + row) {
          let tile = (sequence.start + row) / canvas.rows
          widen(
            table.format, table.base + rowBytes(table, of: sequence.canvas, tile: tile, x.width), count: x.width,
            into: worker.scratch)
          add(worker.scratch, scaledBy: gate, to: y[sequence.rows.lowerBound + row], count: x.width)
        }
      }
    }
  }

  private func reaches(_ row: Int) -> Bool {
    row / canvas.rows < canvas.most && (first..<end).contains(row % canvas.rows)
  }

  /// The bytes before the vector of `tile`.
  private func rowBytes(_ table: WeightMatrix, of number: Int, tile: Int, _ width: Int) -> Int {
    number * table.rowBytes + tile * (table.format.byteCount(elements: width) ?? 0)
  }

  /// `dx += dy`, `dE[canvas, tile] += tanh(g)·dy`, `dg += (1 − tanh²(g))·Σ E[canvas, tile]·dy`.
  func backward(_ context: BackwardContext) {
    let dy = context.outputGradient()
    if let dx = context.inputGradient() { add(dy.base, scaledBy: 1, to: dx.base, count: dy.count * dy.width) }
    let (table, gate) = (context.parameter().matrix, tanhOf(context.parameter(1)))
    let (dtable, dgate) = (context.parameterGradient(), context.parameterGradient(1))
    var sum = 0.0
    var vector = [Float](repeating: 0, count: dy.width)
    for sequence in context.sequences {
      for row in 0..<sequence.rows.count where reaches(sequence.start + row) {
        let tile = (sequence.start + row) / canvas.rows
        let given = dy[sequence.rows.lowerBound + row]
        if let dtable {
          add(given, scaledBy: gate, to: dtable + (sequence.canvas * canvas.most + tile) * dy.width, count: dy.width)
        }
        vector.withUnsafeMutableBufferPointer { vector in
          guard let base = vector.baseAddress else { return }
          widen(
            table.format, table.base + rowBytes(table, of: sequence.canvas, tile: tile, dy.width), count: dy.width,
            into: base)
          sum += Double(dot(base, given, count: dy.width))
        }
      }
    }
    dgate?[0] += (1 - gate * gate) * Float(sum)
  }

  func scratch(step: Step, rows: Int, context: Int) -> Int { step.outputs[0].width }
  func flops(step: Step, context: Int) -> Int { 2 * step.outputs[0].width }
}

/// A learned row before the patches of each tile, and the gated sum of a patch's place in its tile and on the canvas.
///
///     y[tile, p] = (p = 0 ? c : x[tile, p]) + (1 − tanh g)·P[p] + tanh(g)·T[canvas, tile, p]
struct AddTilePositions: Kernel {
  let name = "add tile positions"
  let canvas: CanvasTiles

  var attributes: [Attribute] { canvas.attributes }
  var traits: OperatorTraits { OperatorTraits(overwritableInput: 0, backwardReadsInputs: .none) }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    let first = context.parameter(0).vector
    let (places, gate, tiles) = (
      context.parameter(1).matrix, tanhOf(context.parameter(2)), context.parameter(3).matrix
    )
    let width = x.width
    for sequence in context.sequences {
      context.parallel(sequence.rows.count, grain: elementwiseGrain(3 * width)) { rows, worker in
        for row in rows {
          let (own, place) = (sequence.rows.lowerBound + row, (sequence.start + row) % canvas.rows)
          let from = place == 0 ? first : x[own]
          if from != UnsafePointer(y[own]) { y[own].update(from: from, count: width) }
          guard let start = start(of: sequence.start + row) else { continue }
          widen(places.format, places.base + place * places.rowBytes, count: width, into: worker.scratch)
          add(worker.scratch, scaledBy: 1 - gate, to: y[own], count: width)
          let bytes = tiles.format.byteCount(elements: start * width) ?? 0
          widen(tiles.format, tiles.base + sequence.canvas * tiles.rowBytes + bytes, count: width, into: worker.scratch)
          add(worker.scratch, scaledBy: gate, to: y[own], count: width)
        }
      }
    }
  }

  /// Where the vector of the row `row` begins among those of its canvas; nil where it has none.
  private func start(of row: Int) -> Int? {
    let (tile, place) = (row / canvas.rows, row % canvas.rows)
    return tile < canvas.most && place < canvas.used ? tile * canvas.used + place : nil
  }

  /// `dx += dy` but in the first rows, `dc += Σ dy` of those, `dP[p] += (1 − tanh g)·dy`, `dT += tanh(g)·dy`,
  /// `dg += (1 − tanh²(g))·Σ (T − P)·dy`.
  func backward(_ context: BackwardContext) {
    let dy = context.outputGradient()
    let (dx, dfirst) = (context.inputGradient(), context.parameterGradient(0))
    let (dplaces, dgate, dtiles) = (
      context.parameterGradient(1), context.parameterGradient(2), context.parameterGradient(3)
    )
    let (places, gate, tiles) = (
      context.parameter(1).matrix, tanhOf(context.parameter(2)), context.parameter(3).matrix
    )
    let width = dy.width
    var sum = 0.0
    var vector = [Float](repeating: 0, count: 2 * width)
    for sequence in context.sequences {
      for row in 0..<sequence.rows.count {
        let own = sequence.rows.lowerBound + row
        let place = (sequence.start + row) % canvas.rows
        if place == 0 {
          if let dfirst { add(dy[own], scaledBy: 1, to: dfirst, count: width) }
        } else if let dx {
          add(dy[own], scaledBy: 1, to: dx[own], count: width)
        }
        guard let start = start(of: sequence.start + row) else { continue }
        if let dplaces { add(dy[own], scaledBy: 1 - gate, to: dplaces + place * width, count: width) }
        if let dtiles {
          let row = sequence.canvas * canvas.most * canvas.used + start
          add(dy[own], scaledBy: gate, to: dtiles + row * width, count: width)
        }
        vector.withUnsafeMutableBufferPointer { vector in
          guard let base = vector.baseAddress else { return }
          widen(places.format, places.base + place * places.rowBytes, count: width, into: base)
          let bytes = tiles.format.byteCount(elements: start * width) ?? 0
          widen(tiles.format, tiles.base + sequence.canvas * tiles.rowBytes + bytes, count: width, into: base + width)
          sum += Double(dot(base + width, dy[own], count: width)) - Double(dot(base, dy[own], count: width))
        }
      }
    }
    dgate?[0] += (1 - gate * gate) * Float(sum)
  }

  func scratch(step: Step, rows: Int, context: Int) -> Int { step.outputs[0].width }
  func flops(step: Step, context: Int) -> Int { 4 * step.outputs[0].width }
}

/// Zeros in the rows that fill a tile up.
///
///     y[tile, p] = x[tile, p] for p < used, else 0
struct ClearFilling: Kernel {
  let name = "clear filling"
  let canvas: CanvasTiles

  var attributes: [Attribute] { canvas.attributes }
  var traits: OperatorTraits { OperatorTraits(overwritableInput: 0, backwardReadsInputs: .none) }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    if x.base != UnsafePointer(y.base) { y.base.update(from: x.base, count: x.count * x.width) }
    for sequence in context.sequences {
      for row in 0..<sequence.rows.count where (sequence.start + row) % canvas.rows >= canvas.used {
        y[sequence.rows.lowerBound + row].update(repeating: 0, count: y.width)
      }
    }
  }

  /// `dx += dy` where a row is not cleared.
  func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let dy = context.outputGradient()
    for sequence in context.sequences {
      for row in 0..<sequence.rows.count where (sequence.start + row) % canvas.rows < canvas.used {
        let own = sequence.rows.lowerBound + row
        add(dy[own], scaledBy: 1, to: dx[own], count: dy.width)
      }
    }
  }

  func flops(step: Step, context: Int) -> Int { 0 }
}

/// The tangent of a tensor of one number.
private func tanhOf(_ gate: Parameter) -> Float {
  var value: Float = 0
  withUnsafeMutablePointer(to: &value) { hyperbolicTangents(of: gate.vector, into: $0, count: 1) }
  return value
}
