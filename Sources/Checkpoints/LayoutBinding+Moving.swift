import Formats
import Components
import Kernels

extension LayoutBinding {
  /// The canonical tensor of `piece` out of the stored bytes: a view where its rows lie together, else a copy.
  ///
  /// Values keep their storage format. Blocks of a quantised format can be taken by whole rows only.
  func load(
    _ piece: Piece, named name: String, shape: [Int], from stored: UnsafeRawBufferPointer, format: StorageFormat,
    owner: AnyObject
  ) throws(LayoutProblem) -> StoredTensor {
    guard let slabBytes = format.byteCount(elements: slabRows * columns) else {
      throw Self.blockProblem(name, format)
    }
    let slab = UnsafeRawBufferPointer(rebasing: stored[(piece.expert * slabBytes)..<((piece.expert + 1) * slabBytes)])
    if isTransposed {
      let element = try elementBytes(format, name)
      let buffer = try Self.buffer(piece.rows * columns * element, name)
      for row in stride(from: 0, to: piece.rows, by: piece.rowsPerGroup) {
        Self.transpose(
          from: slab.baseAddress, start: piece.storedRow(row), stride: slabRows,
          to: buffer.bytes.baseAddress, start: row * columns, stride: columns,
          rows: columns, columns: min(piece.rowsPerGroup, piece.rows - row), elementBytes: element)
      }
      return StoredTensor(
        name: name, shape: shape, format: format, bytes: UnsafeRawBufferPointer(buffer.bytes), owner: buffer)
    }
    guard let rowBytes = format.byteCount(elements: columns) else {
      guard isIdentity, slab.count == stored.count else { throw Self.blockProblem(name, format) }
      return StoredTensor(name: name, shape: shape, format: format, bytes: slab, owner: owner)
    }
    // A plain number at an odd address would have to be loaded with care everywhere; a copy costs less thought.
    let address = UInt(bitPattern: slab.baseAddress) + UInt(piece.offset * rowBytes)
    if piece.isContiguous, address % (format == .f32 ? 4 : 2) == 0 {
      let start = piece.offset * rowBytes
      return StoredTensor(
        name: name, shape: shape, format: format,
        bytes: UnsafeRawBufferPointer(rebasing: slab[start..<start + piece.rows * rowBytes]), owner: owner)
    }
    let buffer = try Self.buffer(piece.rows * rowBytes, name)
    for row in stride(from: 0, to: piece.rows, by: piece.rowsPerGroup) {
      let count = min(piece.rowsPerGroup, piece.rows - row)
      let start = piece.storedRow(row) * rowBytes
      UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[(row * rowBytes)..<((row + count) * rowBytes)])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: slab[start..<start + count * rowBytes]))
    }
    return StoredTensor(
      name: name, shape: shape, format: format, bytes: UnsafeRawBufferPointer(buffer.bytes), owner: buffer)
  }

  /// The stored tensor `name` made of its canonical tensors, `tensors[part][expert]`, all of one format.
  func save(_ tensors: [[StoredTensor]], named name: String) throws(LayoutProblem) -> StoredTensor {
    let first = tensors[0][0]
    let format = first.format
    if isIdentity {
      return StoredTensor(name: name, shape: storedShape, format: format, bytes: first.bytes, owner: first.owner)
    }
    for tensor in tensors.joined() where tensor.format != format {
      throw LayoutProblem(
        sentence: "'\(name)' joins '\(first.name)' stored as \(format.rawValue) "
          + "and '\(tensor.name)' stored as \(tensor.format.rawValue); add --dtype bf16, f16 or f32")
    }
    guard let slabBytes = format.byteCount(elements: slabRows * columns) else { throw Self.blockProblem(name, format) }
    let buffer = try Self.buffer(slabBytes * tensors[0].count, name)
    for piece in pieces {
      let tensor = tensors[piece.part][piece.expert]
      let slab = UnsafeMutableRawBufferPointer(
        rebasing: buffer.bytes[(piece.expert * slabBytes)..<((piece.expert + 1) * slabBytes)])
      if isTransposed {
        let element = try elementBytes(format, name)
        for row in stride(from: 0, to: piece.rows, by: piece.rowsPerGroup) {
          Self.transpose(
            from: tensor.bytes.baseAddress, start: row * columns, stride: columns,
            to: slab.baseAddress, start: piece.storedRow(row), stride: slabRows,
            rows: min(piece.rowsPerGroup, piece.rows - row), columns: columns, elementBytes: element)
        }
        continue
      }
      guard let rowBytes = format.byteCount(elements: columns) else { throw Self.blockProblem(name, format) }
      for row in stride(from: 0, to: piece.rows, by: piece.rowsPerGroup) {
        let count = min(piece.rowsPerGroup, piece.rows - row)
        let start = piece.storedRow(row) * rowBytes
        UnsafeMutableRawBufferPointer(rebasing: slab[start..<start + count * rowBytes])
          .copyMemory(
            from: UnsafeRawBufferPointer(rebasing: tensor.bytes[(row * rowBytes)..<((row + count) * rowBytes)]))
      }
    }
    return withExtendedLifetime(tensors) {
      StoredTensor(
        name: name, shape: storedShape, format: format, bytes: UnsafeRawBufferPointer(buffer.bytes), owner: buffer)
    }
  }

  private func elementBytes(_ format: StorageFormat, _ name: String) throws(LayoutProblem) -> Int {
    guard format.elementsPerBlock == 1 else { throw Self.blockProblem(name, format) }
    return format.bytesPerBlock
  }

  private static func buffer(_ byteCount: Int, _ name: String) throws(LayoutProblem) -> TensorBuffer {
    guard let buffer = TensorBuffer(byteCount: byteCount) else {
      throw LayoutProblem(sentence: "there is no memory for the \(byteCount) bytes of '\(name)'")
    }
    return buffer
  }

  private static func blockProblem(_ name: String, _ format: StorageFormat) -> LayoutProblem {
    LayoutProblem(
      sentence: "'\(name)' is stored as \(format.rawValue) in blocks of \(format.elementsPerBlock); "
        + "only whole rows of it can be taken or joined")
  }

  /// Writes the `rows` × `columns` numbers at `from`, whose rows are `fromStride` apart, as columns at `to`.
  private static func transpose(
    from source: UnsafeRawPointer?, start: Int, stride sourceStride: Int,
    to target: UnsafeMutableRawPointer?, start targetStart: Int, stride targetStride: Int,
    rows: Int, columns: Int, elementBytes: Int
  ) {
    guard let source, let target else { return }
    if elementBytes == 4 {
      transpose(
        source + start * 4, sourceStride, target + targetStart * 4, targetStride, rows, columns, as: UInt32.self)
    } else {
      transpose(
        source + start * 2, sourceStride, target + targetStart * 2, targetStride, rows, columns, as: UInt16.self)
    }
  }

  @inline(__always)
  private static func transpose<Element: FixedWidthInteger>(
    _ source: UnsafeRawPointer, _ sourceStride: Int, _ target: UnsafeMutableRawPointer, _ targetStride: Int,
    _ rows: Int, _ columns: Int, as type: Element.Type
  ) {
    let side = 16
    let size = MemoryLayout<Element>.size
    // A square of 16 × 16 goes through a buffer, so that each line of either side is touched once, however the lines of
    // the many rows would push each other out of the cache.
    withUnsafeTemporaryAllocation(of: Element.self, capacity: side * side) { square in
      guard let square = square.baseAddress else { return }
      for row in stride(from: 0, to: rows, by: side) {
        for column in stride(from: 0, to: columns, by: side) {
          let from = source + (row * sourceStride + column) * size
          let to = target + (column * targetStride + row) * size
          let (height, width) = (min(side, rows - row), min(side, columns - column))
          if height == side, width == side {
            // With lengths the compiler knows, which makes it three times as fast.
            moveSquare(from, sourceStride * size, to, targetStride * size, square, side, side, side)
          } else {
            moveSquare(from, sourceStride * size, to, targetStride * size, square, side, height, width)
          }
        }
      }
    }
  }

  @inline(__always)
  private static func moveSquare<Element: FixedWidthInteger>(
    _ source: UnsafeRawPointer, _ sourceStride: Int, _ target: UnsafeMutableRawPointer, _ targetStride: Int,
    _ square: UnsafeMutablePointer<Element>, _ side: Int, _ height: Int, _ width: Int
  ) {
    let size = MemoryLayout<Element>.size
    for row in 0..<height {
      for column in 0..<width {
        square[column * side + row] = (source + row * sourceStride).loadUnaligned(
          fromByteOffset: column * size, as: Element.self)
      }
    }
    for column in 0..<width {
      (target + column * targetStride).copyMemory(from: square + column * side, byteCount: height * size)
    }
  }
}
