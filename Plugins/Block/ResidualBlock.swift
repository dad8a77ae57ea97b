import Components

/// The residual block: sublayers added to the line one after the other or side by side, with norms where `placement` says.
///
///     serial:    x ← post(x + s·out(f(pre(x)))) for each sublayer f
///     parallel:  x ← post(x + s·Σ out(f(pre(x))))
///
/// He et al., 2015, https://arxiv.org/abs/1512.03385; placements: `post` Vaswani et al., 2017, `pre` Xiong et al., 2020,
/// https://arxiv.org/abs/2002.04745, `sandwich` as Gemma 2, `output` as OLMo 2; parallel: Wang and Komatsuzaki, 2021 (GPT-J).
/// In `output` the line itself is never normalized; in `post` it always is, so no final norm follows.
///
/// Examples: `{placement: sandwich}` `{placement: output, residual_scale: 0.5}` `{parallel: true}`
/// `{parallel: true, shared_norm: true}` `{parallel: true, placement: sandwich}`
public struct ResidualBlock: Block {
  public static let name = "block"

  enum Placement: String, CaseIterable { case pre, post, sandwich, output }

  let placement: Placement
  let parallel: Bool
  let sharedNorm: Bool
  let residualScale: Double

  public init(_ options: Options) {
    placement = options.choice("placement", default: Placement.pre, "where norms stand on the line")
    parallel = options.flag("parallel", default: false, "whether the sublayers read the same line")
    sharedNorm = parallel && options.flag("shared_norm", default: false, "whether parallel sublayers share their first norm")
    residualScale = options.number("residual_scale", default: 1, words: [:], "what a sublayer's result is multiplied by")
    if parallel, placement == .post {
      options.fail("placement", "parallel sublayers have no norm after each, so 'post' has no place", hint: "use pre, sandwich or output")
    }
  }

  private var normsInput: Bool { placement == .pre || placement == .sandwich }
  private var normsResult: Bool { placement == .sandwich || placement == .output }

  public var needsFinalNorm: Bool { placement != .post }

  public func write(_ x: Value, sublayers: [Sublayer], norm: any Normalization, into plan: inout PlanBuilder) -> Value {
    var line = x
    let shared =
      sharedNorm && normsInput ? sublayers.first.map { norm.write(x, named: "\($0.name)_norm", over: .row, into: &plan) } : nil
    for sublayer in sublayers {
      var y = shared ?? (parallel ? x : line)
      if normsInput, shared == nil { y = norm.write(y, named: "\(sublayer.name)_norm", over: .row, into: &plan) }
      y = plan.within(sublayer.name) { plan in sublayer.write(y, &plan) }
      if normsResult { y = norm.write(y, named: "\(sublayer.name)_out_norm", over: .row, into: &plan) }
      line = plan.add(line, y, beta: residualScale)
      if placement == .post { line = norm.write(line, named: "\(sublayer.name)_post_norm", over: .row, into: &plan) }
    }
    return line
  }
}
