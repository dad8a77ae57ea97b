import Files
import Foundation
import HubCache

/// Brings the bytes of one file into the cache: whole and of the right hash, or not at all.
///
/// What a broken connection leaves is kept and gone on with, by this process or a later one.
struct BlobDownload {
  let client: HubClient
  let cache: SharedCache
  let repository: RepositoryName
  let commit: String
  let file: RepositoryFile
  let progress: any TransferListener

  private var blob: String { cache.folder(of: repository) + "/blobs/" + file.hash }

  /// Fetches what is missing.
  func run() async throws {
    let lock = try await lock()
    defer { withExtendedLifetime(lock) {} }
    if cache.has(file, of: repository) { return progress.received(file.size, of: file) }
    // Bytes of another length under this name are damaged, and a link may lead to nothing.
    try removeFile(blob)
    let partial = try PartialFile(
      for: file, in: cache.folder(of: repository) + "/blobs", continues: lock.isHeld)
    progress.received(partial.count, of: file)
    var restarts = 0
    while true {
      try await fill(partial)
      let found = partial.hash.hexadecimal()
      if found == file.hash { return try partial.finish(as: blob) }
      let mayBeOld = partial.isPieced
      progress.received(-partial.count, of: file)
      guard mayBeOld, restarts == 0 else {
        partial.discard()
        throw HubProblem.damaged(path: file.path, why: "its hash is \(found), not \(file.hash)")
      }
      // The pieces do not go together; once more in one.
      restarts += 1
      try partial.restart()
    }
  }

  private func lock() async throws -> CacheLock {
    var told = false
    while true {
      if let lock = try CacheLock(path: cache.lockPath(file.hash, of: repository), waits: false) { return lock }
      if !told { progress.note("another process fetches \(file.path); waiting for it") }
      told = true
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  /// Receives until the file is as long as it should be.
  private func fill(_ partial: PartialFile) async throws {
    var failures = 0
    while partial.count < file.size {
      let before = partial.count
      var (why, busy): (String, HubProblem?) = ("the connection was cut", nil)
      do {
        busy = try await receive(partial, failures)
      } catch let problem as TransportProblem {
        guard problem.isPassing else {
          throw HubProblem.unreachable(client.origin.origin, why: problem.sentence)
        }
        why = problem.sentence
      }
      if partial.count >= file.size { return }
      // What moves on is not given up; what only drips is, in the end.
      let gained = partial.count - before
      failures = gained >= 1 << 20 || gained * 50 >= file.size && gained > 0 ? 1 : failures + 1
      if failures >= HubClient.attempts {
        throw busy
          ?? .unreachable(
            client.origin.origin,
            why: partial.count == 0
              ? why
              : "\(why); \(HubProblem.text(partial.count)) of \(HubProblem.text(file.size)) of \(file.path) are kept, "
                + "and the same command continues")
      }
      try await client.pause(HubClient.delay(failures))
    }
  }

  /// One request and what comes of it; a problem when the hub has too much to do.
  private func receive(_ partial: PartialFile, _ failures: Int) async throws -> HubProblem? {
    let start = partial.count
    var request = Request("GET", try client.address(of: file, in: repository, at: commit))
    if start > 0 { request.fields.append(("Range", "bytes=\(start)-")) }
    let (response, from) = try await client.open(request)
    switch response.status {
    case 200:
      // The whole file, whatever was asked for.
      if start > 0 { try restart(partial) }
      if let count = response["Content-Length"].flatMap({ Int($0) }), count != file.size {
        throw HubProblem.damaged(
          path: file.path, why: "\(from.host) sends \(count) bytes of it, and the repository has \(file.size)")
      }
    case 206:
      let range = ContentRange(response)
      guard let range, range.first == start, range.total ?? file.size == file.size else {
        try restart(partial)
        throw TransportProblem("\(from.host) sent another part than was asked for")
      }
      partial.willContinue()
    case 416:
      try restart(partial)
      throw TransportProblem("\(from.host) has no such part (416)")
    case let status where HubClient.isPassing(status):
      try await client.wait(for: response, failures)
      return .busy(status: status, seconds: HubClient.wait(response))
    case let status where from.origin != client.origin.origin && [401, 403, 404, 410].contains(status):
      // An address of storage holds for a while only; the hub gives a new one.
      throw TransportProblem("\(from.host) answered \(status)")
    default:
      throw await client.problem(response, file.path, of: repository, revision: commit)
    }
    if let coding = response["Content-Encoding"], coding.lowercased() != "identity" {
      throw HubProblem.nonsense(
        "\(from.host) sends \(file.path) encoded as \(coding.prefix(20)), which was not asked for")
    }
    while let piece = try await response.next() {
      guard partial.count + piece.count <= file.size else {
        progress.received(-partial.count, of: file)
        partial.discard()
        throw HubProblem.damaged(
          path: file.path, why: "\(from.host) sends more than its \(file.size) bytes")
      }
      do { try partial.append(piece) } catch let problem as FileProblem {
        throw FileProblem(
          path: problem.path,
          sentence: "\(problem.sentence); what has arrived is kept, and the same command continues", cause: .system)
      }
      progress.received(piece.count, of: file)
    }
    return nil
  }

  private func restart(_ partial: PartialFile) throws {
    progress.received(-partial.count, of: file)
    try partial.restart()
  }
}

/// Is told how a transfer goes.
public protocol TransferListener: Sendable {
  /// `bytes` more of a file are here; fewer where it begins anew.
  func received(_ bytes: Int, of file: RepositoryFile)
  /// Something a person should know.
  func note(_ sentence: String)
}
