import Files
import Foundation
import HubCache

/// Looks at a model in a repository by reading little of it: the list of its files, its configuration, and the headers of
/// its weights, which say every tensor's name, type and shape.
public struct Preview {
  private let client: HubClient
  private let cache: SharedCache
  /// Read at first of a file of weights: the headers of most files are shorter.
  private static let firstPart = 32 << 10
  private static let longestHeader = 25_000_000

  /// What looks at `client`'s hub; `cache` may know what a commit holds.
  public init(_ client: HubClient, cache: SharedCache) {
    self.client = client
    self.cache = cache
  }

  /// What `reference` is; its configuration and the headers of its weights are put into `folder`.
  public func look(at reference: RepositoryReference, file: String?, into folder: String) async throws
    -> RepositoryPreview
  {
    let name = reference.name
    let commit = try await client.commit(of: name, at: reference.revision)
    var revision = reference.revision
    // A commit that the main branch means is found by both afterwards.
    if reference.revision == commit {
      revision = try? await client.commit(of: name, at: nil) == commit ? "main" : commit
    }
    let known = cache.listing(of: name, at: commit)
    let listing: RepositoryListing =
      if let known { known } else { try await client.listing(of: name, at: commit) }
    let (companions, absent) = ModelFiles.companions(in: listing)
    if let container = try container(file, of: name, in: listing) {
      return RepositoryPreview(
        commit: commit, revision: revision, files: [container], weightPaths: [container.path], absent: [],
        fileCount: listing.files.count, readBytes: client.meter.value, hasHeaders: false)
    }
    var index: JSONValue?
    if let file = listing[ModelFiles.index] {
      let bytes = try await write(file, of: name, at: commit, into: folder)
      index = try bytes.withUnsafeBytes { try JSONValue(parsing: $0, name: file.path) }
    }
    let weights: [RepositoryFile]
    do throws(ListingProblem) { weights = try ModelFiles.weights(in: listing, index: index) } catch {
      throw HubProblem.nonsense("'\(name)': \(error.sentence)")
    }
    let small = [ModelFiles.configuration, "generation_config.json"].compactMap { listing[$0] }
    for file in small { _ = try await write(file, of: name, at: commit, into: folder) }
    for file in weights { try await writeHeader(file, of: name, at: commit, into: folder) }
    let indexFile = listing[ModelFiles.index].map { [$0] } ?? []
    return RepositoryPreview(
      commit: commit, revision: revision, files: companions + indexFile + weights, weightPaths: weights.map(\.path),
      absent: absent, fileCount: listing.files.count, readBytes: client.meter.value,
      hasHeaders: listing[ModelFiles.configuration] != nil)
  }

  /// The GGUF file that is meant: the one that was named, or the only one of a repository that has nothing else.
  private func container(_ file: String?, of name: RepositoryName, in listing: RepositoryListing) throws
    -> RepositoryFile?
  {
    if let file {
      guard let found = listing[file] else {
        let there = ModelFiles.containers(in: listing).prefix(20).map(\.path)
        throw HubProblem.usage(
          "'\(name)' has no file '\(file)'" + (there.isEmpty ? "" : "; it has \(there.joined(separator: ", "))"))
      }
      guard file.lowercased().hasSuffix(".gguf") else {
        throw HubProblem.usage("--file takes a GGUF file, a model by itself; the others of a model come together")
      }
      return found
    }
    guard listing[ModelFiles.index] == nil, listing[ModelFiles.single] == nil else { return nil }
    let all = ModelFiles.containers(in: listing)
    if all.count > 1 {
      throw HubProblem.usage(
        "'\(name)' has several GGUF files; name one with --file: \(all.prefix(20).map(\.path).joined(separator: ", "))")
    }
    return all.first
  }

  private func write(_ file: RepositoryFile, of name: RepositoryName, at commit: String, into folder: String)
    async throws
    -> [UInt8]
  {
    let bytes = try await client.content(of: file, in: name, at: commit, limit: Self.longestHeader)
    try writeAtomically(to: folder + "/" + file.path) { try $0.write(bytes) }
    return bytes
  }

  /// Writes the header of a safetensors file into a file of its length, the rest of which takes no space.
  private func writeHeader(_ file: RepositoryFile, of name: RepositoryName, at commit: String, into folder: String)
    async throws
  {
    guard file.size >= 8 else {
      throw HubProblem.nonsense("'\(file.path)' has \(file.size) bytes, which is too short for safetensors")
    }
    var bytes = try await client.part(0..<Self.firstPart, of: file, in: name, at: commit)
    let length = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= UInt64(Self.longestHeader), Int(length) + 8 <= file.size else {
      throw HubProblem.nonsense("'\(file.path)' claims a header of \(length) bytes, which is no safetensors")
    }
    let end = 8 + Int(length)
    if bytes.count < end { bytes += try await client.part(bytes.count..<end, of: file, in: name, at: commit) }
    let path = folder + "/" + file.path
    try writeAtomically(to: path) { try $0.write(Array(bytes.prefix(end))) }
    guard truncate(path, off_t(file.size)) == 0 else {
      throw FileProblem(
        path: path,
        sentence: "cannot make a file of \(file.size) bytes without content: \(String(cString: strerror(errno)))",
        cause: .system)
    }
  }
}
