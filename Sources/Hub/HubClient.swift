import Files
import Foundation
import HubCache

/// Asks a hub: with the token where it belongs, through redirects, and again where that may help.
///
/// The token goes to the hub's own origin (scheme, host and port) and to no other: a redirect that leads elsewhere, as those
/// to storage do, loses it, and it is not given again if the way leads back.
public struct HubClient: Sendable {
  /// What carries the requests.
  public let transport: any Transport
  /// The hub, without a slash at its end.
  public let endpoint: String
  let origin: Address
  let token: String?
  let timeout: Int
  /// Waits for so many seconds; the tests do not.
  let pause: @Sendable (Double) async throws -> Void
  /// Bytes of bodies that were read.
  let meter = Counter(0)

  /// How often something is tried that may help.
  static let attempts = 6
  static let redirects = 10
  /// Nobody waits longer for a hub that asks to.
  static let longestWait = 300

  /// A client of the hub that `settings` name. Throws when they forbid the network, or name no hub.
  public init(
    _ settings: HubSettings, over transport: any Transport,
    pause: @escaping @Sendable (Double) async throws -> Void = { try await Task.sleep(for: .seconds($0)) }
  ) throws {
    if settings.isOffline { throw HubProblem.offline(variable: settings.offlineVariable) }
    guard let origin = Address(settings.endpoint) else {
      throw HubProblem.usage(
        "HF_ENDPOINT is '\(settings.endpoint)'; expected an address such as \(HubSettings.publicEndpoint)")
    }
    endpoint = settings.endpoint
    self.origin = origin
    token = try settings.token()
    timeout = settings.timeout
    self.transport = transport
    self.pause = pause
  }

  /// The address of `path` at the hub.
  func address(_ path: String) throws -> Address {
    guard let address = Address(endpoint + path) else { throw HubProblem.nonsense("'\(path)' makes no address") }
    return address
  }

  /// The answer to one request, after redirects, whatever its status; and where it came from.
  func open(_ request: Request) async throws -> (response: Response, from: Address) {
    var request = request
    request.fields += [("User-Agent", "chimera/0.1"), ("Accept-Encoding", "identity")]
    var carriesToken = request.address.origin == origin.origin
    var seen: Set<Address> = []
    for _ in 0...Self.redirects {
      var own = request
      if carriesToken, let token { own.fields.append(("Authorization", "Bearer \(token)")) }
      let response = try await transport.send(own)
      guard response.isRedirect, let location = response["Location"] else { return (response, request.address) }
      if request.method != "GET", ![307, 308].contains(response.status) { return (response, request.address) }
      guard let next = Address(location, relativeTo: request.address) else {
        throw HubProblem.nonsense("\(request.address.host) leads to '\(location.prefix(200))', which is no address")
      }
      if request.address.scheme == "https", next.scheme == "http" {
        throw HubProblem.nonsense(
          "\(request.address.host) leads to \(next.host) without encryption, which is not followed")
      }
      guard seen.insert(next).inserted else {
        throw HubProblem.nonsense("\(request.address.host) leads in a circle")
      }
      if next.origin != request.address.origin { carriesToken = false }
      request.address = next
    }
    throw HubProblem.nonsense("\(request.address.host) leads on and on, more than \(Self.redirects) times")
  }

  /// The body of an answer of status 200 (or of `accepted`), of at most `limit` bytes; tried again where that may help.
  func bytes(
    _ request: Request, for what: String, of repository: RepositoryName, revision: String? = nil, limit: Int,
    accepting accepted: Set<Int> = [200]
  ) async throws -> (bytes: [UInt8], response: Response) {
    var last: HubProblem?
    for attempt in 0..<Self.attempts {
      if attempt > 0 { try await pause(Self.delay(attempt)) }
      do {
        let (response, _) = try await open(request)
        if accepted.contains(response.status) {
          guard let bytes = try await response.body(limit: limit) else {
            throw HubProblem.nonsense("the hub's answer to \(what) has more than \(limit) bytes")
          }
          if let count = response["Content-Length"].flatMap({ Int($0) }), count != bytes.count {
            throw TransportProblem("the connection was cut")
          }
          meter.add(bytes.count)
          return (bytes, response)
        }
        guard Self.isPassing(response.status) else {
          throw await problem(response, what, of: repository, revision: revision)
        }
        last = .busy(status: response.status, seconds: Self.wait(response))
        try await wait(for: response, attempt)
      } catch let problem as TransportProblem {
        last = .unreachable(request.address.origin, why: problem.sentence)
        if !problem.isPassing || problem.isUnreached && attempt > 0 { break }
      }
    }
    throw last ?? .unreachable(request.address.origin, why: "nothing came back")
  }

  /// The JSON document that answers a request.
  func json(
    _ request: Request, for what: String, of repository: RepositoryName, revision: String? = nil, limit: Int = 64 << 20,
    accepting accepted: Set<Int> = [200]
  ) async throws -> (json: JSONValue, response: Response) {
    let (bytes, response) = try await bytes(
      request, for: what, of: repository, revision: revision, limit: limit, accepting: accepted)
    do {
      return (try bytes.withUnsafeBytes { try JSONValue(parsing: $0, name: "the hub's answer") }, response)
    } catch let problem as FileProblem {
      throw HubProblem.nonsense("the hub's answer to \(what) is no JSON: \(problem.sentence)")
    }
  }

  /// What an answer that is no help means.
  func problem(_ response: Response, _ what: String, of repository: RepositoryName, revision: String? = nil) async
    -> HubProblem
  {
    let code = response["X-Error-Code"]
    let message = response["X-Error-Message"].map { String($0.prefix(300)) }
    switch (response.status, code) {
    case (_, "GatedRepo"): return .gated(repository, endpoint: endpoint, hasToken: token != nil)
    case (_, "RevisionNotFound"): return .noRevision(repository, revision ?? "main")
    case (_, "EntryNotFound"): return .noFile(repository, path: what)
    case (401, _) where token != nil && message?.contains("Invalid credentials") == true: return .badToken
    case (_, "RepoNotFound"), (401, _), (404, _):
      return .noRepository(repository, endpoint: endpoint, hasToken: token != nil)
    case (403, _): return .forbidden(message ?? what)
    default: return .unexpected(status: response.status, what: what, why: message)
    }
  }

  /// Whether a status may pass.
  static func isPassing(_ status: Int) -> Bool { [408, 425, 429, 500, 502, 503, 504].contains(status) }

  /// Seconds before the attempt after `attempt` failures.
  static func delay(_ attempt: Int) -> Double { min(8, 0.25 * Double(1 << min(attempt, 6))) }

  /// Waits as long as an answer asks to, where it does; throws where that is too long.
  func wait(for response: Response, _ attempt: Int) async throws {
    guard let seconds = Self.wait(response), seconds > 0 else { return }
    if seconds > Self.longestWait { throw HubProblem.busy(status: response.status, seconds: seconds) }
    try await pause(Double(seconds))
  }

  /// The seconds that `Retry-After` says, or those until the time that it says; nil when it says nothing.
  static func wait(_ response: Response) -> Int? {
    guard let text = response["Retry-After"]?.trimmingCharacters(in: .whitespaces) else { return nil }
    if let seconds = Int(text) { return max(0, seconds) }
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return formatter.date(from: text).map { max(0, Int($0.timeIntervalSinceNow.rounded(.up))) }
  }
}
