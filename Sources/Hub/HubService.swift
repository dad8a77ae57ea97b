import Files
import HubCache

/// Does what `chimera` asks of `chimera-net`.
public struct HubService: Sendable {
  private let client: HubClient
  private let cache: SharedCache
  private let isLive: Bool
  private let isHidden: Bool

  /// What asks with `client`, and keeps what it gets where `settings` say.
  public init(_ client: HubClient, _ settings: HubSettings, isLive: Bool) {
    self.client = client
    cache = SharedCache(settings)
    self.isLive = isLive
    isHidden = settings.hidesProgress
  }

  /// The result of `request`. Throws `HubProblem` and `FileProblem`.
  public func answer(_ request: NetworkRequest) async throws -> JSONValue {
    switch request {
    case .preview(let reference, let file, let folder):
      return try await Preview(client, cache: cache).look(at: reference, file: file, into: folder).json
    case .fetch(let reference, let commit, let paths, let absent):
      return try await fetch(reference, commit, paths, absent)
    case .push(let reference, let folder, let paths, let message, let options):
      let progress = TransferProgress(total: 0, isLive: isLive, isHidden: isHidden)
      return try await Push(client, progress: progress)
        .run(reference, folder: folder, paths: paths, message: message, options: options)
    }
  }

  private func fetch(_ reference: RepositoryReference, _ commit: String, _ paths: [String], _ absent: [String])
    async throws
    -> JSONValue
  {
    let name = reference.name
    let known = cache.listing(of: name, at: commit)
    let listing: RepositoryListing =
      if let known { known } else { try await client.listing(of: name, at: commit) }
    let files = try paths.map { path in
      guard let file = listing[path] else { throw HubProblem.noFile(name, path: path) }
      return file
    }
    let missing = cache.missingBytes(files, of: name)
    let progress = TransferProgress(
      total: files.reduce(0) { $0 + $1.size }, isLive: isLive, isHidden: isHidden || missing == 0)
    defer { progress.finish() }
    let folder = try await Pull(client, into: cache).run(
      name, files, of: listing, absent: absent, as: reference.revision, progress: progress)
    return ["folder": .string(folder), "commit": .string(commit), "fetched_bytes": .integer(missing)]
  }
}
