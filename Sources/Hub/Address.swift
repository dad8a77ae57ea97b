import Foundation

/// The address of something that is asked for by HTTP: where to, and what.
public struct Address: Sendable, Hashable, CustomStringConvertible {
  /// `http` or `https`.
  public let scheme: String
  /// The host's name in lower case, or its number.
  public let host: String
  /// The port.
  public let port: Int
  /// The path with what is asked for behind it, encoded: `/a/b?c=d`.
  public let target: String

  /// The address that `text` is, complete or relative to `base`; nil when it is none of HTTP, or holds a user's name.
  public init?(_ text: String, relativeTo base: Address? = nil) {
    guard text.utf8.count <= 16_384, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }),
      let url = URL(string: text, relativeTo: base.flatMap { URL(string: $0.description) })?.absoluteURL,
      let parts = URLComponents(url: url, resolvingAgainstBaseURL: true),
      let scheme = parts.scheme?.lowercased(), scheme == "http" || scheme == "https",
      let host = parts.host?.lowercased(), !host.isEmpty, parts.user == nil, parts.password == nil
    else { return nil }
    self.scheme = scheme
    self.host = host
    port = parts.port ?? (scheme == "https" ? 443 : 80)
    guard (1...65_535).contains(port) else { return nil }
    let path = parts.percentEncodedPath
    target = (path.isEmpty ? "/" : path) + (parts.percentEncodedQuery.map { "?" + $0 } ?? "")
  }

  /// Scheme, host and port: what a token belongs to.
  public var origin: String { "\(scheme)://\(host):\(port)" }

  /// The whole address.
  public var description: String {
    let isUsual = port == (scheme == "https" ? 443 : 80)
    return "\(scheme)://\(host)\(isUsual ? "" : ":\(port)")\(target)"
  }

  /// Whether the host is this machine.
  public var isLocal: Bool { ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host) }

  /// `text` as a part of a path: everything but letters, digits and `_.-~` is encoded, a slash too unless it is kept.
  public static func quoted(_ text: String, keepingSlashes: Bool = false) -> String {
    var result = ""
    for byte in text.utf8 {
      let isPlain =
        (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || (0x30...0x39).contains(byte) || "_.-~".utf8.contains(byte)
      if isPlain || keepingSlashes && byte == UInt8(ascii: "/") {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return result
  }
}
