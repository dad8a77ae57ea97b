import Components
import Essentials

/// A learned number for every head and distance between tokens, added to attention's scores: distances share buckets, the wider
/// the farther.
///
///     s(q, k)_h += W[bucket(k − q), h]        W: [buckets, heads], one table for all layers
///     bucket(n) = n for n < m,  m + ⌊log(n/m) / log(max_distance/m)·(b − m)⌋ and at most b − 1 beyond,  m = ⌊b/2⌋
///
/// Raffel et al., 2020 (T5), https://arxiv.org/abs/1910.10683. b is `buckets` under a causal mask; under a full one half of
/// them, and the other half is for keys behind the query. `beside` is an encoding that acts too, as MPNet has learned positions
/// (Song et al., 2020, https://arxiv.org/abs/2004.09297). The careful reader's mistake: what is added is not scaled with the scores.
///
/// Examples: `{buckets: 8, max_distance: 16}` `{buckets: 6, max_distance: 9, beside: learned}`
///
/// Known as: relative_position_bias, relative_attention_bias, relative_attention_num_buckets, t5_bias `position: relative`
public struct RelativePosition: PositionEncoding {
  public static let name = "relative"

  let buckets: Int
  let maxDistance: Int
  let beside: (any PositionEncoding)?

  public init(_ options: Options) {
    let buckets = options.integer("buckets", default: 32, in: 4...65536, "how many distances are told apart")
    maxDistance = options.integer(
      "max_distance", default: 128, in: 2...(1 << 20), "the distance from which on all share a bucket")
    self.buckets = buckets
    beside = options.component("beside", default: "none", slot: .position, "an encoding that acts besides")
    if buckets % 2 != 0 {
      options.fail("buckets", "\(buckets) buckets cannot be halved, one half for keys behind the query")
    }
    if maxDistance <= buckets / 2 {
      options.fail(
        "max_distance", "it must be more than half of the \(buckets) buckets, which are for single distances")
    }
    if beside?.scoreBias(heads: 1, scale: 1) != nil {
      options.fail("beside", "scores already have what this encoding adds")
    }
  }

  public var actsAtEmbedding: Bool { beside?.actsAtEmbedding ?? false }
  public var scoreFactor: Double { beside?.scoreFactor ?? 1 }

  public func embed(_ x: Value, into plan: inout PlanBuilder) -> Value { beside?.embed(x, into: &plan) ?? x }

  public func rotate(_ x: Value, _ role: AttentionRole, heads: Int, into plan: inout PlanBuilder) -> Value {
    beside?.rotate(x, role, heads: heads, into: &plan) ?? x
  }

  /// For mixers that do not ask for the table: it refuses to be added.
  public func scoreBias(heads: Int, scale: Float) -> (any ScoreBias)? { Learned() }

  private struct Learned: ScoreBias {
    let name = "relative"
    let attributes: [Attribute] = []
    let keys = ScoreBiasKeys.none
    func add(to scores: UnsafeMutablePointer<Float>, count: Int, head: Int, query: Int, firstKey: Int) {}
  }

  public func scoreTable(
    heads: Int, seesLater: Bool, into plan: inout PlanBuilder
  ) -> (table: ScoreTable, tensor: ParameterReference)? {
    let (buckets, maxDistance) = (buckets, maxDistance)
    let table = ScoreTable(
      name: Self.name,
      attributes: [
        Attribute("buckets", buckets), Attribute("max_distance", maxDistance),
        Attribute("sees_later", seesLater, plain: false),
      ], rows: buckets, reach: maxDistance
    ) { Self.bucket($0, buckets: buckets, maxDistance: maxDistance, seesLater: seesLater) }
    let tensor = plan.outsideLayers { plan in
      plan.parameter("relative.weight", shape: [buckets, heads], starts: .normal(0.02), use: .vector)
    }
    return (table, tensor)
  }

  /// The bucket of a key `distance` positions after the query; logarithms are `Float`, as in the reference, for their floor
  /// decides.
  static func bucket(_ distance: Int, buckets: Int, maxDistance: Int, seesLater: Bool) -> Int {
    let count = seesLater ? buckets / 2 : buckets
    let start = seesLater && distance > 0 ? count : 0
    let n = seesLater ? abs(distance) : max(0, -distance)
    let exact = count / 2
    if n < exact { return start + n }
    let part = log(Float(n) / Float(exact)) / Float(log(Double(maxDistance) / Double(exact))) * Float(count - exact)
    return start + min(exact + Int(part), count - 1)
  }
}
