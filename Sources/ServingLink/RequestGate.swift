import Files

/// Who may ask: decided by the head of a request, before a byte of its body is read.
///
/// A page in a browser must not reach a server on the same machine by itself. So an `Origin` has to be the server's own or a
/// listed one, and a `Host` has to be an address, `localhost` or a listed name: a name that somebody else's DNS points here is
/// none of them. And whoever asks has to know the token.
public struct RequestGate: Sendable, Hashable {
  /// What `Authorization: Bearer …` has to say; nil for nothing.
  public var token: String?
  /// Names by which the server may be called, beside addresses and `localhost`.
  public var hosts: [String]
  /// Origins whose pages may ask.
  public var origins: [String]

  /// This gate.
  public init(token: String?, hosts: [String] = [], origins: [String] = []) {
    (self.token, self.hosts, self.origins) = (token, hosts, origins)
  }

  /// Paths that need no token: what a supervisor asks, and the page, which asks with one.
  private static let open: Set<String> = ["/", "/health", "/version"]

  /// Why `head` is turned away; nil where it may pass.
  public func refusal(of head: RequestHead) -> ErrorAnswer? {
    guard let host = head.fields["host"], Self.isAddress(host) || hosts.contains(Self.name(host)) else {
      return ErrorAnswer(
        403, "the server is not called '\((head.fields["host"] ?? "").prefix(100))'; --allow-host names other names",
        code: "host_not_allowed")
    }
    if let origin = head.fields["origin"], origin != "http://\(host)", !origins.contains(origin) {
      return ErrorAnswer(
        403, "pages of '\(origin.prefix(100))' may not ask this server; --allow-origin names those that may",
        code: "origin_not_allowed")
    }
    // A browser asks first, without the token.
    if head.method == "OPTIONS" { return nil }
    if let token, !Self.open.contains(head.path), !Self.isEqual(Self.bearer(head.fields["authorization"]), token) {
      return ErrorAnswer(
        401, "the token that the server was started with is missing or another: 'Authorization: Bearer …'",
        code: "invalid_api_key", fields: [(name: "WWW-Authenticate", value: "Bearer")])
    }
    return nil
  }

  /// The fields that let a page of an allowed origin read the answer.
  public func sharing(_ head: RequestHead) -> [(name: String, value: String)] {
    guard let origin = head.fields["origin"], origins.contains(origin) else { return [] }
    var fields = [(name: "Access-Control-Allow-Origin", value: origin), (name: "Vary", value: "Origin")]
    if head.method == "OPTIONS" {
      fields.append((name: "Access-Control-Allow-Methods", value: "GET, POST"))
      fields.append((name: "Access-Control-Allow-Headers", value: "Authorization, Content-Type"))
      fields.append((name: "Access-Control-Max-Age", value: "600"))
    }
    return fields
  }

  /// Whether a host, with or without a port, is an address or `localhost`.
  private static func isAddress(_ host: String) -> Bool {
    let name = name(host)
    if name == "localhost" || name.hasPrefix("[") { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }

  /// A host without its port, in small letters.
  private static func name(_ host: String) -> String {
    let host = host.lowercased()
    if host.hasPrefix("[") { return String(host.prefix { $0 != "]" }) + "]" }
    return String(host.prefix { $0 != ":" })
  }

  private static func bearer(_ field: String?) -> String {
    guard let field, field.lowercased().hasPrefix("bearer ") else { return "" }
    return String(field.dropFirst("bearer ".count))
  }

  /// Takes as long for any two texts of these lengths, wherever they differ.
  private static func isEqual(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    var difference = a.count ^ b.count
    for place in b.indices { difference |= Int(b[place] ^ (place < a.count ? a[place] : 0xFF)) }
    return difference == 0
  }
}

/// An answer that says what is wrong, in the shape that OpenAI's clients read.
public struct ErrorAnswer: Error, Sendable {
  public let status: Int
  public let message: String
  /// The parameter that is meant.
  public let parameter: String?
  public let code: String?
  /// Fields of the answer beside the usual ones.
  public let fields: [(name: String, value: String)]

  /// An error of this status.
  public init(
    _ status: Int, _ message: String, parameter: String? = nil, code: String? = nil,
    fields: [(name: String, value: String)] = []
  ) {
    (self.status, self.message, self.parameter, self.code, self.fields) = (status, message, parameter, code, fields)
  }

  /// What kind of error a status is.
  private var type: String {
    switch status {
    case 401: "authentication_error"
    case 403: "permission_error"
    case 404: "not_found_error"
    case 429: "rate_limit_error"
    case 500...: status == 503 ? "service_unavailable_error" : "server_error"
    default: "invalid_request_error"
    }
  }

  /// The body.
  public var json: JSONValue {
    [
      "error": [
        "message": .string(message), "type": .string(type), "param": parameter.map(JSONValue.string) ?? .null,
        "code": code.map(JSONValue.string) ?? .null,
      ]
    ]
  }
}
