import Files
import Foundation
import Synchronization

/// A hub as its clients see it, with one repository, and storage on another port for large files.
///
/// What it answers was recorded from huggingface_hub 2.4 talking to a hub (next-wave.md §C): `revision`, `tree`, `resolve`
/// with a redirect to storage for large files, `repos/create`, `preupload`, the batch of git-lfs, `commit`.
public final class FakeHub: Sendable {
  /// Changes an answer before it goes out: what goes wrong.
  public typealias Fault = @Sendable (ServedRequest, inout ServedReply) -> Void

  /// What the repository is, changed by pushes.
  public struct Repository: Sendable {
    public var name: String
    public var commit: String
    public var files: [String: [UInt8]]
    public var large: Set<String>
    public var isGated = false
    /// The token without which nothing is given.
    public var token: String?
    public var isThere = true
    public var stored: [String: [UInt8]] = [:]
    public var commits: [String] = []
    /// Parts in which large files are sent up.
    public var chunk: Int?
  }

  private struct State {
    var repository: Repository
    var fault: Fault?
  }

  private let state: Mutex<State>
  private let servers = Mutex<(hub: HTTPServer?, storage: HTTPServer?)>((nil, nil))

  /// Serves `files` as the repository `name`; those at `large` are kept by their SHA-256 in storage.
  public init(_ name: String = "org/m", files: [String: [UInt8]], large: Set<String> = []) throws {
    state = Mutex(
      State(
        repository: Repository(
          name: name, commit: String(repeating: "a", count: 40), files: files, large: large)))
    let storage = try HTTPServer { [weak self] in self?.answer($0, isStorage: true) ?? ServedReply(500) }
    let hub = try HTTPServer { [weak self] in self?.answer($0, isStorage: false) ?? ServedReply(500) }
    servers.withLock { $0 = (hub, storage) }
  }

  /// What goes wrong from now on; nil for nothing.
  public func setFault(_ fault: Fault?) { state.withLock { $0.fault = fault } }

  /// The repository.
  public var repository: Repository {
    get { state.withLock { $0.repository } }
    set { state.withLock { $0.repository = newValue } }
  }

  public var address: String { servers.withLock { $0.hub?.address ?? "" } }
  public var storageAddress: String { servers.withLock { $0.storage?.address ?? "" } }
  public var requests: [ServedRequest] { servers.withLock { $0.hub?.requests ?? [] } }
  public var storageRequests: [ServedRequest] { servers.withLock { $0.storage?.requests ?? [] } }
  public func forget() {
    servers.withLock {
      $0.hub?.forget()
      $0.storage?.forget()
    }
  }

  /// The hash of a file as the hub lists it.
  public static func hash(_ bytes: [UInt8], isLarge: Bool) -> String {
    bytes.withUnsafeBytes { bytes in
      if isLarge { return SHA256.hexadecimal(of: bytes) }
      var hash = SHA1(gitBlobOfSize: bytes.count)
      hash.update(bytes)
      return hash.hexadecimal()
    }
  }

  private func answer(_ request: ServedRequest, isStorage: Bool) -> ServedReply {
    let (repository, fault) = state.withLock { ($0.repository, $0.fault) }
    var reply = isStorage ? stored(request, repository) : hub(request, repository)
    let status = reply.status
    fault?(request, &reply)
    // What is refused has not been done.
    if reply.status != status { self.repository = repository }
    return reply
  }

  private static func json(_ value: JSONValue, _ status: Int = 200) -> ServedReply {
    ServedReply(status, [("Content-Type", "application/json")], Array(value.serialized().utf8))
  }

  private func hub(_ request: ServedRequest, _ repository: Repository) -> ServedReply {
    let (path, name) = (request.path, repository.name)
    let isKnown = repository.token == nil || request.fields["authorization"] == "Bearer \(repository.token ?? "")"
    if request.method == "POST" { return post(request, repository, isKnown: isKnown) }
    if path == "/api/whoami-v2" { return Self.json(["name": "org", "type": "user"]) }
    guard repository.isThere, isKnown || repository.isGated, path.contains(name) else {
      return ServedReply(
        401, [("X-Error-Code", "RepoNotFound"), ("X-Error-Message", "Repository not found")], Array("{}".utf8))
    }
    if path == "/api/models/\(name)" || path.hasPrefix("/api/models/\(name)/revision/") {
      let revision = path.split(separator: "/").dropFirst(5).joined(separator: "/")
      guard ["", "main", repository.commit].contains(revision) else {
        return ServedReply(404, [("X-Error-Code", "RevisionNotFound")], Array("{}".utf8))
      }
      return Self.json([
        "_id": "1", "id": .string(name), "modelId": .string(name), "sha": .string(repository.commit), "private": false,
        "siblings": .array(repository.files.keys.sorted().map { ["rfilename": .string($0)] }), "tags": [],
        "downloads": 0, "likes": 0, "lastModified": "2026-01-01T00:00:00.000Z",
        "createdAt": "2026-01-01T00:00:00.000Z",
      ])
    }
    if path.hasPrefix("/api/models/\(name)/tree/") {
      return Self.json(.array(repository.files.sorted { $0.key < $1.key }.map { entry($0, $1, repository) }))
    }
    if path.hasPrefix("/\(name)/resolve/") {
      if repository.isGated, !isKnown { return ServedReply(403, [("X-Error-Code", "GatedRepo")]) }
      return resolve(request, repository)
    }
    return ServedReply(404)
  }

  private func entry(_ path: String, _ bytes: [UInt8], _ repository: Repository) -> JSONValue {
    var object = JSONObject()
    object["type"] = "file"
    object["oid"] = .string(Self.hash(bytes, isLarge: false))
    object["size"] = .integer(bytes.count)
    object["path"] = .string(path)
    if repository.large.contains(path) {
      object["lfs"] = [
        "oid": .string(Self.hash(bytes, isLarge: true)), "size": .integer(bytes.count), "pointerSize": 134,
      ]
    }
    return .object(object)
  }

  private func resolve(_ request: ServedRequest, _ repository: Repository) -> ServedReply {
    let parts = request.path.split(separator: "/", omittingEmptySubsequences: false)
    let path = parts.dropFirst(5).joined(separator: "/")
    guard let bytes = repository.files[path] else {
      return ServedReply(404, [("X-Error-Code", "EntryNotFound"), ("X-Repo-Commit", repository.commit)])
    }
    let isLarge = repository.large.contains(path)
    let hash = Self.hash(bytes, isLarge: isLarge)
    var fields = [("X-Repo-Commit", repository.commit), ("ETag", "\"\(hash)\"")]
    guard isLarge else { return Self.part(bytes, request, fields) }
    fields += [("X-Linked-Etag", "\"\(hash)\""), ("X-Linked-Size", String(bytes.count))]
    return ServedReply(302, fields + [("Location", "\(storageAddress)/\(hash)?Signature=s%2Bx")])
  }

  /// The bytes, or the part of them that is asked for.
  private static func part(_ bytes: [UInt8], _ request: ServedRequest, _ fields: [(String, String)]) -> ServedReply {
    guard let range = request.fields["range"], range.hasPrefix("bytes=") else {
      return ServedReply(200, fields + [("Accept-Ranges", "bytes")], bytes)
    }
    let ends = range.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard let first = ends[0], first < bytes.count else {
      return ServedReply(416, fields + [("Content-Range", "bytes */\(bytes.count)")])
    }
    let last = min(ends[1] ?? bytes.count - 1, bytes.count - 1)
    return ServedReply(
      206, fields + [("Content-Range", "bytes \(first)-\(last)/\(bytes.count)")], Array(bytes[first...last]))
  }

  private func stored(_ request: ServedRequest, _ repository: Repository) -> ServedReply {
    let hash = String(request.path.dropFirst())
    if request.method == "PUT" {
      let isPart = request.target.contains("part=")
      state.withLock { $0.repository.stored[hash] = (isPart ? $0.repository.stored[hash] ?? [] : []) + request.body }
      return ServedReply(200, [("ETag", "\"part\"")])
    }
    let held = repository.large.compactMap { repository.files[$0] }.first { Self.hash($0, isLarge: true) == hash }
    return held.map { Self.part($0, request, []) } ?? ServedReply(404)
  }

  private func post(_ request: ServedRequest, _ repository: Repository, isKnown: Bool) -> ServedReply {
    guard isKnown, request.fields["authorization"] != nil || request.path == "/verify" || request.path == "/complete"
    else {
      return ServedReply(401, [("X-Error-Message", "Invalid credentials in Authorization header")], Array("{}".utf8))
    }
    let name = repository.name
    let json = request.body.withUnsafeBytes { try? JSONValue(parsing: $0, name: "body") }
    switch request.path {
    case "/api/repos/create":
      state.withLock { $0.repository.isThere = true }
      return Self.json(["url": .string("\(address)/\(name)"), "name": .string(name), "id": "1"])
    case "/api/validate-yaml": return Self.json(["errors": [], "warnings": []])
    case "/verify", "/complete": return Self.json([:])
    case "/\(name).git/info/lfs/objects/batch":
      let objects = (json?["objects"]?.array ?? []).map { object -> JSONValue in
        let (oid, size) = (object["oid"]?.string ?? "", object["size"]?.integer ?? 0)
        if repository.stored[oid] != nil { return ["oid": .string(oid), "size": .integer(size)] }
        var upload = JSONObject()
        upload["href"] = .string("\(storageAddress)/\(oid)")
        if let chunk = repository.chunk, size > chunk {
          upload["href"] = .string("\(address)/complete")
          var header = JSONObject()
          header["chunk_size"] = .string(String(chunk))
          for part in 1...((size + chunk - 1) / chunk) {
            header[String(part)] = .string("\(storageAddress)/\(oid)?part=\(part)")
          }
          upload["header"] = .object(header)
        }
        return [
          "oid": .string(oid), "size": .integer(size), "authenticated": true,
          "actions": ["upload": .object(upload), "verify": ["href": .string("\(address)/verify")]],
        ]
      }
      return Self.json(["transfer": "basic", "objects": .array(objects)])
    case let path where path.hasPrefix("/api/models/\(name)/preupload/"):
      let files = (json?["files"]?.array ?? []).map { file -> JSONValue in
        let path = file["path"]?.string ?? ""
        let mode: JSONValue = path.hasSuffix(".safetensors") ? "lfs" : "regular"
        return ["path": .string(path), "uploadMode": mode, "shouldIgnore": .bool(path == "ignored.txt")]
      }
      return Self.json(["files": .array(files)])
    case let path where path.hasPrefix("/api/models/\(name)/commit/"):
      return commit(request, repository)
    default: return ServedReply(404)
    }
  }

  private func commit(_ request: ServedRequest, _ repository: Repository) -> ServedReply {
    var repository = repository
    for line in String(decoding: request.body, as: UTF8.self).split(separator: "\n") {
      guard let json = try? JSONValue(parsing: String(line)), let value = json["value"] else { return ServedReply(400) }
      switch json["key"]?.string {
      case "header": repository.commits.append(value["summary"]?.string ?? "")
      case "file":
        guard let path = value["path"]?.string, let data = Data(base64Encoded: value["content"]?.string ?? "") else {
          return ServedReply(400)
        }
        repository.files[path] = Array(data)
      case "lfsFile":
        guard let path = value["path"]?.string, let oid = value["oid"]?.string, let bytes = repository.stored[oid],
          Self.hash(bytes, isLarge: true) == oid
        else { return Self.json(["error": "an object of git-lfs is not in storage"], 400) }
        repository.files[path] = bytes
        repository.large.insert(path)
      default: return ServedReply(400)
      }
    }
    repository.commit = String(repeating: "b", count: 40)
    self.repository = repository
    return Self.json([
      "success": true, "commitOid": .string(repository.commit),
      "commitUrl": .string("\(address)/\(repository.name)/commit/\(repository.commit)"), "hookOutput": "",
    ])
  }
}
