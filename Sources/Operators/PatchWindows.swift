import Kernels
import Plans

/// Squares of a picture, its windows, of which the patches of each see each other alone.
///
/// Patches stand row by row, or in blocks of merge×merge; a window is whole blocks, and at the right and below there are smaller ones.
/// Ordered by windows (`ArrangeWindows`), those of one stand together. Of a sequence of which no columns are known the blocks stand in one row.
/// Liu et al., 2021, https://arxiv.org/abs/2103.14030, without shifts; Bai et al., 2025 (Qwen2.5-VL), https://arxiv.org/abs/2502.13923.
public struct PatchWindows: Sendable, Hashable {
  /// Patches along a side of a window.
  public let size: Int
  /// Patches along a side of the blocks in which they stand.
  public let merge: Int

  /// Windows of `size`×`size` patches, a multiple of `merge`.
  public init(size: Int, merge: Int) {
    precondition(size > 0 && merge > 0 && size % merge == 0, "windows of \(size) patches in blocks of \(merge)")
    self.size = size
    self.merge = merge
  }

  /// What decides numbers.
  public var attributes: [Attribute] { [Attribute("size", size), Attribute("merge", merge, plain: 1)] }

  /// How many rows each window has of a sequence of `count` rows, in the order of the windows.
  func counts(of count: Int, columns: Int) -> [Int] {
    var counts: [Int] = []
    forEachWindow(of: count, columns: columns) { counts.append($0.reduce(0) { $0 + $1.count }) }
    return counts
  }

  /// For each row in the order of the windows the row that it is, counted from the first of the sequence.
  func order(of count: Int, columns: Int) -> [Int] {
    var order: [Int] = []
    order.reserveCapacity(count)
    forEachWindow(of: count, columns: columns) { for run in $0 { order += run } }
    return order
  }

  /// The runs of rows of each window.
  private func forEachWindow(of count: Int, columns: Int, _ body: (_ runs: [Range<Int>]) -> Void) {
    let (unit, side) = (merge * merge, size / merge)
    // Rows that complete no block count as one.
    let blocks = (count + unit - 1) / unit
    let across = columns > 0 ? max(1, columns / merge) : max(1, blocks)
    let down = (blocks + across - 1) / across
    for top in stride(from: 0, to: down, by: side) {
      for left in stride(from: 0, to: across, by: side) {
        var runs: [Range<Int>] = []
        for row in top..<min(top + side, down) {
          let (first, end) = (row * across + left, row * across + min(left + side, across))
          if first < blocks { runs.append(first * unit..<min(end * unit, count)) }
        }
        if !runs.isEmpty { body(runs) }
      }
    }
  }
}

/// The rows of pictures in the order of their windows, or back in their own.
///
///     y[i] = x[o(i)]   or   y[o(i)] = x[i]        o(i): the row that is the i-th by windows
public struct ArrangeWindows: Kernel {
  public let name = "arrange windows"
  /// The windows.
  public let windows: PatchWindows
  /// Whether rows in the order of windows go back to their own places.
  public let isBack: Bool

  /// Rows by `windows`, or back.
  public init(_ windows: PatchWindows, isBack: Bool) {
    self.windows = windows
    self.isBack = isBack
  }

  public var attributes: [Attribute] { windows.attributes + [Attribute("back", isBack, plain: false)] }
  public var traits: OperatorTraits { OperatorTraits(backwardReadsInputs: .none) }
  public var lengthUse: LengthUse { .whole }

  public func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    for sequence in context.sequences {
      let order = windows.order(of: sequence.rows.count, columns: sequence.columns)
      let first = sequence.rows.lowerBound
      context.parallel(order.count, grain: elementwiseGrain(x.width)) { rows, _ in
        for row in rows {
          let (own, ordered) = (first + order[row], first + row)
          y[isBack ? own : ordered].update(from: x[isBack ? ordered : own], count: x.width)
        }
      }
    }
  }

  /// `dx[o(i)] += dy[i]`, or `dx[i] += dy[o(i)]`.
  public func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let dy = context.outputGradient()
    for sequence in context.sequences {
      let order = windows.order(of: sequence.rows.count, columns: sequence.columns)
      let first = sequence.rows.lowerBound
      for (row, place) in order.enumerated() {
        let (own, ordered) = (first + place, first + row)
        add(dy[isBack ? own : ordered], scaledBy: 1, to: dx[isBack ? ordered : own], count: dy.width)
      }
    }
  }

  public func flops(step: Step, context: Int) -> Int { 0 }
}
