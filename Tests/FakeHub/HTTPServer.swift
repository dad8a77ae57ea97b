import Foundation
import Synchronization

/// A request as it came.
public struct ServedRequest: Sendable {
  public let method: String
  /// The path with what is asked for behind it, as it was sent.
  public let target: String
  public let fields: [String: String]
  public let body: [UInt8]
  /// How many requests for the same target came before, those for a part with an end counted by themselves.
  public let earlier: Int

  /// The path, decoded.
  public var path: String {
    let path = target.prefix { $0 != "?" }
    return String(path).removingPercentEncoding ?? String(path)
  }
}

/// An answer, and what goes wrong with it.
public struct ServedReply: Sendable {
  public var status: Int
  public var fields: [(String, String)]
  public var body: [UInt8]
  /// Sends so many bytes of the body and cuts the connection, whatever length was promised.
  public var cut: Int?
  /// Cuts the connection before any byte of an answer.
  public var isMute = false
  /// Sends this length instead of the body's.
  public var promisedLength: Int?
  /// Sends the body in chunks of so many bytes.
  public var chunks: Int?
  /// Waits before the answer, in seconds.
  public var delay = 0.0

  public init(_ status: Int, _ fields: [(String, String)] = [], _ body: [UInt8] = []) {
    self.status = status
    self.fields = fields
    self.body = body
  }
}

/// A server of HTTP/1.1 on this machine, on threads of its own; one request for each connection.
public final class HTTPServer: Sendable {
  public let port: Int
  private let listener: Int32
  private let log = Mutex<[ServedRequest]>([])
  private let answer: @Sendable (ServedRequest) -> ServedReply

  /// Begins to serve what `answer` gives.
  public init(_ answer: @escaping @Sendable (ServedRequest) -> ServedReply) throws {
    self.answer = answer
    #if os(Linux)
      let stream = Int32(SOCK_STREAM.rawValue)
    #else
      let stream = SOCK_STREAM
    #endif
    let listener = socket(AF_INET, stream, 0)
    self.listener = listener
    var one: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    _ = fcntl(listener, F_SETFD, FD_CLOEXEC)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &place) { place in
      place.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
        bind(listener, place, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, place, &length) == 0
      }
    }
    guard bound else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    port = Int(UInt16(bigEndian: place.sin_port))
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        Thread.detachNewThread { [weak self] in
          self?.serve(connection)
          close(connection)
        }
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  /// Every request so far.
  public var requests: [ServedRequest] { log.withLock { $0 } }

  /// Forgets the requests.
  public func forget() { log.withLock { $0 = [] } }

  /// The address of this server.
  public var address: String { "http://127.0.0.1:\(port)" }

  private func serve(_ connection: Int32) {
    var reader = ConnectionReader(connection)
    guard let head = reader.head() else { return }
    var lines = head.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
    let first = lines.removeFirst().split(separator: " ").map(String.init)
    guard first.count == 3 else { return }
    var fields: [String: String] = [:]
    for line in lines {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    guard let body = reader.body(fields) else { return }
    let request = log.withLock { log in
      func isBounded(_ fields: [String: String]) -> Bool { fields["range"].map { !$0.hasSuffix("-") } ?? false }
      let earlier = log.count {
        $0.target == first[1] && $0.method == first[0] && isBounded($0.fields) == isBounded(fields)
      }
      let request = ServedRequest(method: first[0], target: first[1], fields: fields, body: body, earlier: earlier)
      log.append(request)
      return request
    }
    let reply = answer(request)
    if reply.delay > 0 { Thread.sleep(forTimeInterval: reply.delay) }
    if reply.isMute { return }
    send(reply, isHead: first[0] == "HEAD", to: connection)
  }

  private func send(_ reply: ServedReply, isHead: Bool, to connection: Int32) {
    var head = "HTTP/1.1 \(reply.status) Status\r\nConnection: close\r\n"
    for (name, value) in reply.fields { head += "\(name): \(value)\r\n" }
    if reply.chunks != nil {
      head += "Transfer-Encoding: chunked\r\n"
    } else if !reply.fields.contains(where: { $0.0 == "Content-Length" }) {
      head += "Content-Length: \(reply.promisedLength ?? reply.body.count)\r\n"
    }
    guard write(Array((head + "\r\n").utf8), to: connection), !isHead else { return }
    let body = Array(reply.body.prefix(reply.cut ?? reply.body.count))
    guard let chunks = reply.chunks else {
      _ = write(body, to: connection)
      return
    }
    for start in stride(from: 0, to: body.count, by: chunks) {
      let piece = body[start..<min(body.count, start + chunks)]
      let part = Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
      guard write(part, to: connection) else { return }
    }
    if reply.cut == nil { _ = write(Array("0\r\n\r\n".utf8), to: connection) }
  }

  private func write(_ bytes: [UInt8], to connection: Int32) -> Bool {
    var done = 0
    while done < bytes.count {
      #if os(Linux)
        let flags = Int32(MSG_NOSIGNAL)
      #else
        let flags: Int32 = 0
      #endif
      let count = bytes.withUnsafeBytes {
        Foundation.send(connection, $0.baseAddress! + done, bytes.count - done, flags)
      }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }
}

/// Reads what comes over a connection.
public struct ConnectionReader {
  private let connection: Int32
  private var pending: [UInt8] = []

  public init(_ connection: Int32) { self.connection = connection }

  /// Up to the empty line; nil when the connection ends before.
  public mutating func head() -> String? {
    while true {
      if let end = pending.firstRange(of: Array("\r\n\r\n".utf8)) {
        let head = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
        pending.removeSubrange(..<end.upperBound)
        return head
      }
      guard pending.count < 1 << 20, let more = receive() else { return nil }
      pending += more
    }
  }

  /// What has come and was not taken, else what comes next; nil at the end.
  public mutating func piece() -> [UInt8]? {
    if !pending.isEmpty {
      defer { pending = [] }
      return pending
    }
    return receive()
  }

  /// A line without its end.
  public mutating func line() -> String? {
    while true {
      if let end = pending.firstRange(of: Array("\r\n".utf8)) {
        let line = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
        pending.removeSubrange(..<end.upperBound)
        return line
      }
      guard let more = receive() else { return nil }
      pending += more
    }
  }

  /// Exactly `count` bytes.
  public mutating func bytes(_ count: Int) -> [UInt8]? {
    while pending.count < count {
      guard let more = receive() else { return nil }
      pending += more
    }
    defer { pending.removeFirst(count) }
    return Array(pending.prefix(count))
  }

  mutating func body(_ fields: [String: String]) -> [UInt8]? {
    if fields["transfer-encoding"]?.lowercased() == "chunked" {
      var body: [UInt8] = []
      while let size = line().flatMap({ Int($0.prefix { $0 != ";" }, radix: 16) }) {
        guard let piece = bytes(size), bytes(2) != nil else { return nil }
        if size == 0 { return body }
        body += piece
      }
      return nil
    }
    return bytes(fields["content-length"].flatMap { Int($0) } ?? 0)
  }

  private func receive() -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = buffer.withUnsafeMutableBytes { recv(connection, $0.baseAddress, $0.count, 0) }
    return count > 0 ? Array(buffer.prefix(count)) : nil
  }
}
