import Components
import Execution

/// Replaces numbers at sites while passes run, and records those at others.
final class ProbeWatcher: PassWatcher {
  /// What is done when a step has run, in this order.
  private struct Actions {
    var changes: [SiteChange] = []
    var bases: [Value] = []
    var records: [ProbeSite] = []
  }

  private var actions: [Actions?]
  private var bases: [Int: [Float]] = [:]
  /// What was recorded.
  private(set) var rows: [ProbeSite: RecordedRows] = [:]

  init(_ plan: Plan, recording: [ProbeSite], changing: [SiteChange]) {
    actions = Array(repeating: nil, count: plan.steps.count)
    for change in changing {
      at(change.site.step) { $0.changes.append(change) }
      saveBase(of: change.site)
    }
    for site in Set(recording) {  // two names may be one value's
      at(site.step) { $0.records.append(site) }
      saveBase(of: site)
      rows[site] = RecordedRows(width: site.columns.count)
    }
  }

  private func at(_ step: Int, _ change: (inout Actions) -> Void) {
    var own = actions[step] ?? Actions()
    change(&own)
    actions[step] = own
  }

  private func saveBase(of site: ProbeSite) {
    guard let base = site.base else { return }
    at(base.step) { if !$0.bases.contains(base.value) { $0.bases.append(base.value) } }
  }

  func stepRan(_ index: Int, in pass: WatchedPass) {
    guard let own = actions[index] else { return }
    for change in own.changes { replace(change, in: pass) }
    for value in own.bases {
      let rows = pass.rows(of: value)
      bases[value.index] = Array(UnsafeBufferPointer(start: rows.base, count: rows.count * rows.width))
    }
    for site in own.records { record(site, in: pass) }
  }

  private func replace(_ change: SiteChange, in pass: WatchedPass) {
    let (site, rows) = (change.site, pass.rows(of: change.site.value))
    let base = site.base.flatMap { bases[$0.value.index] }
    for (row, position) in pass.positions(on: site.value.axis).enumerated() {
      if let positions = change.positions, !positions.contains(position) { continue }
      let source: ArraySlice<Float>? =
        switch change.replacement {
        case .zeros: nil
        case .row(let numbers): numbers[...]
        case .rows(let other): other.count > 0 ? other.row(position % other.count) : nil
        }
      for (offset, column) in site.columns.enumerated() {
        let before = base.map { $0[row * rows.width + column] } ?? 0
        rows[row][column] = before + (source.map { $0[$0.startIndex + offset] } ?? 0)
      }
    }
  }

  private func record(_ site: ProbeSite, in pass: WatchedPass) {
    let rows = pass.rows(of: site.value)
    let base = site.base.flatMap { bases[$0.value.index] }
    var numbers = self.rows[site]?.numbers ?? []
    self.rows[site]?.numbers = []  // so that it grows where it lies
    for row in 0..<rows.count {
      if let base {
        numbers += site.columns.map { rows[row][$0] - base[row * rows.width + $0] }
      } else {
        numbers += UnsafeBufferPointer(start: rows[row] + site.columns.lowerBound, count: site.columns.count)
      }
    }
    self.rows[site]?.numbers = numbers
  }
}

/// Several watchers, one after the other.
final class Watchers: PassWatcher {
  private let list: [any PassWatcher]

  init(_ list: [any PassWatcher]) { self.list = list }

  func stepRan(_ index: Int, in pass: WatchedPass) { for watcher in list { watcher.stepRan(index, in: pass) } }
}
