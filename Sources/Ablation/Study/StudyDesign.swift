/// How the arms of a study go together, and what is asked of them beside how each compares with the baseline.
public enum StudyDesign: Sendable, Hashable {
  /// Each by itself.
  case each
  /// Every value of each factor with every value of the others; an arm's coordinates are its values.
  case grid(GridDesign)
  /// A fraction of all combinations of changes; an arm's coordinate is its set of changes.
  case fractional(FractionalDesign, changes: [String])
  /// From the base by changes in many orders; likewise.
  case path(PathDesign, changes: [String])

  /// The questions, for arms that stand at `coordinates`, the baseline first.
  public func contrasts(_ coordinates: [[Int]]) -> [Contrast] {
    switch self {
    case .each: return []
    case .grid(let grid):
      let cells = Dictionary(
        coordinates.enumerated().filter { $0.element.count == grid.factors.count }.map { ($0.element, $0.offset) }
      ) { first, _ in first }
      let base = coordinates.first.flatMap { $0.count == grid.factors.count ? $0 : nil }
      return grid.contrasts(cells: cells, reference: base ?? grid.factors.map { _ in 0 })
    case .fractional(let design, let changes):
      return design.contrasts(arms: Self.sets(coordinates)) { changes[$0] }
    case .path(let design, let changes):
      return design.contrasts(arms: Self.sets(coordinates)) { changes[$0] }
    }
  }

  /// Which effects cannot be told apart, a sentence each.
  public var aliases: [String] {
    guard case .fractional(let design, let changes) = self else { return [] }
    func words(_ set: UInt32) -> String {
      changes.indices.filter { set >> UInt32($0) & 1 == 1 }.map { changes[$0] }.joined(separator: " × ")
    }
    return changes.indices.compactMap { change in
      let others = design.aliases(of: 1 << UInt32(change))
      return others.isEmpty
        ? nil
        : "the effect of \(changes[change]) cannot be told from that of \(others.map(words).joined(separator: ", "))"
    }
  }

  /// The base as it is has no changes, unless an arm stands for that: what is varied need not have the base among its values.
  private static func sets(_ coordinates: [[Int]]) -> [UInt32: Int] {
    Dictionary(
      coordinates.enumerated().compactMap { index, set in
        set.isEmpty ? (index == 0 ? (0, 0) : nil) : set.first.flatMap { UInt32(exactly: $0) }.map { ($0, index) }
      }
    ) { _, last in last }
  }
}
