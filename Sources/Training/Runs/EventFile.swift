import Essentials
import Files

/// The numbers of a run as TensorBoard reads them.
///
/// A record is the length in 8 bytes, the masked CRC-32C of those, the event, and its masked CRC-32C; an event is a
/// protobuf message: `wall_time = 1`, `step = 2`, `file_version = 3`, `summary = 5`, `session_log = 7`
/// (tensorflow/tensorboard, `tensorboard/compat/proto/event.proto` and `summary.proto`).
///
/// A run that goes on writes a new file, whose first events say from which step on earlier files no longer hold.
package final class EventFile {
  private let file: AppendedFile

  /// A new file in the folder at `path`, for a run that has done `step` steps.
  package init(in path: String, after step: Int) throws {
    let now = Date().timeIntervalSince1970
    var host = [CChar](repeating: 0, count: 256)
    gethostname(&host, 255)
    let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    file = try AppendedFile(path: "\(path)/events.out.tfevents.\(Int(now)).\(name).\(getpid()).\(step)")
    try append(Protobuf().double(1, now).text(3, "brain.Event:2"))
    // SessionLog { status = START }
    try append(Protobuf().double(1, now).integer(2, step + 1).message(7, Protobuf().integer(1, 1)))
  }

  package func append(_ report: Trainer.Report, tokensPerSecond: Double) throws {
    try append(
      step: report.step,
      [
        ("loss/train", report.loss), ("lr", report.rate), ("gradient_norm", report.gradientNorm),
        ("tokens_per_second", tokensPerSecond),
      ])
  }

  package func append(validationLoss: Double, step: Int) throws {
    try append(step: step, [("loss/validation", validationLoss)])
  }

  private func append(step: Int, _ values: [(tag: String, value: Double)]) throws {
    var summary = Protobuf()
    for value in values { summary = summary.message(1, Protobuf().text(1, value.tag).float(2, Float(value.value))) }
    try append(Protobuf().double(1, Date().timeIntervalSince1970).integer(2, step).message(5, summary))
  }

  private func append(_ event: Protobuf) throws {
    let length = withUnsafeBytes(of: UInt64(event.bytes.count).littleEndian) { Array($0) }
    try file.append(length + Self.masked(length) + event.bytes + Self.masked(event.bytes))
  }

  /// The CRC-32C of `bytes`, turned and shifted so that a CRC of data with CRCs in it is worth something.
  private static func masked(_ bytes: [UInt8]) -> [UInt8] {
    let crc = crc32c(bytes)
    let masked = (crc >> 15 | crc << 17) &+ 0xa282_ead8  // wraps, as defined
    return withUnsafeBytes(of: masked.littleEndian) { Array($0) }
  }
}

/// A protobuf message being written: fields by number.
struct Protobuf {
  private(set) var bytes: [UInt8] = []

  func double(_ field: Int, _ value: Double) -> Protobuf {
    adding(field, type: 1, withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) })
  }
  func float(_ field: Int, _ value: Float) -> Protobuf {
    adding(field, type: 5, withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) })
  }
  func integer(_ field: Int, _ value: Int) -> Protobuf {
    adding(field, type: 0, Self.varint(UInt64(bitPattern: Int64(value))))
  }
  func text(_ field: Int, _ value: String) -> Protobuf { lengthy(field, Array(value.utf8)) }
  func message(_ field: Int, _ value: Protobuf) -> Protobuf { lengthy(field, value.bytes) }

  private func lengthy(_ field: Int, _ content: [UInt8]) -> Protobuf {
    adding(field, type: 2, Self.varint(UInt64(content.count)) + content)
  }

  private func adding(_ field: Int, type: UInt64, _ content: [UInt8]) -> Protobuf {
    var message = self
    message.bytes += Self.varint(UInt64(field) << 3 | type) + content
    return message
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var (rest, bytes) = (value, [UInt8]())
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}

/// The CRC-32C of `bytes` (Castagnoli's polynomial, RFC 3720).
package func crc32c(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~0) { crc, byte in crc >> 8 ^ crcTable[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
}

private let crcTable: [UInt32] = (0..<256).map { byte in
  (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
}
