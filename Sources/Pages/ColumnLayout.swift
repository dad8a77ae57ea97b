import Composition

/// Where the nodes of a section stand in a drawing: the residual line is column 0, a branch has a column to its right, and
/// what follows something stands a level below it. Branches of one line so lie side by side.
package struct ColumnLayout {
  /// The column of each node.
  package private(set) var columns: [Int] = []
  /// The level of each node, from 1; the section begins at level 0.
  package private(set) var levels: [Int] = []

  /// The column that value `value` flows down in: 0 is what the section begins with, n what node n − 1 gives.
  func column(ofValue value: Int) -> Int { value == 0 ? 0 : columns[value - 1] }
  /// Columns beside the line.
  var branchCount: Int { columns.max() ?? 0 }
  /// The last level.
  var levelCount: Int { levels.max() ?? 0 }

  /// The places of `nodes`.
  package init(_ nodes: [Diagram.Node]) {
    var occupants: [Int?] = [0]  // the value in each column
    var lastLevels: [Int] = [0]  // of each column
    for (index, node) in nodes.enumerated() {
      let inputs = node.inputs.isEmpty ? [0] : node.inputs
      let isRead = { (value: Int) in nodes[(index + 1)...].contains { $0.inputs.contains(value) } }
      let sources = inputs.map { column(ofValue: $0) }
      var target = sources[0]
      if node.kind == .sum {
        target = occupants[0] == nil || inputs.contains(occupants[0] ?? -1) ? 0 : sources.min() ?? 0
      } else if target > 0 ? occupants[target] != inputs[0] : isRead(inputs[0]) || occupants[1...].contains(where: { $0 != nil }) {
        target = occupants[1...].firstIndex { $0 == nil } ?? occupants.count
        if target == occupants.count {
          occupants.append(nil)
          lastLevels.append(0)
        }
      }
      let above = inputs.map { $0 == 0 ? 0 : levels[$0 - 1] }.max() ?? 0
      // What stands on the line takes the whole width.
      let taken = target == 0 && node.kind != .sum ? lastLevels.max() ?? 0 : lastLevels[target]
      let level = max(above, taken) + 1
      for (value, source) in zip(inputs, sources) where occupants[source] == value && !isRead(value) {
        occupants[source] = nil
        lastLevels[source] = max(lastLevels[source], level)
      }
      occupants[target] = index + 1
      lastLevels[target] = level
      columns.append(target)
      levels.append(level)
    }
  }
}
