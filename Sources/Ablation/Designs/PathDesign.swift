/// From one model to another by several changes: what each contributes, averaged over the orders that they can be made in.
///
/// A change made first may do much and made last nothing, when another has done the same; neither is *the* effect. The
/// average over orders is the one share that treats all changes alike and adds up to the whole difference:
///
///     φᵢ = mean over orders of L(those before i, and i) − L(those before i)
///        = Σ over S without i of |S|! (k − |S| − 1)! / k! · (L(S ∪ i) − L(S))
///
/// Source: Shapley, "A value for n-person games" (1953). It is a weighted sum of losses, so it has a test and an interval
/// as every contrast. Over some orders in place of all it is an estimate whose shares still add up.
public struct PathDesign: Sendable, Hashable {
  /// The changes, k.
  public let count: Int
  /// The orders that are averaged over; nil for all.
  public let orders: [[Int]]?
  /// The most changes.
  public static let limit = 15
  /// The most changes of which all orders are taken, unless it is said otherwise: 32 models.
  public static let usualLimitOfAll = 5

  /// Over all orders, which takes 2^`count` models.
  public init(count: Int) {
    (self.count, orders) = (count, nil)
  }

  /// Over about `wanted` orders: rotations of one order and their reverses, then shuffled ones and theirs, so that each
  /// change stands at every place about equally often and first as often as last.
  public init(count: Int, orders wanted: Int) {
    self.count = count
    var orders: [[Int]] = []
    var state: UInt64 = 0x9e37_79b9_7f4a_7c15
    var order = Array(0..<count)
    while orders.count < wanted {
      for turn in 0..<count where orders.count < wanted {
        let turned = Array(order[turn...] + order[..<turn])
        orders.append(turned)
        if orders.count < wanted { orders.append(turned.reversed()) }
      }
      // A linear congruential generator (Knuth, MMIX) wraps by definition; its high bits shuffle.
      for place in stride(from: count - 1, to: 0, by: -1) {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        order.swapAt(place, Int(state >> 33) % (place + 1))
      }
    }
    self.orders = orders
  }

  /// The models: sets of changes as bits, ascending; the first has none, the last all.
  public var models: [UInt32] {
    guard let orders else { return Array(0..<UInt32(1) << UInt32(count)) }
    var sets: Set<UInt32> = [0]
    for order in orders {
      var set: UInt32 = 0
      for change in order {
        set |= 1 << UInt32(change)
        sets.insert(set)
      }
    }
    return sets.sorted()
  }

  /// The share of every change, as weights of the models, and what all together make; `name` says what a change is called.
  public func contrasts(arms: [UInt32: Int], name: (Int) -> String) -> [Contrast] {
    let shares: [Contrast] = (0..<count).compactMap { change in
      var weights: [Int: Double] = [:]
      for (set, weight) in steps(of: change) {
        guard let before = arms[set], let after = arms[set | 1 << UInt32(change)] else { return nil }
        weights[after, default: 0] += weight
        weights[before, default: 0] -= weight
      }
      return Contrast(name(change), .shapley, weights: weights)
    }
    guard let first = arms[0], let last = arms[UInt32(1) << UInt32(count) - 1] else { return shares }
    return shares + [Contrast("all together", .whole, weights: [last: 1, first: -1])]
  }

  /// What may stand before `change`, and how much of the average that is.
  private func steps(of change: Int) -> [(set: UInt32, weight: Double)] {
    if let orders {
      return orders.map { order in
        let before = order.prefix { $0 != change }.reduce(UInt32(0)) { $0 | 1 << UInt32($1) }
        return (before, 1 / Double(orders.count))
      }
    }
    return models.filter { $0 >> UInt32(change) & 1 == 0 }.map { set in
      // |S|! (k − |S| − 1)! / k! = 1 / (k · binomial(k − 1, |S|))
      let size = set.nonzeroBitCount
      let ways = (0..<size).reduce(1.0) { $0 * Double(count - 1 - $1) / Double($1 + 1) }
      return (set, 1 / (Double(count) * ways))
    }
  }
}
