import FakeHub
import Files
import Foundation
import Hub
import Synchronization

/// Carries requests over plain sockets, so that the protocol is tested without anything to fetch.
struct SocketTransport: Transport {
  func send(_ request: Request) async throws -> Response {
    #if os(Linux)
      let stream = Int32(SOCK_STREAM.rawValue)
    #else
      let stream = SOCK_STREAM
    #endif
    let connection = Connection(socket(AF_INET, stream, 0))
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = UInt16(request.address.port).bigEndian
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    guard request.address.host == "127.0.0.1" else { throw TransportProblem("no host", isPassing: false) }
    let connected = withUnsafePointer(to: &place) { place in
      place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(connection.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard connected else { throw TransportProblem("no connection") }
    var head =
      "\(request.method) \(request.address.target) HTTP/1.1\r\nHost: \(request.address.host):\(request.address.port)\r\n"
    for field in request.fields { head += "\(field.name): \(field.value)\r\n" }
    if request.method != "GET" { head += "Content-Length: \(request.body.count)\r\n" }
    var bytes = Array((head + "\r\n").utf8)
    switch request.body {
    case .none: break
    case .bytes(let body): bytes += body
    case .file(let path, let range):
      let file = try MappedFile(path: path)
      withExtendedLifetime(file) { bytes += file.bytes[range] }
    }
    _ = bytes.withUnsafeBytes { writeAll($0, to: connection.descriptor) }
    var reader = ConnectionReader(connection.descriptor)
    guard let text = reader.head() else { throw TransportProblem("the connection was cut") }
    var lines = text.split(separator: "\r\n").map(String.init)
    guard let status = lines.removeFirst().split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
      throw TransportProblem("no HTTP")
    }
    let fields = lines.compactMap { line in
      line.firstIndex(of: ":").map {
        (name: String(line[..<$0]), value: line[line.index(after: $0)...].trimmingCharacters(in: .whitespaces))
      }
    }
    let body = Mutex(BodyState(reader: reader, fields))
    return Response(status: status, fields: fields) {
      try body.withLock { state in
        withExtendedLifetime(connection) {}
        return try state.next()
      }
    }
  }
}

private final class Connection: Sendable {
  let descriptor: Int32
  init(_ descriptor: Int32) { self.descriptor = descriptor }
  deinit { close(descriptor) }
}

private struct BodyState {
  var reader: ConnectionReader
  var rest: Int?
  var isChunked = false
  var isOver = false

  init(reader: ConnectionReader, _ fields: [(name: String, value: String)]) {
    self.reader = reader
    rest = fields.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) }
    isChunked = fields.contains { $0.name.lowercased() == "transfer-encoding" }
  }

  mutating func next() throws -> [UInt8]? {
    if isOver { return nil }
    if isChunked {
      guard let size = reader.line().flatMap({ Int($0, radix: 16) }), let piece = reader.bytes(size),
        reader.bytes(2) != nil
      else { throw TransportProblem("the connection was cut") }
      if size == 0 { isOver = true }
      return size == 0 ? nil : piece
    }
    guard let left = rest else {
      let piece = reader.piece()
      isOver = piece == nil
      return piece
    }
    if left == 0 { return nil }
    guard let piece = reader.piece() else { throw TransportProblem("the connection was cut") }
    // What a server sends beyond the length that it promised belongs to nothing.
    rest = left - min(left, piece.count)
    return Array(piece.prefix(left))
  }
}
