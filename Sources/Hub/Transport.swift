/// What carries requests: nothing of the hub's protocol is in it, so that the protocol is tested with another one.
public protocol Transport: Sendable {
  /// Sends `request`, follows no redirect and retries nothing. Returns when the head of the answer is here.
  /// Throws `TransportProblem`.
  func send(_ request: Request) async throws -> Response
}

/// A request.
public struct Request: Sendable {
  /// What is sent after the head.
  public enum Body: Sendable {
    case none
    case bytes([UInt8])
    /// These bytes of a file, sent as they are read.
    case file(path: String, range: Range<Int>)

    /// How many bytes it has.
    public var count: Int {
      switch self {
      case .none: 0
      case .bytes(let bytes): bytes.count
      case .file(_, let range): range.count
      }
    }
  }

  /// `GET`, `POST`, `PUT`.
  public var method: String
  /// Where to.
  public var address: Address
  /// The fields of the head.
  public var fields: [(name: String, value: String)]
  /// What is sent.
  public var body: Body

  /// A request.
  public init(
    _ method: String, _ address: Address, fields: [(name: String, value: String)] = [], body: Body = .none
  ) {
    self.method = method
    self.address = address
    self.fields = fields
    self.body = body
  }
}

/// An answer whose head is here; its body comes in pieces, as they are asked for.
public struct Response: Sendable {
  /// The status, such as 200.
  public let status: Int
  private let fields: [(name: String, value: String)]
  /// The next piece of the body; nil at its end. Throws `TransportProblem` when the connection breaks before that.
  public let next: @Sendable () async throws -> [UInt8]?

  /// An answer.
  public init(
    status: Int, fields: [(name: String, value: String)], next: @escaping @Sendable () async throws -> [UInt8]?
  ) {
    self.status = status
    self.fields = fields
    self.next = next
  }

  /// The value of a field of the head, whatever the case of its name; the first one.
  public subscript(name: String) -> String? {
    let name = name.lowercased()
    return fields.first { $0.name.lowercased() == name }?.value
  }

  /// Whether it says where else to look.
  public var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) && self["Location"] != nil }

  /// The whole body, of at most `limit` bytes; nil when it has more.
  public func body(limit: Int) async throws -> [UInt8]? {
    var bytes: [UInt8] = []
    while let piece = try await next() {
      guard bytes.count + piece.count <= limit else { return nil }
      bytes += piece
    }
    return bytes
  }
}

/// Why a connection was of no use.
public struct TransportProblem: Error, Sendable, Equatable {
  /// Whether trying again may help.
  public let isPassing: Bool
  /// Whether no connection came about at all, which takes a while to find out.
  public let isUnreached: Bool
  /// What happened, for a sentence: "the connection was cut".
  public let sentence: String

  /// A problem of a connection.
  public init(_ sentence: String, isPassing: Bool = true, isUnreached: Bool = false) {
    self.sentence = sentence
    self.isPassing = isPassing
    self.isUnreached = isUnreached
  }
}
