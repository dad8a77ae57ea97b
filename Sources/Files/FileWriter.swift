import Essentials

/// Takes the bytes of a file that is being written by `writeAtomically`.
///
/// Small pieces are gathered and written together. Used by one thread, inside the closure that received it.
public final class FileWriter {
  private let path: String
  private let descriptor: Int32
  private var gathered: [UInt8] = []
  /// The number of bytes taken so far.
  public private(set) var count = 0

  private static let gatherLimit = 1 << 16

  init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  /// Appends `bytes`; throws when the system cannot take them, for want of space for example.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(FileProblem) {
    if gathered.count + bytes.count > Self.gatherLimit { try flush() }
    if bytes.count > Self.gatherLimit { try pass(bytes) } else { gathered.append(contentsOf: bytes) }
    count += bytes.count
  }

  /// Appends `bytes`.
  public func write(_ bytes: [UInt8]) throws(FileProblem) {
    let result = bytes.withUnsafeBytes { bytes in Result { () throws(FileProblem) in try write(bytes) } }
    try result.get()
  }

  /// Appends `text` as UTF-8.
  public func write(_ text: String) throws(FileProblem) {
    try write(Array(text.utf8))
  }

  /// Appends an integer, little endian.
  public func write<T: FixedWidthInteger>(_ value: T) throws(FileProblem) {
    let result = withUnsafeBytes(of: value.littleEndian) { bytes in
      Result { () throws(FileProblem) in try write(bytes) }
    }
    try result.get()
  }

  /// Appends zeros up to a multiple of `alignment` bytes.
  public func pad(to alignment: Int) throws(FileProblem) {
    try write([UInt8](repeating: 0, count: (alignment - count % alignment) % alignment))
  }

  func flush() throws(FileProblem) {
    let pending = gathered
    gathered.removeAll(keepingCapacity: true)
    let result = pending.withUnsafeBytes { bytes in Result { () throws(FileProblem) in try pass(bytes) } }
    try result.get()
  }

  private func pass(_ bytes: UnsafeRawBufferPointer) throws(FileProblem) {
    if let number = writeAll(bytes, to: descriptor) {
      throw FileProblem.ofSystem(path: path, "cannot write the file", number: number)
    }
  }
}
