/// Finds the few pieces of a vocabulary that text is not made of, by their bytes.
struct MarkTable: Sendable {
  private let table: PieceTable
  private let ids: [Int32]

  /// Of pieces that are spelled alike the first counts.
  init(_ pieces: [(bytes: [UInt8], id: Int)]) {
    ids = pieces.map { Int32(truncatingIfNeeded: $0.id) }
    var bytes: [UInt8] = []
    var offsets = [0]
    for piece in pieces {
      bytes += piece.bytes
      offsets.append(bytes.count)
    }
    // The hash of the table reads up to 8 bytes at once.
    bytes += [UInt8](repeating: 0, count: 16)
    table = PieceTable(
      ids.indices.map { Int32(truncatingIfNeeded: $0) }, count: ids.count, storage: FrozenArray(bytes),
      offsets: FrozenArray(offsets))
  }

  /// The id of the piece with these bytes, or -1.
  func id(of bytes: UnsafePointer<UInt8>, _ length: Int) -> Int32 {
    let place = table.id(of: bytes, length)
    return place < 0 ? -1 : ids[Int(place)]
  }
}
