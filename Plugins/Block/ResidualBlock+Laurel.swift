import Components

/// A way beside a sublayer: what it reads, and a low-rank change of that.
///
///     x ← (x + n + norm(n·Wdownᵀ·Wupᵀ)) / √2        x the stream with the sublayer's result, n what the sublayer read
///
/// Menghani, Kumar and Kumar, 2024 (LAuReL), https://arxiv.org/abs/2411.07501; with a norm, and on what is normalized already, as in
/// Gemma Team, 2025 (Gemma 3n), around attention alone.
struct Laurel {
  let rank: Int
  let places: [String: Bool]

  init(_ options: Options) {
    rank = options.requiredInteger("rank", in: 1...65536, "the width between the two matrices")
    places = options.flags(
      "at", Slot.ofSublayers.compactMap(\.scope), default: true, "beside which sublayers it stands")
  }

  /// The residual stream behind the sublayer `name`, which has read `n`.
  func write(
    _ stream: Value, beside name: String, reading n: Value, norm: any Normalization, into plan: inout PlanBuilder
  ) -> Value {
    guard places[name] == true else { return stream }
    let narrow = plan.within("\(name)_laurel") { plan in plan.linear(n, to: rank, named: "down") }
    let wide = plan.sublayer { plan in
      plan.within("\(name)_laurel") { plan in plan.linear(narrow, to: n.width, named: "up") }
    }
    let change = norm.write(wide, named: "\(name)_laurel_norm", over: .row, into: &plan)
    let beside = plan.add(n, change)
    let half = 0.5.squareRoot()
    return plan.joining(beside) { plan in plan.add(stream, beside, alpha: half, beta: half) }
  }
}
