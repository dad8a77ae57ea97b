/// What a hash of the family of SHA does with whole blocks; the rest is the same for all of them.
public protocol BlockCompression: Sendable {
  /// The state before any block.
  static var start: [UInt32] { get }

  /// Takes `bytes`, whole blocks of 64 bytes, into `state`, which has as many words as `start`.
  static func compress(_ bytes: UnsafeRawBufferPointer, into state: inout [UInt32])
}

/// A hash of bytes that come in pieces: blocks of 64 bytes are compressed into a state, and the last is padded with a one
/// bit, zeros and the count of bits (NIST FIPS 180-4, section 5.1.1, https://doi.org/10.6028/NIST.FIPS.180-4).
public struct BlockHash<Compression: BlockCompression>: Sendable {
  private var state = Compression.start
  private var pending: [UInt8] = []
  private var count: UInt64 = 0

  /// The hash of nothing yet.
  public init() {}

  /// Takes `bytes` in.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    count += UInt64(bytes.count)
    var rest = bytes[...]
    if !pending.isEmpty {
      let taken = rest.prefix(64 - pending.count)
      pending.append(contentsOf: taken)
      rest = rest.dropFirst(taken.count)
      guard pending.count == 64 else { return }
      let block = pending
      block.withUnsafeBytes { Compression.compress($0, into: &state) }
      pending.removeAll(keepingCapacity: true)
    }
    let whole = rest.count / 64 * 64
    Compression.compress(UnsafeRawBufferPointer(rebasing: rest.prefix(whole)), into: &state)
    pending.append(contentsOf: rest.dropFirst(whole))
  }

  /// Takes the bytes of `text` in.
  public mutating func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  /// The hash of everything taken in, as hexadecimal digits, eight a word of the state.
  public func hexadecimal() -> String {
    var last = self
    let bits = count * 8
    var padding: [UInt8] = [0x80]
    padding += [UInt8](repeating: 0, count: (119 - Int(count % 64)) % 64)
    for shift in stride(from: 56, through: 0, by: -8) {
      padding.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
    }
    padding.withUnsafeBytes { last.update($0) }
    return last.state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  /// The hash of `bytes`.
  public static func hexadecimal(of bytes: UnsafeRawBufferPointer) -> String {
    var hash = Self()
    hash.update(bytes)
    return hash.hexadecimal()
  }

  /// The hash of the file at `path`.
  public static func hexadecimal(ofFile path: String) throws(FileProblem) -> String {
    let file = try MappedFile(path: path)
    return withExtendedLifetime(file) { hexadecimal(of: file.bytes) }
  }
}
