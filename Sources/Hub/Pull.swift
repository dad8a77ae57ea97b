import Files
import Foundation
import HubCache

/// Brings files of a repository into the cache that the Hugging Face tools share.
public struct Pull {
  private let client: HubClient
  private let cache: SharedCache

  /// How many files are fetched at once: a few, for one connection seldom fills the line, and many only share it.
  private static let together = 4

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
    let ordered = files.sorted { ($0.size, $0.path) < ($1.size, $1.path) }
    var hashes: Set<String> = []
    let distinct = ordered.filter { hashes.insert($0.hash).inserted }
    let (client, cache, commit) = (client, cache, listing.commit)
    let fetch: @Sendable (RepositoryFile) async throws -> Void = { file in
      try await BlobDownload(
        client: client, cache: cache, repository: repository, commit: commit, file: file, progress: progress
      ).run()
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (place, file) in distinct.enumerated() {
        // The first that fails ends the others; what has arrived of them is kept.
        if place >= Self.together { try await group.next() }
        group.addTask { try await fetch(file) }
      }
      try await group.waitForAll()
    }
    // What has the bytes of another file is there by now.
    let paths = Set(distinct.map(\.path))
    for file in ordered where !paths.contains(file.path) { try await fetch(file) }
    try cache.place(files, absent: absent, of: repository, at: listing.commit, as: revision ?? "main")
    return cache.snapshotFolder(of: repository, at: listing.commit)
  }

  private func checkSpace(_ repository: RepositoryName, _ files: [RepositoryFile]) throws {
    let missing = cache.missingBytes(files, of: repository)
    guard missing > 0, let free = cache.freeBytes, free < missing else { return }
    throw HubProblem.space(needed: missing, free: free, place: cache.root)
  }
}
