import Foundation

/// Which proxy leads to an address, as `https_proxy` and `no_proxy` say it to curl and to Python.
///
/// Addresses of `http` are reached without one: they are hubs of one's own.
public struct ProxyRules: Sendable {
  /// A proxy for connections that are encrypted through it.
  public struct Proxy: Sendable, Hashable {
    /// The host.
    public let host: String
    /// The port.
    public let port: Int
    /// A user's name and password for it, where the address has them.
    public let credentials: (user: String, password: String)?

    public static func == (a: Proxy, b: Proxy) -> Bool {
      a.host == b.host && a.port == b.port && a.credentials?.user == b.credentials?.user
        && a.credentials?.password == b.credentials?.password
    }

    public func hash(into hasher: inout Hasher) {
      hasher.combine(host)
      hasher.combine(port)
    }
  }

  /// The proxy, for hosts that are not excepted.
  public let proxy: Proxy?
  /// Hosts and the ends of their names, in lower case, without a dot in front; `*` is every host.
  private let exceptions: [(name: String, port: Int?)]

  /// What `environment` says; the variables in small letters come first. Throws `HubProblem.usage` where the address of a
  /// proxy is none of HTTP.
  public init(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    func named(_ names: [String]) -> (name: String, text: String)? {
      for name in names { if let text = environment[name], !text.isEmpty { return (name, text) } }
      return nil
    }
    exceptions =
      (named(["no_proxy", "NO_PROXY"])?.text ?? "").split { $0 == "," || $0.isWhitespace }.map { part in
        var name = part.lowercased()
        var port: Int?
        if let colon = name.lastIndex(of: ":"), name.filter({ $0 == ":" }).count == 1 {
          port = Int(name[name.index(after: colon)...])
          name = String(name[..<colon])
        }
        if name.hasPrefix("*.") { name.removeFirst() }
        while name.hasPrefix(".") { name.removeFirst() }
        return (name, port)
      }
    guard let (name, text) = named(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]) else {
      proxy = nil
      return
    }
    // curl takes an address without a scheme for one of http.
    let url = URLComponents(string: text.contains("://") ? text : "http://" + text)
    guard let url, let host = url.host, !host.isEmpty, url.scheme?.lowercased() == "http" else {
      throw HubProblem.usage("\(name) is no address of an HTTP proxy: write http://HOST:PORT")
    }
    proxy = Proxy(
      host: host, port: url.port ?? 80, credentials: url.user.map { ($0, url.password ?? "") })
  }

  /// The proxy on the way to `address`; nil where it is reached directly.
  public func proxy(to address: Address) -> Proxy? {
    guard let proxy, address.scheme == "https" else { return nil }
    for exception in exceptions where exception.port == nil || exception.port == address.port {
      if exception.name == "*" || address.host == exception.name || address.host.hasSuffix("." + exception.name) {
        return nil
      }
    }
    return proxy
  }
}
