import Essentials
import Files

/// What the environment says of the hub and of the cache, by the variables that the Hugging Face tools read.
///
/// Source: huggingface_hub 2.4, `constants.py` and `utils/_auth.py`.
public struct HubSettings: Sendable {
  /// The folder of the cache.
  public let root: String
  /// Where the hub is, without a slash at its end.
  public let endpoint: String
  /// Whether no network may be used.
  public let isOffline: Bool
  /// The variable that says so.
  public let offlineVariable: String
  /// Whether snapshots hold copies instead of links.
  public let avoidsLinks: Bool
  /// Whether no progress is shown.
  public let hidesProgress: Bool
  /// Seconds until a connection that is silent counts as broken.
  public let timeout: Int
  /// Where the token is kept.
  public let tokenPath: String
  private let givenToken: String?
  private let usesToken: Bool

  /// The hub that is meant where no variable names another.
  public static let publicEndpoint = "https://huggingface.co"

  /// What `environment` says.
  public init(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
    let user = environment["HOME"] ?? FileManager.default.homeDirectoryForCurrentUser.path
    func expanded(_ path: String) -> String { Self.expanded(path, environment, home: user) }
    func named(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let home = expanded(
      environment["HF_HOME"] ?? (environment["XDG_CACHE_HOME"] ?? user + "/.cache") + "/huggingface")
    root = expanded(environment["HF_HUB_CACHE"] ?? environment["HUGGINGFACE_HUB_CACHE"] ?? home + "/hub")
    var endpoint = named("HF_ENDPOINT") ?? Self.publicEndpoint
    while endpoint.hasSuffix("/") { endpoint.removeLast() }
    self.endpoint = endpoint
    offlineVariable = Self.isTrue(environment["HF_HUB_OFFLINE"]) ? "HF_HUB_OFFLINE" : "TRANSFORMERS_OFFLINE"
    isOffline = Self.isTrue(named("HF_HUB_OFFLINE") ?? environment["TRANSFORMERS_OFFLINE"])
    avoidsLinks = Self.isTrue(environment["HF_HUB_DISABLE_SYMLINKS"])
    hidesProgress = Self.isTrue(environment["HF_HUB_DISABLE_PROGRESS_BARS"])
    timeout = environment["HF_HUB_DOWNLOAD_TIMEOUT"].flatMap { Int($0) }.map { min(max($0, 1), 3600) } ?? 10
    tokenPath = expanded(environment["HF_TOKEN_PATH"] ?? home + "/token")
    givenToken = environment["HF_TOKEN"] ?? environment["HUGGING_FACE_HUB_TOKEN"]
    usesToken = !Self.isTrue(environment["HF_HUB_DISABLE_IMPLICIT_TOKEN"])
  }

  /// The token to present to the hub, and to nobody else: of `HF_TOKEN`, else of the file that `hf auth login` writes.
  /// Throws when it holds a character that no header may have.
  public func token() throws(FileProblem) -> String? {
    guard usesToken else { return nil }
    let (text, place) =
      if let givenToken, !Self.trimmed(givenToken).isEmpty {
        (givenToken, "HF_TOKEN")
      } else {
        ((try? String(contentsOfFile: tokenPath, encoding: .utf8)) ?? "", tokenPath)
      }
    let token = Self.trimmed(text)
    guard !token.isEmpty else { return nil }
    guard token.utf8.count <= 4096, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw FileProblem(path: place, sentence: "this is no token: it holds spaces or control characters")
    }
    return token
  }

  private static func trimmed(_ text: String) -> String { text.trimmed }

  private static func isTrue(_ value: String?) -> Bool { ["1", "ON", "YES", "TRUE"].contains(value?.uppercased()) }

  /// `~`, `$NAME` and `${NAME}` in a path, as Python's `expanduser` and `expandvars` have them.
  private static func expanded(_ path: String, _ environment: [String: String], home: String) -> String {
    let path = path == "~" || path.hasPrefix("~/") ? home + path.dropFirst() : path
    var (result, rest) = ("", path[...])
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      let after = rest[rest.index(after: dollar)...]
      let isBraced = after.first == "{"
      let body = isBraced ? after.dropFirst() : after
      let name = body.prefix { isBraced ? $0 != "}" : $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      let isClosed = !isBraced || body.dropFirst(name.count).first == "}"
      if isClosed, let value = environment[String(name)] {
        result += value
        rest = body.dropFirst(name.count + (isBraced ? 1 : 0))
      } else {
        result += "$"
        rest = after
      }
    }
    return result + rest
  }
}
