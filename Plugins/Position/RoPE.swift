import Components
import Essentials

/// Rotary position embedding: pairs of elements of every query and key are rotated by an angle that grows with position.
///
///     (a, b) ← (a·cos φ − b·sin φ, a·sin φ + b·cos φ),   φ(p, i) = p·theta^(−2i/d)
///
/// Su et al., 2021, https://arxiv.org/abs/2104.09864.
/// Pairs are (i, i + d/2) with `pairing: half`, as Hugging Face stores LLaMA, and (2i, 2i + 1) with `interleaved`, as
/// GPT-J, Cohere and Meta's own files do: a fact of the stored weights, never to be guessed. `direction: backward` rotates by
/// −φ, as nanochat does. With `sections` (Wang et al., 2024, https://arxiv.org/abs/2409.12191) pairs turn by a token's place in time, down
/// or across: those of each direction together, or `interleaved` (Qwen3-VL), where pair 3i + 1 turns by the place down and 3i + 2 by that
/// across as long as there are any left, and all others by time.
///
/// Examples: `{theta: 500000}` `{fraction: 0.5}` `{dim: 2, pairing: interleaved}` `{scaling: {type: linear, factor: 2}}`
/// `{scaling: {type: dynamic, factor: 2, original_context: 8}}`
/// `{scaling: {type: llama3, factor: 8, original_context: 8}}` `{scaling: {type: yarn, factor: 4, original_context: 8}}`
/// `{scaling: {type: factors, factors: [1, 2.5]}}`
/// `{sections: [1, 1, 0]}` `{sections: [1, 1, 0], section_order: interleaved}` `{direction: backward}` `{fraction: 0.5, scaling: {type: proportional}}` `{scaling: {type: ntk, alpha: 50}}`
/// `{scaling: {type: yarn, factor: 4, original_context: 8, mscale: 1, mscale_all_dim: 0.5, scale_scores: true}}`
/// `{scaling: {type: longrope, short_factor: [1, 1.5], long_factor: [2, 4], original_context: 8, factor: 2}}`
/// `{scaling: {type: longrope, short_factor: [1, 1.5], long_factor: [2, 4], original_context: 8, factor: 2, cached: kept}}`
///
/// Known as: rotary, rotary_embedding `position: rope`, partial_rotary `position: {type: rope, fraction: 0.5}`,
/// rope_theta `position: {type: rope, theta: 500000}`,
/// yarn `position: {type: rope, scaling: {type: yarn, factor: 4, original_context: 4096}}`,
/// ntk, ntk_rope `position: {type: rope, scaling: {type: ntk, alpha: 4}}`,
/// dynamic_ntk `position: {type: rope, scaling: {type: dynamic, factor: 2, original_context: 4096}}`,
/// linear_scaling, position_interpolation, rope_scaling `position: {type: rope, scaling: {type: linear, factor: 4}}`,
/// llama3_rope, rope_llama3 `position: {type: rope, scaling: {type: llama3, factor: 8, original_context: 8192}}`
public struct RoPE: PositionEncoding {
  public static let name = "rope"

  enum Pairing: String, CaseIterable { case half, interleaved }
  enum Direction: String, CaseIterable { case forward, backward }
  enum SectionOrder: String, CaseIterable { case blocks, interleaved }

  let theta: Double
  let fraction: Double
  let dim: Int?
  let pairing: Pairing
  let direction: Direction
  let scaling: RoPEScaling
  let sections: [Int]?
  let sectionOrder: SectionOrder
  let extendedContext: Int?
  let place: Place?

  public init(_ options: Options) {
    theta = options.number("theta", default: 10000, in: 1...1e12, "the base of the frequencies")
    dim = options.optionalInteger(
      "dim", "the rotary dimension: how many elements of a head are rotated, if not a fraction")
    fraction = options.number("fraction", default: 1, in: 0.001...1, "the fraction of each head that is rotated")
    pairing = options.choice("pairing", default: Pairing.half, "which elements are rotated as a pair")
    direction = options.choice("direction", default: Direction.forward, "the direction of rotation")
    scaling = options.group("scaling", "how angles change for contexts longer than trained", RoPEScaling.init) ?? .none
    sections = options.numbers(
      "sections",
      "how many pairs of a head turn by a token's place in time, down and across; all by its position when left out")?
      .compactMap { Int(exactly: $0) }
    if let sections, sections.count != 3 || sections.contains(where: { $0 < 0 }) {
      options.fail("sections", "'sections' takes three numbers of pairs: in time, down and across")
    }
    sectionOrder =
      sections == nil
      ? .blocks
      : options.choice(
        "section_order", default: SectionOrder.blocks,
        "whether pairs of a direction stand together, or the directions take turns")
    extendedContext = scaling.longestText(context: options.shape.contextLength)
    place = options.place(of: dim == nil ? "fraction" : "dim")
    if dim != nil, options.isSet("fraction") {
      options.fail("dim", "'dim' and 'fraction' both set the rotary dimension")
    }
  }

  public var scoreFactor: Double {
    if case .yarn(let yarn) = scaling { yarn.scoreFactor } else { 1 }
  }

  /// Llama 3's rule as a factor for each frequency, which is what it comes to.
  public func restated(_ option: String, as type: String, headWidth: Int) -> Setting? {
    guard option == "scaling", type == "factors", case .llama3 = scaling else { return nil }
    let width = dim ?? Int((fraction * Double(headWidth)).rounded(.down))
    let plain = RoPEFrequencies(.none, theta: theta, width: width, length: 1)
    let own = RoPEFrequencies(scaling, theta: theta, width: width, length: 1)
    let factors = (0..<width / 2).map { Setting(text: "\(Double(Float(plain[$0] / own[$0])))") }
    return Setting(
      .group([Setting.Entry("type", Setting(text: type)), Setting.Entry("factors", Setting(.list(factors)))]))
  }

  public func rotate(_ x: Value, _ role: AttentionRole, heads: Int, into plan: inout PlanBuilder) -> Value {
    let headWidth = x.width / heads
    var scaling = scaling
    var width = dim ?? Int((fraction * Double(headWidth)).rounded(.down))
    // All pairs of the head, of which those beyond the fraction stand still.
    if case .proportional(let factor, _) = scaling, width % 2 == 0 {
      scaling = .proportional(factor: factor, pairs: width / 2)
      width = headWidth
    }
    guard width > 0, width % 2 == 0, width <= headWidth else {
      plan.fail("rope rotates pairs, but the rotary dimension is \(width) of a head of \(headWidth)", at: place)
      return x
    }
    let expected = scaling.expectedFactors.map { $0 == width / 2 } ?? true
    guard expected else {
      plan.fail(
        "a head has \(width / 2) rotated pairs, but the scaling lists \(scaling.expectedFactors ?? 0) factors",
        at: place)
      return x
    }
    if let sections, sections.reduce(0, +) != width / 2 {
      plan.fail(
        "the sections have \(sections.reduce(0, +)) pairs, and \(width / 2) of a head are rotated", at: place)
      return x
    }
    if let extendedContext { plan.extendContext(to: extendedContext) }
    let table = RoPEAngles(
      theta: theta, width: width, scaling: scaling, sections: sections,
      interleavesSections: sections != nil && sectionOrder == .interleaved, axis: plan.rows)
    let angles = plan.shared(table) { plan in plan.apply(table, to: [])[0] }
    return plan.apply(
      RoPERotation(
        heads: heads, interleaved: pairing == .interleaved, backward: direction == .backward, angles: table.attributes),
      to: x, angles)
  }
}
