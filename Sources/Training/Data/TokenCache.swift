import Files
import Tokenization

/// A file of tokens that a text was cut into before: made once for a text and a tokenizer, then mapped.
///
///     "CHTOKENS", version, bytes of a token (32 bits each), the key (64 characters), the tokens, how many they are, how
///     many bytes their text has, how many of its characters have no token, and the first of those (64 bits each); little
///     endian
struct TokenCache: Sendable {
  private static let magic = Array("CHTOKENS".utf8)
  private static let headerBytes = 80
  private static let trailerBytes = 32

  /// The folder that the files lie in.
  let folder: String

  /// The tokens kept under `key`, with the bytes of their text; nil when there are none, or the file is not whole.
  func find(_ key: String) -> Found? {
    guard let file = try? MappedFile(path: path(key)) else { return nil }
    return Self.read(file, key)
  }

  /// Tokens with the bytes of their text.
  typealias Found = (tokens: TokenText.Part, textBytes: Int, leftOut: LeftOut?)
  /// What writes tokens, piece by piece.
  typealias Body = (_ write: ([Int], _ textBytes: Int, _ leftOut: LeftOut?) throws -> Void) throws -> Void

  /// Keeps what `body` writes under `key`, tokens below `vocabulary`.
  func make(_ key: String, vocabulary: Int, _ body: Body) throws {
    try makeFolder(folder)
    removeStaleFiles(in: folder)
    try writeAtomically(to: path(key)) { writer in
      try Self.write(key, vocabulary: vocabulary, body) { try writer.write($0) }
    }
  }

  /// What `body` writes, in memory: for where nothing can be kept.
  static func made(_ key: String, vocabulary: Int, _ body: Body) throws -> Found? {
    let gathered = Gathered()
    try write(key, vocabulary: vocabulary, body) { gathered.bytes += $0 }
    return read(try MappedFile(copying: gathered.bytes, name: "tokens"), key)
  }

  /// Bytes that grow while they are written.
  private final class Gathered {
    var bytes: [UInt8] = []
  }

  private static func read(_ file: MappedFile, _ key: String) -> Found? {
    guard file.bytes.count >= headerBytes + trailerBytes, file.bytes.starts(with: magic),
      file.bytes[16..<80].elementsEqual(key.utf8)
    else { return nil }
    let width = Int(UInt32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self)))
    let end = file.bytes.count - trailerBytes
    let (count, textBytes) = (file.word(at: end), file.word(at: end + 8))
    let (lost, first) = (file.word(at: end + 16), file.word(at: end + 24))
    guard width == 2 || width == 4, count == UInt64((end - headerBytes) / width), (end - headerBytes) % width == 0
    else { return nil }
    return (
      TokenText.Part(file: file, offset: headerBytes, width: width, count: Int(count)), Int(clamping: textBytes),
      lost == 0 ? nil : Unicode.Scalar(UInt32(clamping: first)).map { LeftOut(first: $0, count: Int(clamping: lost)) }
    )
  }

  private static func write(_ key: String, vocabulary: Int, _ body: Body, _ put: @escaping ([UInt8]) throws -> Void)
    throws
  {
    let width = vocabulary <= 1 << 16 ? 2 : 4
    try put(magic + little(UInt32(2)) + little(UInt32(width)) + Array(key.utf8))
    var (count, bytes) = (0, 0)
    var leftOut: LeftOut?
    try body { tokens, textBytes, some in
      leftOut = LeftOut.joined(leftOut, some)
      count += tokens.count
      bytes += textBytes
      // Ids are below the vocabulary, so they fit.
      try put(
        width == 2
          ? tokens.map { UInt16(truncatingIfNeeded: $0).littleEndian }.withUnsafeBytes { Array($0) }
          : tokens.map { UInt32(truncatingIfNeeded: $0).littleEndian }.withUnsafeBytes { Array($0) })
    }
    try put(little(UInt64(count)) + little(UInt64(bytes)))
    try put(little(UInt64(leftOut?.count ?? 0)) + little(UInt64(leftOut?.first.value ?? 0)))
  }

  private static func little(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  private func path(_ key: String) -> String { "\(folder)/\(key).tokens" }
}

extension MappedFile {
  /// The 64 bits at `offset`, which the file has.
  fileprivate func word(at offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
