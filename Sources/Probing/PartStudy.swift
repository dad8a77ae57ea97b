import Components
import Execution

/// What a part's numbers are replaced by.
public enum PartReplacement: String, Sendable, CaseIterable {
  /// Zeros: a head or a sublayer gives nothing, a layer is skipped.
  case zero
  /// Their mean over all tokens of the text.
  case mean
  /// Those of another text, or of another part of the same.
  case resample
  /// Those of a given other text, position by position.
  case patch
}

/// Parts that are changed together.
public struct PartChange: Sendable {
  /// What is said of it in tables.
  public let name: String
  /// The parts, and what takes the place of each one's numbers.
  public let parts: [(part: ProbedPart, by: PartReplacement)]
  /// The positions at which they are changed; nil for all.
  public let positions: Set<Int>?

  /// `parts`, changed together at `positions`.
  public init(name: String, parts: [(part: ProbedPart, by: PartReplacement)], positions: Set<Int>? = nil) {
    self.name = name
    self.parts = parts
    self.positions = positions
  }
}

/// Changes of sites that a pass can be run with.
public struct PreparedChanges: Sendable {
  let list: [SiteChange]

  /// No changes.
  public static let none = PreparedChanges(list: [])
}

/// What a change does, over a text.
public struct PartEffect: Sendable {
  /// The name of the change.
  public let name: String
  /// For each window of the text, what its numbers became less what they were.
  public let differences: [[Double]]

  /// The mean difference.
  public var mean: Double {
    let count = differences.reduce(0) { $0 + $1.count }
    return differences.reduce(0) { $0 + $1.reduce(0, +) } / Double(max(1, count))
  }

  /// The mean difference of each run of `length` numbers inside a window, for intervals: neighbours are not independent.
  public func parts(of length: Int) -> [Double] {
    differences.flatMap { window in
      stride(from: 0, to: window.count, by: length).filter { $0 == 0 || $0 + length <= window.count }.map { start in
        let part = window[start..<min(window.count, start + length)]
        return part.reduce(0, +) / Double(part.count)
      }
    }
  }
}

/// Measures a model on a text with parts of it changed, one change after the other.
public final class PartStudy {
  private let probe: ModelProbe
  private let measure: ProbeMeasure
  private let windows: [[Int]]
  private let other: [Int]?
  private let shift: Int
  private var means: [ProbeSite: [Float]] = [:]
  private var others: [Int: [ProbeSite: RecordedRows]] = [:]
  /// What the measure gives for each window without a change.
  public let clean: [[Double]]
  private let cleanLogits: [[Float]]

  /// A study on `windows` of a text, none of which is empty. Numbers of another text are those of `other`; without one, each window
  /// takes those of another window, which `seed` chooses.
  public init(
    _ probe: ModelProbe, _ measure: ProbeMeasure, windows: [[Int]], other: [Int]?, seed: UInt64
  ) throws {
    self.probe = probe
    self.measure = measure
    self.windows = windows
    self.other = other
    shift = windows.count > 1 ? 1 + Int(truncatingIfNeeded: seed % UInt64(windows.count - 1)) : 0
    cleanLogits = measure == .distance ? try windows.map { try probe.logits($0) } : []
    var clean: [[Double]] = []
    for (index, window) in windows.enumerated() {
      clean.append(
        try probe.scores(measure, of: window, changing: [], clean: measure == .distance ? cleanLogits[index] : []))
    }
    self.clean = clean
  }

  /// The mean of `clean`.
  public var cleanMean: Double {
    clean.reduce(0) { $0 + $1.reduce(0, +) } / Double(max(1, clean.reduce(0) { $0 + $1.count }))
  }

  /// Reads what `changes` take from other texts, once for all of them.
  ///
  /// Throws `ProbeProblem` where there is no other text, and where one that is patched from is not as long.
  public func prepare(_ changes: [PartChange]) throws {
    func sites(_ kinds: Set<PartReplacement>) -> [ProbeSite] {
      Array(Set(changes.flatMap { $0.parts.filter { kinds.contains($0.by) }.flatMap { $0.part.sites } }))
    }
    for change in changes {
      for position in (change.positions ?? []).sorted() where !windows.contains(where: { position < $0.count }) {
        throw ProbeProblem.position(position, tokens: windows.map(\.count).max() ?? 0)
      }
    }
    let averaged = sites([.mean])
    if !averaged.isEmpty {
      var sums: [ProbeSite: [Double]] = [:]
      var count = 0
      for window in windows {
        let rows = try probe.run(window, recording: averaged)
        count += window.count
        for (site, recorded) in rows {
          var sum = sums[site] ?? Array(repeating: 0, count: recorded.width)
          for row in 0..<recorded.count {
            for (column, number) in recorded.row(row).enumerated() { sum[column] += Double(number) }
          }
          sums[site] = sum
        }
      }
      means = sums.mapValues { $0.map { Float($0 / Double(count)) } }
    }
    let taken = sites([.resample, .patch])
    if taken.isEmpty { return }
    if let other {
      if changes.contains(where: { $0.parts.contains { $0.by == .patch } }),
        let window = windows.first(where: { $0.count != other.count })
      {
        throw ProbeProblem.lengths(window.count, other.count)
      }
      others[-1] = try probe.run(other, recording: taken)
    } else {
      if shift == 0 || changes.contains(where: { $0.parts.contains { $0.by == .patch } }) { throw ProbeProblem.noOther }
    }
    takenSites = taken
  }

  private var takenSites: [ProbeSite] = []

  /// What `change` comes to in the window `index`, after `prepare`.
  public func prepared(_ change: PartChange, window index: Int = 0) throws -> PreparedChanges {
    let needsOther = change.parts.contains { $0.by == .resample || $0.by == .patch }
    let source = needsOther ? try rows(for: index) : [:]
    return PreparedChanges(
      list: change.parts.flatMap { part, by in
        part.sites.map { site in
          let replacement: SiteChange.Replacement =
            switch by {
            case .zero: .zeros
            case .mean: .row(means[site] ?? Array(repeating: 0, count: site.columns.count))
            case .resample, .patch: .rows(source[site] ?? RecordedRows(width: site.columns.count))
            }
          return SiteChange(site: site, replacement: replacement, positions: change.positions)
        }
      })
  }

  /// What the other text of the window `index` gives at all sites that are taken from one; that of one window is remembered.
  private func rows(for index: Int) throws -> [ProbeSite: RecordedRows] {
    let key = other == nil ? index : -1
    if let known = others[key] { return known }
    let rows = try probe.run(windows[(index + shift) % windows.count], recording: takenSites)
    others = [key: rows]
    return rows
  }

  /// What each of `changes` does; `progress` is told the part that is done.
  public func effects(of changes: [PartChange], progress: (Double) throws -> Void = { _ in }) throws -> [PartEffect] {
    try prepare(changes)
    var differences = changes.map { _ in [[Double]]() }
    for (index, window) in windows.enumerated() {
      for (number, change) in changes.enumerated() {
        let scores = try probe.scores(
          measure, of: window, changing: try prepared(change, window: index).list,
          clean: measure == .distance ? cleanLogits[index] : [])
        differences[number].append(zip(scores, clean[index]).map { $0 - $1 })
        try progress(Double(index * changes.count + number + 1) / Double(windows.count * changes.count))
      }
    }
    return zip(changes, differences).map { PartEffect(name: $0.name, differences: $1) }
  }
}
