import Essentials
import Files

/// A repository in the cache, and what it takes on the disk.
public struct CachedRepository: Sendable {
  /// A snapshot of it.
  public struct Snapshot: Sendable {
    /// The commit.
    public let commit: String
    /// The branches and tags that mean it.
    public let references: [String]
    /// How many files it holds.
    public let fileCount: Int
    /// Their bytes, each once.
    public let bytes: Int
    /// Links whose bytes are gone.
    public let danglingPaths: [String]
  }

  /// `model`, `dataset`, `space` or `kernel`.
  public let kind: String
  /// The repository.
  public let name: String
  /// Its folder.
  public let path: String
  /// Its snapshots, by commit.
  public let snapshots: [Snapshot]
  /// The bytes of all that is in it, each once; unfinished downloads too.
  public let bytes: Int
  /// The bytes of unfinished downloads.
  public let unfinishedBytes: Int
  /// When it was last written to, in seconds since 1970.
  public let modified: Int
}

extension SharedCache {
  private static let kinds = ["models": "model", "datasets": "dataset", "spaces": "space", "kernels": "kernel"]

  /// What is in the cache, by name; nothing where there is no cache. Throws when its folder cannot be read.
  public func repositories() throws(FileProblem) -> [CachedRepository] {
    guard kind(ofPath: root) == .folder else { return [] }
    var list: [CachedRepository] = []
    for name in try namesInFolder(root) {
      guard let border = name.firstRange(of: "--"), let kind = Self.kinds[String(name[..<border.lowerBound])],
        Files.kind(ofPath: root + "/" + name) == .folder
      else { continue }
      let repository = String(name[border.upperBound...].replacing("--", with: "/"))
      list.append(try contents(of: root + "/" + name, kind: kind, name: repository))
    }
    return list.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// What the cache has of `repository`; nil when it has nothing.
  public func contents(of repository: RepositoryName) throws(FileProblem) -> CachedRepository? {
    let path = folder(of: repository)
    guard kind(ofPath: path) == .folder else { return nil }
    return try contents(of: path, kind: "model", name: repository.description)
  }

  private func contents(of path: String, kind: String, name: String) throws(FileProblem) -> CachedRepository {
    var references: [String: [String]] = [:]
    for file in Self.files(under: path + "/refs") {
      guard let text = try? String(contentsOfFile: path + "/refs/" + file, encoding: .utf8) else { continue }
      references[text.trimmed, default: []].append(file)
    }
    var (sizes, modified, unfinished) = ([String: Int](), 0, 0)
    func count(_ file: String) -> Int? {
      guard let stamp = FileStamp(path: file) else { return nil }
      // One file may have several names; it is counted once.
      sizes[stamp.identity] = stamp.size
      modified = max(modified, stamp.written / 1_000_000_000)
      return stamp.size
    }
    var snapshots: [CachedRepository.Snapshot] = []
    let commits = Files.kind(ofPath: path + "/snapshots") == .folder ? try namesInFolder(path + "/snapshots") : []
    for commit in commits where Files.kind(ofPath: path + "/snapshots/" + commit) == .folder {
      var (own, dangling, files) = ([String: Int](), [String](), 0)
      for file in Self.files(under: path + "/snapshots/" + commit) {
        files += 1
        let real = URL(fileURLWithPath: "\(path)/snapshots/\(commit)/\(file)").resolvingSymlinksInPath().path
        if let size = count(real) { own[real] = size } else { dangling.append(file) }
      }
      snapshots.append(
        CachedRepository.Snapshot(
          commit: commit, references: references[commit, default: []].sorted(), fileCount: files,
          bytes: own.values.reduce(0, +), danglingPaths: dangling))
    }
    for blob in Files.kind(ofPath: path + "/blobs") == .folder ? try namesInFolder(path + "/blobs") : [] {
      let size = count(path + "/blobs/" + blob) ?? 0
      if blob.hasSuffix(".incomplete") { unfinished += size }
    }
    return CachedRepository(
      kind: kind, name: name, path: path, snapshots: snapshots, bytes: sizes.values.reduce(0, +),
      unfinishedBytes: unfinished, modified: modified)
  }

  /// The paths of the files and links under `folder`, relative to it, sorted; no link to a folder is followed.
  static func files(under folder: String) -> [String] {
    var (found, waiting) = ([String](), [""])
    while let prefix = waiting.popLast() {
      for name in (try? namesInFolder(folder + "/" + prefix)) ?? [] {
        var status = stat()
        guard lstat(folder + "/" + prefix + name, &status) == 0 else { continue }
        if status.st_mode & S_IFMT == S_IFDIR {
          waiting.append(prefix + name + "/")
        } else {
          found.append(prefix + name)
        }
      }
    }
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
