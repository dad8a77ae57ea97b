import Composition

/// Where the nodes of a section stand in a drawing: the residual stream is column 0, a branch has a column to its right, and
/// what follows something stands a level below it. Branches of one line so lie side by side.
package struct ColumnLayout {
  /// The column of each node.
  package private(set) var columns: [Int] = []
  /// The level of each node, from 1; the section begins at level 0.
  package private(set) var levels: [Int] = []

  /// The column that value `value` flows down in: 0 is what the section begins with, n what node n − 1 gives.
  func column(ofValue value: Int) -> Int { value == 0 ? 0 : columns[value - 1] }
  /// Columns beside the residual stream.
  var branchCount: Int { columns.max() ?? 0 }
  /// The last level.
  var levelCount: Int { levels.max() ?? 0 }

  /// Whether nothing stands or runs to the right of the node at `index`.
  func isAlone(_ index: Int, in nodes: [Diagram.Node]) -> Bool {
    let level = levels[index]
    return nodes.indices.allSatisfy { other in
      if other == index || columns[other] <= columns[index] { return true }
      // From the first that it reads to the last that reads it.
      let ends = nodes.indices.filter { nodes[$0].inputs.contains(other + 1) }.map { levels[$0] }
      return level < levels[other] || level >= ends.max() ?? .max
    }
  }

  /// The places of `nodes`. Inside a box, parts that others make something for stand right above those, and what reads
  /// several columns when nothing else goes on takes the whole width.
  package init(_ nodes: [Diagram.Node], isInside: Bool = false) {
    var occupants: [Int?] = [0]  // the value in each column
    var lastLevels: [Int] = [0]  // of each column
    for (index, node) in nodes.enumerated() {
      let inputs = node.inputs.isEmpty ? [0] : node.inputs
      let isRead = { (value: Int) in nodes[(index + 1)...].contains { $0.inputs.contains(value) } }
      let sources = inputs.map { column(ofValue: $0) }
      var target = sources[0]
      if node.kind == .sum {
        target = occupants[0] == nil || inputs.contains(occupants[0] ?? -1) ? 0 : sources.min() ?? 0
      } else if isInside, Set(sources).count > 1, !sources.contains(0),
        occupants.allSatisfy({ $0.map { inputs.contains($0) && !isRead($0) } ?? true })
      {
        target = 0
      } else if target > 0
        ? occupants[target] != inputs[0] : isRead(inputs[0]) || occupants[1...].contains(where: { $0 != nil })
      {
        target = occupants[1...].firstIndex { $0 == nil } ?? occupants.count
        if target == occupants.count {
          occupants.append(nil)
          lastLevels.append(0)
        }
      }
      let above = inputs.map { $0 == 0 ? 0 : levels[$0 - 1] }.max() ?? 0
      // What stands on the residual stream takes the whole width.
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
    if isInside { lower(nodes) }
  }

  /// Moves each node down to right above the first that reads it or stands below it.
  private mutating func lower(_ nodes: [Diagram.Node]) {
    for index in nodes.indices.reversed() {
      let below = nodes.indices.filter {
        nodes[$0].inputs.contains(index + 1) || $0 > index && columns[$0] == columns[index]
      }
      if let next = below.map({ levels[$0] }).min() { levels[index] = max(levels[index], next - 1) }
    }
  }
}
