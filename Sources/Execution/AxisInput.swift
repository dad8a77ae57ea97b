import Components

/// What a sequence gives on an axis beside its text's tokens, all of it at once: a source text, the patches of an image.
public enum AxisInput: Sendable, Hashable {
  /// Token ids.
  case tokens([Int])
  /// Rows of numbers, one after the other.
  case rows([Float])
  /// Rows of numbers of a picture, so many for each of its own rows.
  case grid([Float], columns: Int)
  /// Rows of numbers of the tiles of a picture, which lie on the canvas of this number.
  case canvas([Float], number: Int)

  /// How many rows it has on `axis`.
  func count(on axis: PlannedAxis) -> Int {
    switch self {
    case .tokens(let ids): ids.count
    case .rows(let numbers), .grid(let numbers, _), .canvas(let numbers, _):
      numbers.count / max(1, axis.inputWidth ?? 1)
    }
  }
}

extension AxisInput {
  /// How many rows one row of a picture has on `axis`; 0 where nobody says. Patches behind other rows of a picture, whose columns are not
  /// told, are a square.
  func columns(on axis: PlannedAxis) -> Int {
    if case .grid(_, let columns) = self { return columns }
    guard case .rows = self, let patches = axis.patches, patches.rowsBefore > 0 else { return 0 }
    let count = max(0, self.count(on: axis) - patches.rowsBefore)
    let side = Int(Double(count).squareRoot())
    return side * side == count ? side : 0
  }
}

extension Plan {
  /// Throws when what is given beside the text's tokens is not what the axes take, more than `limit` rows in all, or nothing for
  /// one of the sequences at `new`, which have nothing of it yet. `counts` are the numbers of the sequences' rows, where the model's
  /// own are given too.
  func check(
    _ others: [[RowAxis: AxisInput]], new: some Sequence<Int>, counts: some Sequence<Int>, limit: Int
  ) throws(ExecutionProblem) {
    for axis in otherAxes {
      let planned = axes[axis.index]
      var total = 0
      for input in others.compactMap({ $0[axis] }) {
        try check(input, on: planned)
        let count = input.count(on: planned)
        if let longest = planned.longest, count > longest { throw .tooLong(tokens: count, limit: longest) }
        total += count
      }
      if total > limit { throw .tooLong(tokens: total, limit: limit) }
    }
    let own = axes[RowAxis.tokens.index]
    for axis in others.lazy.flatMap(\.keys)
    where !otherAxes.contains(axis) && !(axis == .tokens && own.inputWidth != nil) {
      throw .wrongInput("\(axis.index)")
    }
    for index in new {
      for axis in otherAxes where !axes[axis.index].mayBeEmpty {
        let input = others.indices.contains(index) ? others[index][axis] : nil
        if input?.count(on: axes[axis.index]) ?? 0 == 0 { throw .missingInput(axes[axis.index].name) }
      }
    }
    guard own.inputWidth != nil else { return }
    for (index, count) in counts.enumerated() {
      guard let input = others.indices.contains(index) ? others[index][.tokens] : nil else {
        throw .missingInput(own.name)
      }
      try check(input, on: own)
      if input.count(on: own) != count { throw .wrongInput(own.name) }
    }
  }

  private func check(_ input: AxisInput, on planned: PlannedAxis) throws(ExecutionProblem) {
    switch input {
    case .tokens(let ids):
      if planned.inputWidth != nil { throw .wrongInput(planned.name) }
      let vocabulary = planned.vocabSize ?? shape.vocabSize
      if let id = ids.first(where: { $0 < 0 || $0 >= vocabulary }) { throw .unknownToken(id, vocabulary: vocabulary) }
    case .rows(let numbers), .grid(let numbers, _), .canvas(let numbers, _):
      guard let width = planned.inputWidth, numbers.count % width == 0 else { throw .wrongInput(planned.name) }
    }
  }
}
