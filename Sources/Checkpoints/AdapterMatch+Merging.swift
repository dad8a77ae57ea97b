import Components
import Files
import Formats
import Kernels

extension AdapterMatch {
  /// Puts the adapter into `tensors`, the model's by canonical name: those that change are f32 and in memory of their own.
  ///
  /// With `keepsFormats` they are rounded to the format that they had, where that is one of single numbers. `arrange` moves
  /// rows that are in the order of the reference implementation's files to where the model has them. Work is divided over
  /// `pool`. Throws when memory is short.
  public func merge(
    into tensors: inout [String: StoredTensor], keepsFormats: Bool, pool: ThreadPool,
    arrange: (StoredTensor) throws -> StoredTensor
  ) throws {
    var formats: [String: StorageFormat] = [:]
    for (target, change) in changes {
      let name = target.name.text
      guard let old = tensors[name] else { continue }
      formats[name] = formats[name] ?? old.format
      switch change {
      case .replaced(let entry, let binding, let piece):
        guard let format = entry.format else { continue }
        let own = try binding.load(
          piece, named: name, shape: target.shape, from: entry.bytes, format: format, owner: entry.file)
        tensors[name] = try arrange(own)
      case .added(let entry, let piece, let scale):
        let sum = try Self.numbers(of: old)
        let own = try arrange(Self.rows(of: entry, piece, columns: 1, named: name, shape: target.shape))
        let (base, more) = (try Self.floats(sum), try Self.floats(own))
        for index in 0..<target.count { base[index] += scale * more[index] }
        tensors[name] = sum
      case .product(let factors, let piece):
        tensors[name] = try changed(old, by: factors, piece, pool: pool, arrange: arrange)
      }
    }
    guard keepsFormats else { return }
    for (name, format) in formats where format.elementsPerBlock == 1 {
      tensors[name] = try tensors[name]?.stored(as: format)
    }
  }

  /// `old` with the product added, in f32.
  private func changed(
    _ old: StoredTensor, by factors: Factors, _ piece: LayoutBinding.Piece, pool: ThreadPool,
    arrange: (StoredTensor) throws -> StoredTensor
  ) throws -> StoredTensor {
    let (rows, columns, rank) = (old.shape[0], old.shape[1], factors.rank)
    // A: [rank, columns]; B: [rows, rank], the rows where the model has them.
    let left = factors.isEmbedding ? factors.a : factors.b
    let b = try arrange(
      Self.rows(
        of: left, piece, columns: rank, named: old.name, shape: [rows, rank], transposed: factors.isEmbedding))
    let a =
      try factors.isEmbedding
      ? Self.transposed(factors.b) : Self.numbers(of: StoredTensor(factors.a, named: old.name))
    let lengths = try factors.magnitudes.map {
      try arrange(Self.rows(of: $0, piece, columns: 1, named: old.name, shape: [rows]))
    }
    let result = try Self.room(rows * columns, old.name)
    guard let y = result.bytes.bindMemory(to: Float.self).baseAddress, let source = old.bytes.baseAddress,
      let rowBytes = old.format.byteCount(elements: columns)
    else {
      return old
    }
    matmulTransposed(
      try Self.floats(b), rows: rows,
      by: WeightMatrix(base: try Self.floats(a), format: .f32, rows: rank, columns: columns), into: y,
      accumulate: false,
      in: .f32, pool: pool)
    nonisolated(unsafe) let (target, stored) = (y, source)
    nonisolated(unsafe) let magnitudes = try lengths.map { UnsafePointer(try Self.floats($0)) }
    let (scale, format) = (factors.scale, old.format)
    withExtendedLifetime((a, b, lengths, old)) {
      pool.run(rows) { range in
        withUnsafeTemporaryAllocation(of: Float.self, capacity: columns) { weights in
          guard let w = weights.baseAddress else { return }
          for row in range {
            let y = target + row * columns
            widen(format, stored + row * rowBytes, count: columns, into: w)
            for i in 0..<columns { y[i] = w[i] + scale * y[i] }
            guard let magnitudes else { continue }
            // In double, as a sum over many numbers.
            var squares = 0.0
            for i in 0..<columns { squares += Double(y[i]) * Double(y[i]) }
            let factor = magnitudes[row] / Float(squares.squareRoot())
            for i in 0..<columns { y[i] *= factor }
          }
        }
      }
    }
    return StoredTensor(
      name: old.name, shape: old.shape, format: .f32, bytes: UnsafeRawBufferPointer(result.bytes), owner: result)
  }

  /// The rows of `piece` of a stored tensor of `columns` a row, in f32; `transposed` when it is `[columns, rows]`.
  private static func rows(
    of entry: StoredTensorEntry, _ piece: LayoutBinding.Piece, columns: Int, named name: String, shape: [Int],
    transposed: Bool = false
  ) throws -> StoredTensor {
    let all = try transposed ? Self.transposed(entry) : numbers(of: StoredTensor(entry, named: name))
    let result = try room(piece.rows * columns, name)
    let (from, to) = (try floats(all), result.bytes.bindMemory(to: Float.self))
    for row in 0..<piece.rows {
      for i in 0..<columns { to[row * columns + i] = from[piece.storedRow(row) * columns + i] }
    }
    return withExtendedLifetime(all) {
      StoredTensor(
        name: name, shape: shape, format: .f32, bytes: UnsafeRawBufferPointer(result.bytes), owner: result)
    }
  }

  /// A copy in f32.
  private static func numbers(of tensor: StoredTensor) throws -> StoredTensor {
    let count = tensor.shape.reduce(1, *)
    let result = try room(count, tensor.name)
    if let source = tensor.bytes.baseAddress, let target = result.bytes.bindMemory(to: Float.self).baseAddress {
      withExtendedLifetime(tensor.owner) { widen(tensor.format, source, count: count, into: target) }
    }
    return StoredTensor(
      name: tensor.name, shape: tensor.shape, format: .f32, bytes: UnsafeRawBufferPointer(result.bytes), owner: result)
  }

  private static func transposed(_ entry: StoredTensorEntry) throws -> StoredTensor {
    let all = try numbers(of: StoredTensor(entry, named: entry.name))
    let (rows, columns) = (entry.shape[0], entry.shape[1])
    let result = try room(rows * columns, entry.name)
    let (from, to) = (try floats(all), result.bytes.bindMemory(to: Float.self))
    for row in 0..<rows { for column in 0..<columns { to[column * rows + row] = from[row * columns + column] } }
    return withExtendedLifetime(all) {
      StoredTensor(
        name: entry.name, shape: [columns, rows], format: .f32, bytes: UnsafeRawBufferPointer(result.bytes),
        owner: result)
    }
  }

  /// The numbers of a tensor in f32 and in memory of its own, to change.
  private static func floats(_ tensor: StoredTensor) throws -> UnsafeMutablePointer<Float> {
    guard let base = UnsafeMutableRawBufferPointer(mutating: tensor.bytes).bindMemory(to: Float.self).baseAddress else {
      throw Problems([Problem("'\(tensor.name)' has no numbers", at: nil)])
    }
    return base
  }

  private static func room(_ count: Int, _ name: String) throws -> TensorBuffer {
    guard let buffer = TensorBuffer(byteCount: count * MemoryLayout<Float>.stride) else {
      throw Problems([Problem("'\(name)' needs \(4 * count) bytes of memory, which the system has not", at: nil)])
    }
    return buffer
  }
}
