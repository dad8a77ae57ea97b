import CKernels

/// Which keys a query sees, by the positions of both.
public enum AttentionMask: Sendable, Hashable {
  /// The query at position n sees the keys up to n: all of them, or the last `window`, its own included.
  case causal(window: Int?)
  /// Every query sees every key, or those at most `left` positions before its own and at most `right` after; nil: however far.
  case full(left: Int?, right: Int?)
  /// The first `count` positions see each other, all the others are causal: a prefix language model.
  /// Raffel et al., 2020, https://arxiv.org/abs/1910.10683, figure 4.
  case prefix(_ count: Int)
  /// Positions before `end` see all of those before it, all others are causal; what is more than `window` positions back, its own
  /// included, nobody sees.
  case together(end: Int, window: Int?)

  /// Keys before a query's own that it sees, keys after, and the length of the prefix, as CKernels takes them.
  var stored: (behind: Int, ahead: Int, prefix: Int) {
    // Half of what a position may be, so that neither sum nor difference overflows.
    let all = Int.max
    switch self {
    case .causal(let window):
      precondition(window.map { $0 > 0 } ?? true, "a window of \(window ?? 0) keys")
      return (window.map { $0 - 1 } ?? all, 0, 0)
    case .full(let left, let right):
      precondition(
        (left ?? 0) >= 0 && (right ?? 0) >= 0, "a window of \(left ?? 0) keys before and \(right ?? 0) after")
      return (left ?? all, right ?? all, 0)
    case .prefix(let count):
      precondition(count >= 0, "a prefix of \(count) positions")
      return (all, 0, count)
    case .together(let end, let window):
      precondition(end >= 0 && window ?? 1 > 0, "an end of \(end) and a window of \(window ?? 0)")
      return (window.map { $0 - 1 } ?? all, 0, end)
    }
  }
}
