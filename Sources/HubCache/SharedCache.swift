import Essentials
import Files

/// The cache of repositories that the Hugging Face tools share; nothing here speaks to a network.
///
///     ROOT/models--org--name/refs/main                 a commit
///                            snapshots/COMMIT/PATH     a link to ../../blobs/HASH
///                            blobs/HASH                the bytes
///                            trees/COMMIT.json         what the repository holds at the commit
///                            .no_exist/COMMIT/PATH     a file that it does not hold
///     ROOT/.locks/models--org--name/HASH.lock          held while the bytes arrive
///
/// Source: huggingface/hub-docs, `docs/hub/local-cache.md`; huggingface_hub 2.4, `file_download.py`, `_tree_cache.py`.
public struct SharedCache: Sendable {
  /// The cache's folder.
  public let root: String
  /// Whether snapshots hold copies instead of links.
  public let avoidsLinks: Bool

  /// The cache that `settings` name.
  public init(_ settings: HubSettings = HubSettings()) {
    root = settings.root
    avoidsLinks = settings.avoidsLinks
  }

  /// The folder of `repository`.
  public func folder(of repository: RepositoryName) -> String { root + "/" + repository.folder }

  /// The folder of the snapshot of `repository` at `commit`, there or not.
  public func snapshotFolder(of repository: RepositoryName, at commit: String) -> String {
    folder(of: repository) + "/snapshots/" + commit
  }

  /// The commit that `revision` of `repository` was when it was last fetched; nil when it never was.
  public func commit(of repository: RepositoryName, at revision: String? = nil) -> String? {
    let revision = revision ?? "main"
    if RepositoryReference.isCommit(revision) { return revision }
    guard RepositoryReference.isRevision(revision),
      let text = try? String(contentsOfFile: folder(of: repository) + "/refs/" + revision, encoding: .utf8)
    else { return nil }
    let commit = text.trimmed
    return RepositoryReference.isCommit(commit) ? commit : nil
  }

  /// The folder of `reference` as it was last fetched; nil when it was not.
  public func snapshot(of reference: RepositoryReference) -> String? {
    guard let commit = commit(of: reference.name, at: reference.revision) else { return nil }
    let folder = snapshotFolder(of: reference.name, at: commit)
    return kind(ofPath: folder) == .folder ? folder : nil
  }

  /// What `repository` holds at `commit`, where that was noted.
  public func listing(of repository: RepositoryName, at commit: String) -> RepositoryListing? {
    let path = folder(of: repository) + "/trees/\(commit).json"
    guard kind(ofPath: path) == .file, let json = try? JSONValue(contentsOf: path, limit: 64 << 20) else { return nil }
    return RepositoryListing(commit: commit, json: json)
  }

  /// Whether the bytes of `file` are in the cache, as far as their number tells.
  public func has(_ file: RepositoryFile, of repository: RepositoryName) -> Bool {
    size(ofFile: folder(of: repository) + "/blobs/" + file.hash) == file.size
  }

  /// Bytes of `files` that are not in the cache, those of unfinished downloads counted as here.
  public func missingBytes(_ files: [RepositoryFile], of repository: RepositoryName) -> Int {
    let folder = folder(of: repository) + "/blobs"
    let partials = ((try? namesInFolder(folder)) ?? []).filter { $0.hasSuffix(".incomplete") }
    var seen: Set<String> = []
    return files.filter { seen.insert($0.hash).inserted && !has($0, of: repository) }.reduce(0) { sum, file in
      let arrived =
        partials.filter { $0.hasPrefix(file.hash) }.compactMap { size(ofFile: folder + "/" + $0) }.max() ?? 0
      return sum + max(0, file.size - arrived)
    }
  }

  /// Whether `file` is in the snapshot at `commit`, as far as its size tells.
  public func isInSnapshot(_ file: RepositoryFile, of repository: RepositoryName, at commit: String) -> Bool {
    size(ofFile: snapshotFolder(of: repository, at: commit) + "/" + file.path) == file.size
  }
}

/// The size of the regular file at `path`, links followed; nil when there is none.
public func size(ofFile path: String) -> Int? {
  var status = stat()
  guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
  return Int(status.st_size)
}
