import Files
import Foundation
import HubCache

/// Brings files of a repository into the cache that the Hugging Face tools share.
public struct Pull {
  private let client: HubClient
  private let cache: SharedCache

  /// What brings files from `client`'s hub into `cache`.
  public init(_ client: HubClient, into cache: SharedCache) {
    self.client = client
    self.cache = cache
  }

  /// Fetches `files` of `repository` at the commit of `listing`, and shows them under `revision`; gives the snapshot's
  /// folder.
  ///
  /// Space is looked at first, with what has arrived already. All bytes come before any link: a reader of the cache sees
  /// the files together, or what was there before. Files at `absent` are noted as not being in the repository.
  public func run(
    _ repository: RepositoryName, _ files: [RepositoryFile], of listing: RepositoryListing, absent: [String],
    as revision: String?, progress: any TransferListener
  ) async throws -> String {
    try cache.prepare(repository)
    guard let lock = try CacheLock(path: cache.repositoryLockPath(repository), isShared: true) else {
      throw HubProblem.usage("'\(repository)' is being removed just now")
    }
    defer { withExtendedLifetime(lock) {} }
    try checkSpace(repository, files)
    try? cache.note(listing, of: repository)
    // Small ones first: what a family needs to be known comes before the weights.
    for file in files.sorted(by: { ($0.size, $0.path) < ($1.size, $1.path) }) {
      try await BlobDownload(
        client: client, cache: cache, repository: repository, commit: listing.commit, file: file, progress: progress
      ).run()
    }
    try cache.place(files, absent: absent, of: repository, at: listing.commit, as: revision ?? "main")
    return cache.snapshotFolder(of: repository, at: listing.commit)
  }

  private func checkSpace(_ repository: RepositoryName, _ files: [RepositoryFile]) throws {
    let missing = cache.missingBytes(files, of: repository)
    guard missing > 0, let free = cache.freeBytes, free < missing else { return }
    throw HubProblem.space(needed: missing, free: free, place: cache.root)
  }
}
