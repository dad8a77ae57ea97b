import Essentials

/// One message between `chimera`, which has the models, and `chimera-net`, which has the connections: on a pipe each way.
///
///     length (4 bytes, little-endian, of what follows) · kind (1) · number of the request (8, little-endian) · payload
public struct Frame: Sendable {
  /// What a message is.
  public enum Kind: UInt8, Sendable {
    /// To `chimera-net`, first: how to listen, as JSON.
    case settings = 1
    /// From it: where it listens, as JSON; and why it cannot.
    case listening
    case failed
    /// From it: a request, a `RequestHead` as JSON behind its length (4 bytes), then the body.
    case request
    /// From it: nobody waits for this answer any more.
    case gone
    /// To it: the beginning of an answer, a `ResponseHead` as JSON; a piece of its body; its end.
    case head
    case body
    case end
    /// To it: no more connections are taken; what is being answered goes on.
    case stop
  }

  public let kind: Kind
  public let request: UInt64
  public let payload: [UInt8]

  /// No message is longer than this.
  public static let limit = 256 << 20

  /// A message of this kind.
  public init(_ kind: Kind, request: UInt64 = 0, _ payload: [UInt8] = []) {
    (self.kind, self.request, self.payload) = (kind, request, payload)
  }

  /// A message with a text.
  public init(_ kind: Kind, request: UInt64 = 0, text: String) {
    self.init(kind, request: request, Array(text.utf8))
  }

  /// Its text.
  public var text: String { String(decoding: payload, as: UTF8.self) }

  /// The bytes on the pipe.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(payload.count + 13)
    Self.append(UInt64(payload.count + 9), count: 4, to: &bytes)
    bytes.append(kind.rawValue)
    Self.append(request, count: 8, to: &bytes)
    bytes += payload
    return bytes
  }

  static func append(_ number: UInt64, count: Int, to bytes: inout [UInt8]) {
    for place in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(place)))) }
  }

  static func number(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var (number, shift) = (UInt64(0), UInt64(0))
    for byte in bytes {
      number |= UInt64(byte) << shift
      shift += 8
    }
    return number
  }
}

/// Takes bytes of a pipe and gives the messages that are whole.
public struct FrameReader: Sendable {
  private var bytes: [UInt8] = []

  /// A reader of a pipe from its beginning.
  public init() {}

  /// The pipe carries something else.
  public struct Broken: Error {}

  /// The messages that are whole with `more`. Throws `Broken` where these are no messages.
  public mutating func append(_ more: some Collection<UInt8>) throws(Broken) -> [Frame] {
    bytes += more
    var frames: [Frame] = []
    var start = 0
    while bytes.count - start >= 4 {
      let length = Int(Frame.number(bytes[start..<start + 4]))
      guard length >= 9, length <= Frame.limit else { throw Broken() }
      guard bytes.count - start - 4 >= length else { break }
      guard let kind = Frame.Kind(rawValue: bytes[start + 4]) else { throw Broken() }
      let number = Frame.number(bytes[start + 5..<start + 13])
      frames.append(Frame(kind, request: number, Array(bytes[start + 13..<start + 4 + length])))
      start += 4 + length
    }
    bytes.removeFirst(start)
    return frames
  }
}
