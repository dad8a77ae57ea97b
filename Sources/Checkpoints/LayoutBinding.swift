/// A layout applied to shapes: which rows of the stored tensor are which rows of which canonical tensor.
public struct LayoutBinding: Sendable {
  /// The rows of one canonical tensor in the stored one.
  ///
  /// Row r of the canonical tensor is row `offset + (r / rowsPerGroup) · groupStride + r mod rowsPerGroup` of its slab;
  /// in a transposed tensor, column.
  struct Piece: Sendable {
    /// Which of the canonical tensors, as `targets` had them: the part, then the expert.
    let part: Int
    let expert: Int
    let rows: Int
    let offset: Int
    let rowsPerGroup: Int
    let groupStride: Int

    /// Whether the rows follow each other in the stored tensor as they do in the canonical one.
    var isContiguous: Bool { rowsPerGroup == rows || groupStride == rowsPerGroup }

    func storedRow(_ row: Int) -> Int { offset + row / rowsPerGroup * groupStride + row % rowsPerGroup }
  }

  /// The shape the stored tensor must have.
  public let storedShape: [Int]
  /// The rows of one expert's share, or of the whole; the number of all parts' rows.
  let slabRows: Int
  /// The numbers in a row of every part; 1 for vectors.
  let columns: Int
  /// Whether the slab is `[columns, slabRows]`.
  let isTransposed: Bool
  let pieces: [Piece]

  /// Whether the stored bytes are those of the one canonical tensor.
  var isIdentity: Bool { pieces.count == 1 && pieces[0].isContiguous && !isTransposed }

  /// Applies `layout` to the shapes of its parts, `targets[part][expert]`; `count` tells how many a named group has.
  public init(
    _ layout: TensorLayout, targets: [[[Int]]], count: (String) -> Int?
  ) throws(LayoutProblem) {
    func problem(_ sentence: String) -> LayoutProblem {
      LayoutProblem(sentence: "the layout '\(layout.text)' \(sentence)")
    }
    let parts = max(1, layout.parts.count)
    let experts = targets.first?.count ?? 0
    guard targets.count == parts, experts > 0, targets.allSatisfy({ $0.count == experts }) else {
      throw problem("is for \(parts) tensors of each expert")
    }
    guard layout.hasExperts || experts == 1 else { throw problem("has no axis 'e', and there are \(experts) experts") }
    let shapes = targets.map { $0[0] }
    for (shape, others) in zip(shapes, targets) where others.contains(where: { $0 != shape }) {
      throw problem("needs experts of one shape; found \(Set(others).sorted { $0.description < $1.description })")
    }

    // Far beyond any model, and small enough that no sum below overflows.
    guard shapes.joined().allSatisfy({ (0..<1 << 40).contains($0) }), let elements = checkedProduct(shapes[0]) else {
      throw problem("is not one for shapes \(shapes)")
    }

    if layout.axisCount == 0 {
      storedShape = shapes[0]
      slabRows = shapes[0].first ?? 1
      columns = slabRows == 0 ? 0 : elements / slabRows
      isTransposed = false
      pieces = [
        Piece(
          part: 0, expert: 0, rows: slabRows, offset: 0, rowsPerGroup: max(1, slabRows), groupStride: max(1, slabRows))
      ]
      return
    }

    let rank = shapes[0].count
    guard rank == 1 || rank == layout.axisCount, shapes.allSatisfy({ $0.count == rank }) else {
      throw problem("is not one for shapes \(shapes)")
    }
    guard rank == 1 || shapes.allSatisfy({ $0[1] == shapes[0][1] }) else {
      throw problem("needs parts with as many inputs each; found shapes \(shapes)")
    }
    let columns = rank == 2 ? shapes[0][1] : 1
    let rows = shapes.map { $0[0] }
    let groups = try Self.groups(layout, rows: rows, count: count)
    for (name, rows) in zip(layout.parts, rows) where rows % groups != 0 {
      throw problem("divides the \(rows) rows of '\(name)' into \(groups) groups")
    }
    let slabRows = rows.reduce(0, +)
    let transposed = layout.isTransposed && rank == 2

    var pieces: [Piece] = []
    for expert in 0..<experts {
      var offset = 0
      for part in 0..<parts {
        let rowsPerGroup = max(1, rows[part] / groups)
        pieces.append(
          Piece(
            part: part, expert: expert, rows: rows[part], offset: offset, rowsPerGroup: rowsPerGroup,
            groupStride: groups == 1 ? rowsPerGroup : slabRows / groups))
        offset += rowsPerGroup
      }
    }
    var shape = rank == 1 ? [slabRows] : transposed ? [columns, slabRows] : [slabRows, columns]
    if rank == 1, let rows = layout.rowAxis.flatMap(count), rows > 0 {
      guard slabRows % rows == 0 else { throw problem("makes \(rows) rows of \(slabRows) numbers") }
      shape = [rows, slabRows / rows]
    }
    if rank == layout.axisCount { for axis in layout.unitAxes { shape.insert(1, at: min(axis, shape.count)) } }
    if layout.text == TensorLayout.scalar {
      guard shape == [1] else { throw problem("is one number without an axis, and there is \(shape)") }
      shape = []
    }
    if rank == 2, !layout.inputAxes.isEmpty {
      let sizes = layout.inputAxes.compactMap { Int($0) ?? count($0) }
      guard sizes.count == layout.inputAxes.count else {
        throw problem(
          "counts \(layout.inputAxes.joined(separator: ", ")), and nothing says how many that are; name them under 'axes'"
        )
      }
      guard checkedProduct(sizes) == columns else {
        throw problem("has rows of \(sizes), and a row of the matrix has \(columns) numbers")
      }
      shape = [slabRows] + sizes
    }
    if layout.foldsExperts { shape[0] *= experts } else if layout.hasExperts { shape.insert(experts, at: 0) }
    storedShape = shape
    self.slabRows = slabRows
    self.columns = columns
    isTransposed = transposed
    self.pieces = pieces
  }

  private static func groups(
    _ layout: TensorLayout, rows: [Int], count: (String) -> Int?
  ) throws(LayoutProblem) -> Int {
    switch layout.groups {
    case .one: return 1
    case .number(let number): return number
    // One row of each part by turns: as many groups as the parts have rows.
    case .named("f"): return max(1, rows.min() ?? 1)
    case .named(let name):
      guard let number = count(name), number > 0 else {
        throw LayoutProblem(
          sentence: "the layout '\(layout.text)' counts '\(name)', and nothing says how many that are; "
            + "name it under 'axes'")
      }
      return number
    }
  }
}
