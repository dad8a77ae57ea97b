/// The name of a repository of a hub, `org/name`, or `name` alone as the oldest ones are called.
///
/// Checked as the Hub's own client does: letters, digits, `-`, `_` and `.`, neither beginning nor ending with a dash or a
/// dot, without `--` and `..`, at most 96 characters, not ending in `.git`. So no name leaves the cache's folder.
/// Source: huggingface_hub 2.4, `utils/_validators.py`.
public struct RepositoryName: Sendable, Hashable, CustomStringConvertible {
  /// The name as people write it.
  public let description: String

  /// The name that `text` is; nil when it is none.
  public init?(_ text: some StringProtocol) {
    let text = String(text)
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), text.utf8.count <= 160, !text.contains("--"), !text.contains(".."),
      !text.hasSuffix(".git"), parts.allSatisfy({ Self.isPart($0) })
    else { return nil }
    description = text
  }

  private static func isPart(_ part: Substring) -> Bool {
    guard let first = part.utf8.first, let last = part.utf8.last, part.utf8.count <= 96 else { return false }
    let isEdge = { (byte: UInt8) in byte != UInt8(ascii: "-") && byte != UInt8(ascii: ".") }
    return isEdge(first) && isEdge(last)
      && part.utf8.allSatisfy { byte in
        (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || (0x30...0x39).contains(byte) || "-_.".utf8.contains(byte)
      }
  }

  /// Whether it has an owner.
  public var hasOwner: Bool { description.contains("/") }

  /// The name of its folder in the cache.
  public var folder: String { "models--" + description.split(separator: "/").joined(separator: "--") }

  /// The repository whose folder in the cache is called `folder`; nil when that is none of a model.
  public init?(folder: String) {
    guard folder.hasPrefix("models--") else { return nil }
    let parts = folder.dropFirst("models--".count).split(separator: "-", omittingEmptySubsequences: false)
    // `--` joins the owner and the name; a name itself has none.
    var text = ""
    for (index, part) in parts.enumerated() {
      if index > 0 { text += part.isEmpty || text.hasSuffix("/") ? (text.hasSuffix("/") ? "" : "/") : "-" }
      text += part
    }
    self.init(text)
    guard self.folder == folder else { return nil }
  }
}

/// A repository at a revision, as a user writes it: `org/name` or `org/name@revision`.
public struct RepositoryReference: Sendable, Hashable, CustomStringConvertible {
  /// The repository.
  public let name: RepositoryName
  /// A branch, a tag or a commit; nil for the main branch.
  public let revision: String?

  /// A repository at a revision, which `isRevision` has checked.
  public init(_ name: RepositoryName, at revision: String? = nil) {
    self.name = name
    self.revision = revision
  }

  /// What `text` means; nil when it is no repository with an owner, or when its revision is none.
  public init?(_ text: String) {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = RepositoryName(parts[0]), name.hasOwner else { return nil }
    self.name = name
    revision = parts.count == 2 ? String(parts[1]) : nil
    if let revision, !Self.isRevision(revision) { return nil }
  }

  /// `org/name`, with `@revision` where there is one.
  public var description: String { name.description + (revision.map { "@" + $0 } ?? "") }

  /// Whether `text` can name a revision: what git lets a branch be called, and nothing that leaves a folder.
  public static func isRevision(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    return text.utf8.count <= 250
      && parts.allSatisfy { part in
        !part.isEmpty && !part.hasPrefix(".") && !part.contains("..") && !part.hasSuffix(".lock")
          && !part.hasSuffix(".")
      } && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\\~^:?*[\"'".utf8.contains($0) } && !text.contains("@{")
  }

  /// Whether `text` is a whole commit: 40 hexadecimal digits in lower case.
  public static func isCommit(_ text: String) -> Bool { text.utf8.count == 40 && text.isLowercaseHexadecimal }
}

extension String {
  /// Whether every character is one of `0…9` and `a…f`.
  public var isLowercaseHexadecimal: Bool {
    utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}
