import Files
import HubCache

extension HubClient {
  /// The commit that `revision` of `repository` is now; the main branch's where it is nil.
  public func commit(of repository: RepositoryName, at revision: String?) async throws -> String {
    let revision = revision ?? "main"
    let address = try address("/api/models/\(repository)/revision/\(Address.quoted(revision))")
    let (json, _) = try await json(
      Request("GET", address), for: "'\(repository)'", of: repository, revision: revision)
    guard let commit = json["sha"]?.string, RepositoryReference.isCommit(commit) else {
      throw HubProblem.nonsense("the hub gives no commit for '\(repository)'")
    }
    return commit
  }

  /// Every file of `repository` at `commit`, page by page.
  public func listing(of repository: RepositoryName, at commit: String) async throws -> RepositoryListing {
    var next: Address? = try address("/api/models/\(repository)/tree/\(commit)?recursive=true&expand=false")
    var (files, pages): ([RepositoryFile], Set<Address>) = ([], [])
    while let page = next {
      guard pages.insert(page).inserted, pages.count <= 1000 else {
        throw HubProblem.nonsense("the hub's list of files leads in a circle")
      }
      let (json, response) = try await json(
        Request("GET", page), for: "the list of files of '\(repository)'", of: repository, revision: commit)
      guard let items = json.array else { throw HubProblem.nonsense("the hub's list of files is \(json.kind)") }
      for item in items where item["type"]?.string != "directory" { files.append(try file(item)) }
      guard files.count <= RepositoryListing.limit else {
        throw HubProblem.nonsense("the hub lists more than \(RepositoryListing.limit) files")
      }
      next = try following(response, of: page)
    }
    do throws(ListingProblem) { return try RepositoryListing(commit: commit, files: files) } catch {
      throw HubProblem.nonsense(error.sentence)
    }
  }

  private func file(_ item: JSONValue) throws -> RepositoryFile {
    guard let path = item["path"]?.string, let git = item["oid"]?.string else {
      throw HubProblem.nonsense("the hub's list of files has an entry without a path or a hash")
    }
    let lfs = item["lfs"].flatMap { $0.isNull ? nil : $0 }
    guard let size = lfs?["size"]?.integer ?? item["size"]?.integer,
      let hash = lfs == nil ? git : lfs?["oid"]?.string,
      let file = RepositoryFile(
        path: path, size: size, hash: hash, gitHash: git.utf8.count == 40 ? git : Self.noGitHash)
    else {
      throw HubProblem.nonsense(
        RepositoryFile.isPath(path)
          ? "the hub gives no usable size and hash for '\(path.prefix(200))'"
          : "the hub lists '\(path.prefix(200))', which is no path inside a folder; nothing was fetched")
    }
    return file
  }

  private static let noGitHash = String(repeating: "0", count: 40)

  /// The address of the next page: `Link: <…>; rel="next"`, at the hub itself.
  private func following(_ response: Response, of page: Address) throws -> Address? {
    guard let link = response["Link"] else { return nil }
    for part in link.split(separator: ",") where part.contains("rel=\"next\"") {
      guard let begin = part.firstIndex(of: "<"), let end = part.firstIndex(of: ">"), begin < end,
        let next = Address(String(part[part.index(after: begin)..<end]), relativeTo: page), next.origin == page.origin
      else { throw HubProblem.nonsense("the hub's list of files goes on elsewhere, which is not followed") }
      return next
    }
    return nil
  }

  /// The address of the bytes of `file`.
  func address(of file: RepositoryFile, in repository: RepositoryName, at commit: String) throws -> Address {
    try address("/\(repository)/resolve/\(commit)/\(Address.quoted(file.path, keepingSlashes: true))")
  }

  /// The whole of a small file, its hash checked.
  func content(of file: RepositoryFile, in repository: RepositoryName, at commit: String, limit: Int) async throws
    -> [UInt8]
  {
    guard file.size <= limit else {
      throw HubProblem.nonsense(
        "'\(file.path)' has \(HubProblem.text(file.size)); at most \(HubProblem.text(limit)) are read")
    }
    if file.size == 0 { return [] }
    let request = Request("GET", try address(of: file, in: repository, at: commit))
    let (bytes, _) = try await bytes(
      request, for: file.path, of: repository, revision: commit, limit: file.size)
    var hash = BlobHash(like: file.hash, size: bytes.count)
    bytes.withUnsafeBytes { hash.update($0) }
    guard bytes.count == file.size, hash.hexadecimal() == file.hash else {
      throw HubProblem.damaged(path: file.path, why: "its hash is another")
    }
    return bytes
  }

  /// The bytes in `range` of a file; a hub that does not give parts is read until the range's end. They cannot be
  /// checked against a hash.
  func part(_ range: Range<Int>, of file: RepositoryFile, in repository: RepositoryName, at commit: String) async throws
    -> [UInt8]
  {
    let range = range.clamped(to: 0..<file.size)
    guard !range.isEmpty else { return [] }
    let request = Request(
      "GET", try address(of: file, in: repository, at: commit),
      fields: [("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")])
    var last: HubProblem?
    for attempt in 0..<Self.attempts {
      if attempt > 0 { try await pause(Self.delay(attempt)) }
      do {
        let (response, from) = try await open(request)
        var start = range.lowerBound
        switch response.status {
        case 206:
          guard let given = ContentRange(response), given.first == range.lowerBound else {
            throw TransportProblem("\(from.host) sent another part than was asked for")
          }
        case 200: start = 0
        case let status where status == 416 || from.origin != origin.origin && !Self.isPassing(status):
          throw TransportProblem("\(from.host) answered \(status)")
        case let status where Self.isPassing(status):
          last = .busy(status: status, seconds: Self.wait(response))
          try await wait(for: response, attempt)
          continue
        default: throw await problem(response, file.path, of: repository, revision: commit)
        }
        var bytes: [UInt8] = []
        var skipped = range.lowerBound - start
        while bytes.count < range.count, let piece = try await response.next() {
          meter.add(piece.count)
          let rest = piece.dropFirst(min(skipped, piece.count))
          skipped -= piece.count - rest.count
          bytes += rest.prefix(range.count - bytes.count)
        }
        guard bytes.count == range.count else { throw TransportProblem("the connection was cut") }
        return bytes
      } catch let problem as TransportProblem {
        last = .unreachable(request.address.origin, why: problem.sentence)
        if !problem.isPassing || problem.isUnreached && attempt > 0 { break }
      }
    }
    throw last ?? .unreachable(request.address.origin, why: "nothing came back")
  }
}

/// What `Content-Range: bytes FIRST-LAST/TOTAL` says.
struct ContentRange {
  let first: Int
  let total: Int?

  init?(_ response: Response) {
    guard let text = response["Content-Range"], text.lowercased().hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst("bytes ".count).split(separator: "/")
    guard parts.count == 2, let first = parts[0].split(separator: "-").first.flatMap({ Int($0) }) else { return nil }
    self.first = first
    total = Int(parts[1])
  }
}
