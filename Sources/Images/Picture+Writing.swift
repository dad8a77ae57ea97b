extension Picture {
  /// The bytes of a PNG file of this picture, the same for the same picture everywhere.
  public var png: [UInt8] {
    var file = PNGReader.signature
    func number(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(value >> UInt32($0) & 255) } }
    func chunk(_ name: String, _ content: [UInt8]) {
      let named = Array(name.utf8) + content
      file += number(UInt32(content.count)) + named + number(CRC32.of(named))
    }
    // Eight bits of red, green and blue, not interlaced.
    chunk("IHDR", number(UInt32(width)) + number(UInt32(height)) + [8, 2, 0, 0, 0])
    chunk("IDAT", Deflate.stream(of: filteredRows))
    chunk("IEND", [])
    return file
  }

  // Each row behind the number of its filter: by the pixel before or the row above, whichever leaves the smaller numbers.
  private var filteredRows: [UInt8] {
    let stride = 3 * width
    var rows: [UInt8] = []
    rows.reserveCapacity(height * (stride + 1))
    for y in 0..<height {
      let start = y * stride
      let bySide = (0..<stride).map { levels[start + $0] &- ($0 < 3 ? 0 : levels[start + $0 - 3]) }
      let byRow = (0..<stride).map { levels[start + $0] &- (y == 0 ? 0 : levels[start + $0 - stride]) }
      func size(_ row: [UInt8]) -> Int { row.reduce(0) { $0 + abs(Int(Int8(bitPattern: $1))) } }
      let isSide = size(bySide) < size(byRow)
      rows.append(isSide ? 1 : 2)
      rows += isSide ? bySide : byRow
    }
    return rows
  }
}
