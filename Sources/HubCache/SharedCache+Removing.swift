import Essentials
import Files

/// What of a repository in the cache is removed, and what that frees.
public struct CacheRemoval: Sendable {
  /// The repository.
  public let repository: CachedRepository
  /// The commits whose snapshots go; nil for all that is there.
  public let commits: [String]?
  /// The paths of what goes with them, references first.
  let paths: [String]
  /// Bytes that are free afterwards.
  public let bytes: Int
}

extension SharedCache {
  /// What `remove` would take away of `repository`: all of it, or the snapshot that `revision` means (a branch, or a
  /// commit or the beginning of one), with the bytes that no other snapshot shows.
  /// Throws when it is not there.
  public func removal(of repository: RepositoryName, at revision: String?) throws(FileProblem) -> CacheRemoval {
    guard let cached = try contents(of: repository) else {
      throw FileProblem(path: root, sentence: "the cache has no '\(repository)'", cause: .missing)
    }
    let found = revision.map { revision in
      cached.snapshots.filter { snapshot in
        snapshot.references.contains(revision)
          || revision.utf8.count >= 6 && revision.isLowercaseHexadecimal && snapshot.commit.hasPrefix(revision)
      }
    }
    if let revision, let found, found.count != 1 {
      let known = cached.snapshots.map { ($0.references + [String($0.commit.prefix(12))]).joined(separator: " = ") }
      throw FileProblem(
        path: cached.path,
        sentence: found.isEmpty
          ? "the cache has no revision '\(revision)' of '\(repository)'"
            + (known.isEmpty ? "" : "; it has \(known.joined(separator: ", "))")
          : "'\(revision)' means several snapshots: \(found.map(\.commit).joined(separator: ", "))", cause: .missing)
    }
    guard let snapshot = found?.first, cached.snapshots.count > 1 else {
      return CacheRemoval(repository: cached, commits: nil, paths: [cached.path], bytes: cached.bytes)
    }
    let path = cached.path
    func blobs(_ commit: String) -> Set<String> {
      let folder = "\(path)/snapshots/\(commit)"
      return Set(
        Self.files(under: folder).compactMap { file -> String? in
          guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + file),
            let name = target.split(separator: "/").last
          else { return nil }
          return String(name)
        })
    }
    let others = cached.snapshots.filter { $0.commit != snapshot.commit }
    let unshared = blobs(snapshot.commit).subtracting(others.flatMap { blobs($0.commit) }).sorted()
    let blobPaths = unshared.map { path + "/blobs/" + $0 }.filter { kind(ofPath: $0) != .nothing }
    return CacheRemoval(
      repository: cached, commits: [snapshot.commit],
      paths: snapshot.references.map { path + "/refs/" + $0 }
        + ["\(path)/snapshots/\(snapshot.commit)", "\(path)/.no_exist/\(snapshot.commit)"]
        + ["\(path)/trees/\(snapshot.commit).json"] + blobPaths,
      bytes: blobPaths.reduce(0) { $0 + (size(ofFile: $1) ?? 0) })
  }

  /// Carries `removal` out. Throws when a fetch of the repository is going on, or the system cannot.
  public func remove(_ removal: CacheRemoval) throws {
    guard let name = RepositoryName(removal.repository.name) else { return }
    guard let lock = try CacheLock(path: repositoryLockPath(name), waits: false) else {
      throw FileProblem(
        path: removal.repository.path, sentence: "'\(name)' is being fetched just now; try again afterwards",
        cause: .system)
    }
    try withExtendedLifetime(lock) {
      for path in removal.paths {
        var status = stat()
        guard lstat(path, &status) == 0 else { continue }
        if status.st_mode & S_IFMT == S_IFDIR {
          // Out of sight at once: a reader sees all of it or nothing.
          let aside = path + ".\(getpid()).removed"
          try renameItem(path, to: aside)
          try removeFolder(aside)
        } else {
          try removeFile(path)
        }
      }
      if removal.commits == nil { try removeFolder("\(root)/.locks/\(name.folder)") }
    }
  }
}
