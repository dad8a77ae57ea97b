import Components
import Essentials

/// Rotary positions of a picture's patches: half of the pairs of every head turn by the patch's row, half by its column.
///
///     φ(i) = row·theta^(−4i/d) for i < d/4,   φ(i) = column·theta^(−(4i − d)/d) for the others        pairs (i, i + d/2)
///     alternating frequencies:  φ(i) = column·theta^(−(4i − d + 2)/d) for the others
///
/// Su et al., 2021, https://arxiv.org/abs/2104.09864, in two directions; Wang et al., 2024 (Qwen2-VL), https://arxiv.org/abs/2409.12191.
/// In Pixtral the frequencies of a sequence of d/2 are a row's and a column's in turn (Agrawal et al., 2024, https://arxiv.org/abs/2410.07073).
/// Llama 4 turns pairs of neighbours, by the column first, and counts rows and columns from 1; Gemma 4 turns each half of a head by itself.
/// Patches stand row by row, or with `merge` in blocks of merge×merge that become one row later. A sequence of which no columns are
/// known is one row of patches, or a square where rows stand before them, which do not turn.
///
/// Examples: `{theta: 100}` `{merge: 2}` `{frequencies: alternating}` `{pairing: interleaved, first: columns, start: 1}`
/// `{pairing: quarter, first: columns}`
///
/// Known as: rope_2d, vision_rope, axial_rope `position: grid_rope`
public struct GridRoPE: PositionEncoding {
  public static let name = "grid_rope"

  enum Frequencies: String, CaseIterable { case shared, alternating }
  enum Pairing: String, CaseIterable { case half, interleaved, quarter }
  enum Direction: String, CaseIterable { case rows, columns }

  let theta: Double
  let merge: Int
  let frequencies: Frequencies
  let pairing: Pairing
  let first: Direction
  let start: Int
  let place: Place?

  public init(_ options: Options) {
    theta = options.number("theta", default: 10000, in: 1...1e12, "the base of the frequencies")
    merge = options.integer("merge", default: 1, in: 1...64, "patches along a side of the blocks in which they stand")
    frequencies = options.choice(
      "frequencies", default: Frequencies.shared, "whether rows and columns have the same, or take turns")
    pairing = options.choice(
      "pairing", default: Pairing.half,
      "which elements are rotated as a pair: half a head apart, neighbours, or a quarter apart in either half")
    first = options.choice("first", default: Direction.rows, "what the first half of the pairs turns by")
    start = options.integer("start", default: 0, in: 0...1024, "the number of the first row and column")
    place = options.place
  }

  public func rotate(_ x: Value, _ role: AttentionRole, heads: Int, into plan: inout PlanBuilder) -> Value {
    let width = x.width / heads
    guard width % 4 == 0 else {
      plan.fail("pairs for rows and columns divide a head by four, and it has \(width) numbers", at: place)
      return x
    }
    let table = GridAngles(
      theta: theta, width: width, merge: merge, alternates: frequencies == .alternating,
      columnsFirst: first == .columns, start: start, before: plan.patches?.rowsBefore ?? 0, axis: plan.rows)
    let angles = plan.shared(table) { plan in plan.apply(table, to: [])[0] }
    return plan.apply(
      RoPERotation(
        heads: heads, interleaved: pairing == .interleaved, backward: false, angles: table.attributes,
        parts: pairing == .quarter ? 2 : 1), to: x, angles)
  }
}

/// The cosines and sines of the patches of a pass, computed once for all layers.
///
///     y[t] = (cos φ(0), … cos φ(d/2 − 1), sin φ(0), …)        y: [rows, width]
struct GridAngles: Kernel {
  let name = "grid angles"
  let theta: Double
  let width: Int
  let merge: Int
  let alternates: Bool
  var columnsFirst = false
  var start = 0
  /// Rows before the patches, which do not turn.
  var before = 0
  let axis: RowAxis

  var attributes: [Attribute] {
    [
      Attribute("theta", theta), Attribute("rotary_dim", width), Attribute("merge", merge, plain: 1),
      Attribute("alternates", alternates, plain: false), Attribute("columns_first", columnsFirst, plain: false),
      Attribute("start", start, plain: 0), Attribute("before", before, plain: 0),
      Attribute("axis", axis.index, plain: RowAxis.tokens.index),
    ]
  }
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] { [ValueShape(width: width, axis: axis)] }

  func forward(_ context: ForwardContext) {
    let y = context.output()
    let (half, quarter) = (width / 2, width / 4)
    for sequence in context.sequences {
      let square = before > 0 ? Int(Double(max(1, sequence.rows.count - before)).squareRoot()) : Int.max
      let across = sequence.columns > 0 ? max(1, sequence.columns / merge) : max(1, square / merge)
      for row in sequence.rows {
        let patch = sequence.start + row - sequence.rows.lowerBound - before
        if patch < 0 {
          y[row].update(repeating: 1, count: half)
          (y[row] + half).update(repeating: 0, count: half)
          continue
        }
        let (block, inside) = (patch / (merge * merge), patch % (merge * merge))
        let down = Double(block / across * merge + inside / merge)
        let right = Double(block % across * merge + inside % merge)
        for pair in 0..<half {
          let turns = Double(start) + ((pair < quarter) != columnsFirst ? down : right)
          let place = Double(pair % quarter) + (alternates && pair >= quarter ? 0.5 : 0)
          let angle = turns * pow(theta, -place / Double(quarter))
          y[row][pair] = Float(cos(angle))
          y[row][pair + half] = Float(sin(angle))
        }
      }
    }
  }

  /// Nothing: the angles depend on no learned number.
  func backward(_ context: BackwardContext) {}

  /// Of square pictures, whose patches stand row by row.
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    guard merge == 1 else { return nil }
    call.imports("math")
    call.names("rope")
    call.output(is: .own)
    let counted = start == 0 ? "" : " + \(start)"
    let (first, second) = columnsFirst ? ("across", "down") : ("down", "across")
    let own = alternates ? "(i + 0.5)" : "i"
    let still = before == 0 ? "" : "\n    angles = F.pad(angles, (0, 0, \(before), 0))"
    call.define(
      "grid_angles",
      """
      def grid_angles(rows, width, theta):
          \"""Cosines and sines for the patches of square pictures, [rows, 1, width / 2]: of their row and column.\"""
          count, quarter = rows.size(1)\(before == 0 ? "" : " - \(before)"), width // 4
          side = math.isqrt(count)
          i = torch.arange(quarter, dtype=torch.float64, device=rows.device)
          place = torch.arange(count, device=rows.device)[:, None]
          down, across = place // side\(counted), place % side\(counted)
          first, second = theta ** -(i / quarter), theta ** -(\(own) / quarter)
          angles = torch.cat([\(first) * first, \(second) * second], dim=-1)\(still)
          angles = angles[:, None]
          return angles.cos().float(), angles.sin().float()
      """)
    return .call(
      "grid_angles",
      [
        call.givenRows(), call.setting("rotary_dim", PyTorchExpression(width)),
        call.setting("rope_theta", PyTorchExpression(theta)),
      ])
  }

  func flops(step: Step, context: Int) -> Int { 2 * width }
}
