import Files

/// A file of a repository at a commit, as the hub lists it: everything in it was checked, for a hub is a stranger.
public struct RepositoryFile: Sendable, Hashable {
  /// Its path inside the repository, which cannot leave a folder.
  public let path: String
  /// Its size in bytes.
  public let size: Int
  /// The hash of its bytes: SHA-256 (64 digits) of a large file, git's SHA-1 of a blob (40 digits) of any other. It is the
  /// name of the file in the cache.
  public let hash: String
  /// The hash by which git knows the entry, of the pointer where the file is large.
  public let gitHash: String

  /// The file at `path`; nil when a part of it is not as it must be.
  public init?(path: String, size: Int, hash: String, gitHash: String) {
    guard Self.isPath(path), (0...(1 << 50)).contains(size), [40, 64].contains(hash.utf8.count),
      hash.isLowercaseHexadecimal, gitHash.utf8.count == 40, gitHash.isLowercaseHexadecimal
    else { return nil }
    self.path = path
    self.size = size
    self.hash = hash
    self.gitHash = gitHash
  }

  /// Whether the hub keeps its bytes elsewhere, under their SHA-256.
  public var isLarge: Bool { hash.utf8.count == 64 }

  /// Whether `path` is that of a file under a folder: no empty part, none that begins at the root or goes up, no
  /// backslash and no control character.
  public static func isPath(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return path.utf8.count <= 1024 && parts.count <= 32
      && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255 }
      && !path.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F || $0 == "\\" }
  }

  /// The file's entry in `trees/COMMIT.json`.
  var json: JSONValue {
    var entry = JSONObject()
    entry["size"] = .integer(size)
    entry["blob_id"] = .string(gitHash)
    if isLarge {
      entry["lfs_sha256"] = .string(hash)
      entry["lfs_size"] = .integer(size)
    }
    return .object(entry)
  }

  init?(path: String, json: JSONValue) {
    guard let size = json["lfs_size"]?.integer ?? json["size"]?.integer, let git = json["blob_id"]?.string else {
      return nil
    }
    self.init(path: path, size: size, hash: json["lfs_sha256"]?.string ?? git, gitHash: git)
  }
}

/// Every file of a repository at a commit.
public struct RepositoryListing: Sendable {
  /// The commit.
  public let commit: String
  /// The files, sorted by path.
  public let files: [RepositoryFile]

  /// More files than any model has.
  public static let limit = 100_000

  /// The files of `commit`. Throws a sentence where they do not go together: a path twice, or one that is a file and a
  /// folder, or more than can be.
  public init(commit: String, files: [RepositoryFile]) throws(ListingProblem) {
    guard RepositoryReference.isCommit(commit) else {
      throw ListingProblem(sentence: "the hub gives '\(commit.prefix(60))' as its commit, which is none")
    }
    guard files.count <= Self.limit else {
      throw ListingProblem(sentence: "the hub lists \(files.count) files; at most \(Self.limit) are read")
    }
    self.commit = commit
    self.files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    var (seen, folders): (Set<String>, Set<String>) = ([], [])
    for file in files {
      guard seen.insert(file.path).inserted else {
        throw ListingProblem(sentence: "the hub lists '\(file.path)' twice")
      }
      var folder = file.path[...]
      while let slash = folder.lastIndex(of: "/") {
        folder = folder[..<slash]
        folders.insert(String(folder))
      }
    }
    if let both = files.first(where: { folders.contains($0.path) }) {
      throw ListingProblem(sentence: "the hub lists '\(both.path)' both as a file and as a folder")
    }
  }

  /// The file at `path`; nil when there is none.
  public subscript(path: String) -> RepositoryFile? { files.first { $0.path == path } }

  /// What a cached listing holds, `trees/COMMIT.json`; nil when it cannot be read, for it is only a copy.
  init?(commit: String, json: JSONValue) {
    guard json["format_version"]?.integer == 1, let entries = json["files"]?.object else { return nil }
    let files = entries.compactMap { RepositoryFile(path: $0, json: $1) }
    guard files.count == entries.count, let listing = try? RepositoryListing(commit: commit, files: files) else {
      return nil
    }
    self = listing
  }

  /// The text of `trees/COMMIT.json`.
  var json: JSONValue {
    var entries = JSONObject()
    for file in files { entries[file.path] = file.json }
    var document = JSONObject()
    document["format_version"] = 1
    document["files"] = .object(entries)
    return .object(document)
  }
}

/// What is wrong with what a hub lists, in one sentence.
public struct ListingProblem: Error, Sendable, Equatable {
  /// The sentence.
  public let sentence: String
}
