import Files

/// A file of tokens that a text was cut into before: made once for a text and a tokenizer, then mapped.
///
///     "CHTOKENS", version, bytes of a token (32 bits each), the key (64 characters), the tokens, how many they are and
///     how many bytes their text has (64 bits each); little endian
struct TokenCache: Sendable {
  private static let magic = Array("CHTOKENS".utf8)
  private static let headerBytes = 80
  private static let trailerBytes = 16

  /// The folder that the files lie in.
  let folder: String

  /// The tokens kept under `key`, with the bytes of their text; nil when there are none, or the file is not whole.
  func find(_ key: String) -> (tokens: TokenText.Part, textBytes: Int)? {
    guard let file = try? MappedFile(path: path(key)), file.bytes.count >= Self.headerBytes + Self.trailerBytes,
      file.bytes.starts(with: Self.magic), file.bytes[16..<80].elementsEqual(key.utf8)
    else { return nil }
    let width = Int(UInt32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self)))
    let end = file.bytes.count - Self.trailerBytes
    let count = UInt64(littleEndian: file.bytes.loadUnaligned(fromByteOffset: end, as: UInt64.self))
    let textBytes = UInt64(littleEndian: file.bytes.loadUnaligned(fromByteOffset: end + 8, as: UInt64.self))
    guard width == 2 || width == 4, count == UInt64((end - Self.headerBytes) / width),
      (end - Self.headerBytes) % width == 0
    else {
      return nil
    }
    return (
      TokenText.Part(file: file, offset: Self.headerBytes, width: width, count: Int(count)), Int(clamping: textBytes)
    )
  }

  /// Keeps what `body` writes under `key`, tokens below `vocabulary`.
  func make(_ key: String, vocabulary: Int, _ body: (_ write: ([Int], _ textBytes: Int) throws -> Void) throws -> Void)
    throws
  {
    try makeFolder(folder)
    removeStaleFiles(in: folder)
    let width = vocabulary <= 1 << 16 ? 2 : 4
    try writeAtomically(to: path(key)) { writer in
      try writer.write(Self.magic)
      try writer.write(UInt32(1))
      try writer.write(UInt32(width))
      try writer.write(key)
      var (count, bytes) = (0, 0)
      try body { tokens, textBytes in
        count += tokens.count
        bytes += textBytes
        // Ids are below the vocabulary, so they fit.
        let narrow: [UInt8] =
          width == 2
          ? tokens.map { UInt16(truncatingIfNeeded: $0).littleEndian }.withUnsafeBytes { Array($0) }
          : tokens.map { UInt32(truncatingIfNeeded: $0).littleEndian }.withUnsafeBytes { Array($0) }
        try writer.write(narrow)
      }
      try writer.write(UInt64(count))
      try writer.write(UInt64(bytes))
    }
  }

  private func path(_ key: String) -> String { "\(folder)/\(key).tokens" }
}
