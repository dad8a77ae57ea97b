import Kernels
import Plans

/// Which keys alone a query of attention sees: those that an input of the step names.
///
///     row t of the input: for each of `groups` runs of query heads, numbers of blocks of `block` keys, ascending; then −1
///
/// Numbers are positions divided by `block`, which a `Float` holds exactly up to 2²⁴. The careful reader's mistake: a chosen block
/// may hold keys after the query, which the mask hides all the same.
public struct KeyChoice: Sendable, Hashable {
  /// How many choices a row has, each for as many query heads.
  public let groups: Int
  /// How many keys a number stands for.
  public let block: Int

  /// Choices of blocks of `block` keys for each of `groups` runs of heads.
  public init(groups: Int, block: Int) {
    (self.groups, self.block) = (groups, block)
  }

  var attributes: [Attribute] { [Attribute("groups", groups, plain: 1), Attribute("block", block, plain: 1)] }

  /// The bias that hides what `rows` do not name, after `bias`; `first` is the row of the sequence's position 0.
  func hiding(after bias: AttentionKernel.Bias?, rows: Rows, first: Int, heads: Int) -> AttentionKernel.Bias {
    let (own, count) = (self, rows.width / groups)
    return { scores, length, head, query, firstKey in
      bias?(scores, length, head, query, firstKey)
      own.hide(
        scores, length, firstKey: firstKey, chosen: rows[first + query] + head / (heads / own.groups) * count,
        count: count)
    }
  }

  /// Hides those of the `length` keys from position `firstKey` on that the `count` numbers at `chosen` do not name.
  private func hide(
    _ scores: UnsafeMutablePointer<Float>, _ length: Int, firstKey: Int, chosen: UnsafePointer<Float>, count: Int
  ) {
    var next = first(from: firstKey / block, in: chosen, count)
    var place = 0
    while place < length {
      let from = next < count && chosen[next] >= 0 ? Int(chosen[next]) * block - firstKey : length
      // Not −∞: a run of keys may be hidden as a whole, and its weights are relative to its own greatest score.
      while place < min(from, length) {
        scores[place] = -1e30
        place += 1
      }
      place = max(place, min(length, from + block))
      next += 1
    }
  }

  /// The index of the first number that is not below `number`; those below zero stand for none, at the end.
  private func first(from number: Int, in chosen: UnsafePointer<Float>, _ count: Int) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if chosen[middle] >= 0, Int(chosen[middle]) < number { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Whether the choice at `chosen`, a row of `width` numbers, shows `head` of `heads` the key at position `key`.
  func shows(_ key: Int, to head: Int, of heads: Int, in chosen: UnsafePointer<Float>, width: Int) -> Bool {
    let count = width / groups
    let own = chosen + head / (heads / groups) * count
    let place = first(from: key / block, in: own, count)
    return place < count && own[place] >= 0 && Int(own[place]) == key / block
  }
}
