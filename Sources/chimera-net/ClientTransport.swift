import AsyncHTTPClient
import Files
import Foundation
import Hub
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Carries requests with AsyncHTTPClient: TLS checked, no redirect followed, nothing
/// decompressed, a body read only as fast as it is asked for.
final class ClientTransport: Transport {
  private let direct: HTTPClient
  /// Through the environment's proxy, where there is one.
  private let proxied: HTTPClient?
  private let rules: ProxyRules
  private let timeout: TimeAmount

  /// A connection that is silent for `timeout` seconds counts as broken; `rules` say who is asked through a proxy.
  init(timeout: Int, _ rules: ProxyRules) {
    self.rules = rules
    self.timeout = .seconds(Int64(timeout))
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    // Within this time a connection is tried again and again.
    configuration.timeout = .init(connect: .seconds(Int64(min(timeout, 5))), read: self.timeout)
    configuration.decompression = .disabled
    configuration.httpVersion = .http1Only
    configuration.networkFrameworkWaitForConnectivity = false
    direct = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    proxied = rules.proxy.map { proxy in
      configuration.proxy = .server(
        host: proxy.host, port: proxy.port,
        authorization: proxy.credentials.map { .basic(username: $0.user, password: $0.password) })
      return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }
  }

  func send(_ request: Request) async throws -> Response {
    var own = HTTPClientRequest(url: request.address.description)
    own.method = HTTPMethod(rawValue: request.method)
    for field in request.fields { own.headers.add(name: field.name, value: field.value) }
    switch request.body {
    case .none: if request.method != "GET" { own.body = .bytes(ByteBuffer()) }
    case .bytes(let bytes): own.body = .bytes(ByteBuffer(bytes: bytes))
    case .file(let path, let range):
      own.body = .stream(FilePieces(path: path, range: range), length: .known(Int64(range.count)))
    }
    do {
      // Silence is what ends a request, not its length: a body that goes up takes as long as it takes.
      let client = rules.proxy(to: request.address) == nil ? direct : proxied ?? direct
      let response = try await client.execute(own, timeout: .hours(24 * 7))
      let body = BodyReader(response.body)
      return Response(
        status: Int(response.status.code), fields: response.headers.map { (name: $0.name, value: $0.value) },
        next: { try await body.next() })
    } catch { throw Self.problem(error) }
  }

  /// Closes the connections.
  func close() async {
    try? await direct.shutdown()
    try? await proxied?.shutdown()
  }

  /// The sentence for what a connection came to.
  static func problem(_ error: any Error) -> any Error {
    switch error {
    case is TransportProblem, is FileProblem, is CancellationError: return error
    case let error as HTTPClientError:
      switch error {
      case .connectTimeout, .getConnectionFromPoolTimeout:
        return TransportProblem("no connection came about in time", isUnreached: true)
      case .readTimeout, .deadlineExceeded:
        return TransportProblem("it did not answer in time (HF_HUB_DOWNLOAD_TIMEOUT sets how long that is)")
      case .remoteConnectionClosed: return TransportProblem("the connection was cut")
      default: return TransportProblem("the connection failed (\(error.shortDescription))")
      }
    case let error as NIOConnectionError:
      if error.dnsAError != nil, error.connectionErrors.isEmpty {
        return TransportProblem("there is no host '\(error.host)', or no network to ask on", isPassing: false)
      }
      return TransportProblem("no connection to \(error.host):\(error.port)", isUnreached: true)
    case let error as IOError:
      let isUnreached = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT].contains(error.errnoCode)
      return TransportProblem(
        "the connection failed (\(String(cString: strerror(error.errnoCode))))", isUnreached: isUnreached)
    case is NIOSSLError:
      let isUntrusted = "\(error)".contains("CERTIFICATE_VERIFY_FAILED")
      return TransportProblem(
        isUntrusted
          ? "its certificate is not trusted here" : "no encrypted connection came about; is it https at all?",
        isPassing: false)
    case is ChannelError, is HTTPParserError: return TransportProblem("the connection was cut")
    default: return TransportProblem("the connection failed (\(error))")
    }
  }
}

/// The body of an answer, piece by piece.
private final class BodyReader: Sendable {
  private struct State: @unchecked Sendable {
    // One task asks at a time: a response is read by who sent the request.
    var iterator: HTTPClientResponse.Body.AsyncIterator
  }
  private let state: Mutex<State?>

  init(_ body: HTTPClientResponse.Body) { state = Mutex(State(iterator: body.makeAsyncIterator())) }

  func next() async throws -> [UInt8]? {
    guard
      var taken = state.withLock({ state in
        defer { state = nil }
        return state
      })
    else { return nil }
    do {
      let buffer = try await taken.iterator.next()
      let returned = taken
      state.withLock { $0 = returned }
      return buffer.map { Array($0.readableBytesView) }
    } catch { throw ClientTransport.problem(error) }
  }
}

/// Bytes of a file as they are sent.
private struct FilePieces: AsyncSequence, Sendable {
  typealias Element = ByteBuffer
  let path: String
  let range: Range<Int>

  struct Iterator: AsyncIteratorProtocol {
    let path: String
    var rest: Range<Int>
    var file: MappedFile?

    mutating func next() async throws -> ByteBuffer? {
      guard !rest.isEmpty else { return nil }
      let mapped = try file ?? MappedFile(path: path)
      file = mapped
      guard rest.upperBound <= mapped.bytes.count else {
        throw FileProblem(path: path, sentence: "the file became shorter while it was sent")
      }
      let end = Swift.min(rest.upperBound, rest.lowerBound + 1 << 20)
      let buffer = withExtendedLifetime(mapped) {
        ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: mapped.bytes[rest.lowerBound..<end]))
      }
      mapped.adviseUnneeded(rest.lowerBound..<end)
      rest = end..<rest.upperBound
      return buffer
    }
  }

  func makeAsyncIterator() -> Iterator { Iterator(path: path, rest: range, file: nil) }
}
