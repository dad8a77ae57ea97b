import Essentials
import Files

/// What hashing a snapshot's files found.
public struct CacheVerification: Sendable {
  /// A file that is not what the repository holds.
  public struct Damage: Sendable, Equatable {
    /// Its path in the snapshot.
    public let path: String
    /// What is wrong, in one sentence.
    public let sentence: String
  }

  /// The commit.
  public let commit: String
  /// How many files were hashed.
  public let checkedCount: Int
  /// Those that are not what they should be.
  public let damages: [Damage]
  /// Files of the snapshot whose hash nobody noted.
  public let unknownPaths: [String]
  /// How many files of the repository are not in the snapshot, where that is known; they may not have been wanted.
  public let absentCount: Int?
}

extension SharedCache {
  /// Hashes every file of `repository` at `commit`, and compares: with the listing of the repository, where that was
  /// noted, else with the name of the bytes in the cache, which is their hash.
  ///
  /// With `removing`, damaged bytes are removed with their links, so that the next fetch brings them anew.
  public func verify(
    _ repository: RepositoryName, at commit: String, removing: Bool = false, progress: (String) -> Void = { _ in }
  ) throws(FileProblem) -> CacheVerification {
    let snapshot = snapshotFolder(of: repository, at: commit)
    let listing = listing(of: repository, at: commit)
    let expected = Dictionary((listing?.files ?? []).map { ($0.path, $0.hash) }) { first, _ in first }
    var (damages, unknown, checked) = ([CacheVerification.Damage](), [String](), 0)
    let paths = Self.files(under: snapshot)
    for path in paths {
      progress(path)
      let file = snapshot + "/" + path
      let blob = (try? FileManager.default.destinationOfSymbolicLink(atPath: file))
        .flatMap { $0.split(separator: "/").last.map(String.init) }
      var damage: String?
      if kind(ofPath: file) == .nothing {
        damage = "its bytes are gone"
      } else if let hash = expected[path] ?? blob, [40, 64].contains(hash.utf8.count), hash.isLowercaseHexadecimal {
        checked += 1
        let found = try Self.hash(ofFile: file, like: hash)
        if found != hash { damage = "it hashes to \(found), not to \(hash)" }
      } else {
        unknown.append(path)
      }
      guard let damage else { continue }
      damages.append(CacheVerification.Damage(path: path, sentence: damage))
      guard removing else { continue }
      try removeFile(file)
      if let blob { try removeFile(folder(of: repository) + "/blobs/" + blob) }
    }
    let present = Set(paths)
    return CacheVerification(
      commit: commit, checkedCount: checked, damages: damages, unknownPaths: unknown,
      absentCount: listing.map { $0.files.count { !present.contains($0.path) } })
  }

  /// The hash of the file at `path`, of the kind that `hash` is: SHA-256, or git's SHA-1 of a blob.
  public static func hash(ofFile path: String, like hash: String) throws(FileProblem) -> String {
    let file = try MappedFile(path: path)
    return withExtendedLifetime(file) {
      var digest = BlobHash(like: hash, size: file.bytes.count)
      for start in stride(from: 0, to: file.bytes.count, by: 8 << 20) {
        let end = min(file.bytes.count, start + 8 << 20)
        digest.update(UnsafeRawBufferPointer(rebasing: file.bytes[start..<end]))
        file.adviseUnneeded(start..<end)
      }
      return digest.hexadecimal()
    }
  }
}

/// The hash by which a hub names bytes, taken while they come.
public enum BlobHash: Sendable {
  case sha256(SHA256)
  case git(SHA1)

  /// The hash of the kind that `hash` is, of `size` bytes that are still to come.
  public init(like hash: String, size: Int) {
    self = hash.utf8.count == 64 ? .sha256(SHA256()) : .git(SHA1(gitBlobOfSize: size))
  }

  /// Takes `bytes` in.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    switch self {
    case .sha256(var hash):
      self = .git(SHA1())
      hash.update(bytes)
      self = .sha256(hash)
    case .git(var hash):
      self = .git(SHA1())
      hash.update(bytes)
      self = .git(hash)
    }
  }

  /// The hash of everything taken in, in hexadecimal digits.
  public func hexadecimal() -> String {
    switch self {
    case .sha256(let hash): hash.hexadecimal()
    case .git(let hash): hash.hexadecimal()
    }
  }
}
