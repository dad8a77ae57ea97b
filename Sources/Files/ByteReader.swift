/// Reads a file's bytes front to back; every read is checked against what is left, so no count in a file is believed.
///
/// The bytes must outlive the reader.
public struct ByteReader {
  /// The file's name, for messages.
  public let name: String
  /// The place of the next byte, counted from the start.
  public private(set) var offset = 0

  private let source: UnsafeRawBufferPointer

  /// Starts at the first of `bytes`, which are called `name` in messages.
  public init(_ bytes: UnsafeRawBufferPointer, name: String) {
    source = bytes
    self.name = name
  }

  /// The number of bytes not yet read.
  public var remaining: Int { source.count - offset }

  /// The next integer, little endian; throws when fewer bytes are left than it has.
  ///
  /// Inlinable, for a generic function that is called across modules would ask the runtime for its type at each read.
  @inlinable
  public mutating func read<T: FixedWidthInteger>(_ type: T.Type) throws(FileProblem) -> T {
    let value = try bytes(UInt64(MemoryLayout<T>.size), for: "a number")
    return T(littleEndian: value.loadUnaligned(as: T.self))
  }

  /// The next IEEE 754 number in 32 bits, little endian.
  public mutating func readFloat() throws(FileProblem) -> Float {
    Float(bitPattern: try read(UInt32.self))
  }

  /// The next IEEE 754 number in 64 bits, little endian.
  public mutating func readDouble() throws(FileProblem) -> Double {
    Double(bitPattern: try read(UInt64.self))
  }

  /// The next `count` bytes, not copied; throws when fewer are left. `purpose` names them in the message.
  public mutating func bytes(
    _ count: UInt64, for purpose: @autoclosure () -> String = "data"
  ) throws(FileProblem) -> UnsafeRawBufferPointer {
    guard count <= UInt64(remaining) else {
      throw problem("\(purpose()) needs \(count) bytes and the file has \(remaining) left")
    }
    let start = offset
    offset += Int(count)
    return UnsafeRawBufferPointer(rebasing: source[start..<offset])
  }

  /// The next `count` bytes as UTF-8 text; throws when fewer are left or they are not UTF-8.
  public mutating func string(
    _ count: UInt64, for purpose: @autoclosure () -> String = "text"
  ) throws(FileProblem) -> String {
    let start = offset
    let text = try bytes(count, for: purpose())
    if let broken = firstInvalidUTF8(in: text) {
      throw FileProblem(path: name, offset: start + broken, sentence: "\(purpose()) is not valid UTF-8")
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Passes over up to `count` texts, each behind its length in 64 bits, and says over how many: it stops before the
  /// first that is longer than `longest`, is not in the file or is not UTF-8, which `string` then has a message for.
  public mutating func skipStrings(_ count: Int, longest: UInt64) -> Int {
    for passed in 0..<count {
      guard remaining >= 8 else { return passed }
      let length = UInt64(littleEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      guard length <= longest, length <= UInt64(remaining - 8) else { return passed }
      let start = offset + 8
      let end = start + Int(length)
      guard firstInvalidUTF8(in: UnsafeRawBufferPointer(rebasing: source[start..<end])) == nil else { return passed }
      offset = end
    }
    return count
  }

  /// A problem at the place of the next byte.
  public func problem(_ sentence: String) -> FileProblem {
    FileProblem(path: name, offset: offset, sentence: sentence)
  }
}
