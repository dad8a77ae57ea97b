import Files

/// What `chimera` asks of its sibling program `chimera-net`, one JSON document on standard input; and what comes back on
/// standard output. Notes, progress and errors go to standard error, with the exit status of the command line's contract.
public enum NetworkRequest: Sendable {
  /// List a repository, and put what says how its model is wired into `folder`: its configuration and the headers of its
  /// weights, in files as long as the real ones that hold nothing else. `file` is a GGUF file instead of safetensors.
  case preview(RepositoryReference, file: String?, folder: String)
  /// Fetch files of a repository at a commit, to be found under `revision`.
  case fetch(RepositoryReference, commit: String, paths: [String], absent: [String])
  /// Put the files of a folder into a repository, in one commit.
  case push(RepositoryReference, folder: String, paths: [String], message: String, options: PushOptions)

  /// How a folder is pushed.
  public struct PushOptions: Sendable {
    /// Make it private where it is made.
    public var isPrivate = false
    /// Propose it instead of changing the branch.
    public var makesProposal = false
    /// Send nothing.
    public var isDryRun = false

    /// Changes the branch of a public repository.
    public init() {}
  }

  /// The document.
  public var json: JSONValue {
    var object = JSONObject()
    func name(_ verb: String, _ reference: RepositoryReference) {
      object["verb"] = .string(verb)
      object["repository"] = .string(reference.name.description)
      object["revision"] = reference.revision.map { .string($0) } ?? .null
    }
    switch self {
    case .preview(let reference, let file, let folder):
      name("preview", reference)
      object["file"] = file.map { .string($0) } ?? .null
      object["folder"] = .string(folder)
    case .fetch(let reference, let commit, let paths, let absent):
      name("fetch", reference)
      object["commit"] = .string(commit)
      object["paths"] = .array(paths.map { .string($0) })
      object["absent"] = .array(absent.map { .string($0) })
    case .push(let reference, let folder, let paths, let message, let options):
      name("push", reference)
      object["folder"] = .string(folder)
      object["paths"] = .array(paths.map { .string($0) })
      object["message"] = .string(message)
      object["private"] = .bool(options.isPrivate)
      object["proposal"] = .bool(options.makesProposal)
      object["dry_run"] = .bool(options.isDryRun)
    }
    return .object(object)
  }

  /// The request that `json` is; nil when it is none.
  public init?(_ json: JSONValue) {
    guard let name = json["repository"]?.string.flatMap({ RepositoryName($0) }) else { return nil }
    let revision = json["revision"]?.string
    guard revision.map(RepositoryReference.isRevision) ?? true else { return nil }
    let reference = RepositoryReference(name, at: revision)
    func texts(_ key: String) -> [String] { json[key]?.array?.compactMap(\.string) ?? [] }
    switch json["verb"]?.string {
    case "preview":
      guard let folder = json["folder"]?.string else { return nil }
      self = .preview(reference, file: json["file"]?.string, folder: folder)
    case "fetch":
      guard let commit = json["commit"]?.string, RepositoryReference.isCommit(commit) else { return nil }
      self = .fetch(reference, commit: commit, paths: texts("paths"), absent: texts("absent"))
    case "push":
      guard let folder = json["folder"]?.string else { return nil }
      var options = PushOptions()
      options.isPrivate = json["private"]?.bool ?? false
      options.makesProposal = json["proposal"]?.bool ?? false
      options.isDryRun = json["dry_run"]?.bool ?? true
      self = .push(
        reference, folder: folder, paths: texts("paths"), message: json["message"]?.string ?? "", options: options)
    default: return nil
    }
  }
}

/// What is known of a model in a repository before any weight is fetched.
public struct RepositoryPreview: Sendable {
  /// The commit.
  public let commit: String
  /// The revision that it is to be found under: a branch that means the commit, where there is one.
  public let revision: String?
  /// The files that make up the model.
  public let files: [RepositoryFile]
  /// Those of them that hold its weights.
  public let weightPaths: [String]
  /// Optional files that the repository does not have.
  public let absent: [String]
  /// How many files the repository has in all.
  public let fileCount: Int
  /// Bytes that were read to know this.
  public let readBytes: Int
  /// Whether the folder holds a configuration and headers that can be looked at.
  public let hasHeaders: Bool

  /// What is known.
  public init(
    commit: String, revision: String?, files: [RepositoryFile], weightPaths: [String], absent: [String], fileCount: Int,
    readBytes: Int, hasHeaders: Bool
  ) {
    self.commit = commit
    self.revision = revision
    self.files = files
    self.weightPaths = weightPaths
    self.absent = absent
    self.fileCount = fileCount
    self.readBytes = readBytes
    self.hasHeaders = hasHeaders
  }

  /// Bytes of the files.
  public var bytes: Int { files.reduce(0) { $0 + $1.size } }

  /// The document.
  public var json: JSONValue {
    var object = JSONObject()
    object["commit"] = .string(commit)
    object["revision"] = revision.map { .string($0) } ?? .null
    object["files"] = .array(
      files.map { file in
        [
          "path": .string(file.path), "size": .integer(file.size), "hash": .string(file.hash),
          "git": .string(file.gitHash),
        ]
      })
    object["weights"] = .array(weightPaths.map { .string($0) })
    object["absent"] = .array(absent.map { .string($0) })
    object["file_count"] = .integer(fileCount)
    object["read_bytes"] = .integer(readBytes)
    object["has_headers"] = .bool(hasHeaders)
    return .object(object)
  }

  /// What `json` says; nil when it is no such document.
  public init?(_ json: JSONValue) {
    guard let commit = json["commit"]?.string, RepositoryReference.isCommit(commit), let entries = json["files"]?.array,
      let count = json["file_count"]?.integer, let read = json["read_bytes"]?.integer
    else { return nil }
    let files = entries.compactMap { entry -> RepositoryFile? in
      guard let path = entry["path"]?.string, let size = entry["size"]?.integer, let hash = entry["hash"]?.string,
        let git = entry["git"]?.string
      else { return nil }
      return RepositoryFile(path: path, size: size, hash: hash, gitHash: git)
    }
    guard files.count == entries.count else { return nil }
    self.init(
      commit: commit, revision: json["revision"]?.string, files: files,
      weightPaths: json["weights"]?.array?.compactMap(\.string) ?? [],
      absent: json["absent"]?.array?.compactMap(\.string) ?? [], fileCount: count, readBytes: read,
      hasHeaders: json["has_headers"]?.bool ?? false)
  }
}
