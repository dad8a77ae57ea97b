import Files
import Foundation
import HubCache

/// Puts the files of a folder into a repository, in one commit: large ones by the protocol of git-lfs, the others in the
/// commit itself.
///
///     POST /api/repos/create                 where there is no such repository
///     POST /api/models/ID/preupload/REV      which files are large, and which are there already
///     POST /ID.git/info/lfs/objects/batch    where large ones go; PUT there, whole or in parts; POST verify
///     POST /api/models/ID/commit/REV         one line of JSON for each file
///
/// Nothing is seen of it before the commit, which is one request. Source: huggingface_hub 2.4, `_commit_api.py`, `lfs.py`.
public struct Push {
  private let client: HubClient
  private let progress: TransferProgress
  private static let lfsFields: [(name: String, value: String)] = [
    ("Accept", "application/vnd.git-lfs+json"), ("Content-Type", "application/vnd.git-lfs+json"),
  ]

  /// What sends with `client`.
  public init(_ client: HubClient, progress: TransferProgress) {
    self.client = client
    self.progress = progress
  }

  /// A file on its way.
  private struct Upload {
    let path: String
    let local: String
    let size: Int
    var isLarge = false
    var isIgnored = false
    var sha256 = ""
  }

  /// Sends the files at `paths` in `folder`; gives what was done, or with `isDryRun` what would be.
  public func run(
    _ reference: RepositoryReference, folder: String, paths: [String], message: String,
    options: NetworkRequest.PushOptions
  ) async throws -> JSONValue {
    let (name, revision) = (reference.name, reference.revision ?? "main")
    guard client.token != nil else {
      throw HubProblem.usage("a push needs a token that may write, in HF_TOKEN or by 'hf auth login'")
    }
    var uploads: [Upload] = []
    for path in paths {
      guard RepositoryFile.isPath(path), let size = size(ofFile: folder + "/" + path) else {
        throw FileProblem(path: folder + "/" + path, sentence: "there is no such file to push", cause: .missing)
      }
      uploads.append(Upload(path: path, local: folder + "/" + path, size: size))
    }
    let isThere = try await exists(name)
    if !isThere {
      if options.isDryRun { return result(uploads, name, created: true, commit: nil, url: nil) }
      try await create(name, isPrivate: options.isPrivate)
      progress.note("\(name) has been made at \(client.endpoint)/\(name)\(options.isPrivate ? ", private" : "")")
    }
    try await classify(&uploads, of: name, at: revision, options)
    if options.isDryRun { return result(uploads, name, created: false, commit: nil, url: nil) }
    for index in uploads.indices where uploads[index].isLarge {
      uploads[index].sha256 = try SharedCache.hash(
        ofFile: uploads[index].local, like: String(repeating: "0", count: 64))
    }
    try await sendLarge(uploads.filter { $0.isLarge && !$0.isIgnored }, of: name, at: revision)
    let (commit, url) = try await commit(uploads, of: name, at: revision, message: message, options)
    return result(uploads, name, created: !isThere, commit: commit, url: url)
  }

  /// `created` where the repository is not there yet: how each file would be sent, it has not said then.
  private func result(_ uploads: [Upload], _ name: RepositoryName, created: Bool, commit: String?, url: String?)
    -> JSONValue
  {
    let files = uploads.filter { !$0.isIgnored }.map { upload -> JSONValue in
      [
        "path": .string(upload.path), "size": .integer(upload.size),
        "large": commit == nil && created ? .null : .bool(upload.isLarge),
      ]
    }
    return [
      "repository": .string(name.description), "created": .bool(created), "files": .array(files),
      "commit": commit.map { .string($0) } ?? .null, "url": url.map { .string($0) } ?? .null,
    ]
  }

  private func exists(_ name: RepositoryName) async throws -> Bool {
    do {
      _ = try await client.json(
        Request("GET", client.address("/api/models/\(name)")), for: "'\(name)'", of: name)
      return true
    } catch HubProblem.noRepository { return false }
  }

  private func post(
    _ address: Address, _ json: JSONValue, for what: String, of name: RepositoryName,
    fields: [(name: String, value: String)] = [("Content-Type", "application/json")], accepting: Set<Int> = [200, 201]
  ) async throws -> JSONValue {
    let request = Request("POST", address, fields: fields, body: .bytes(Array(json.serialized().utf8)))
    return try await client.json(request, for: what, of: name, accepting: accepting).json
  }

  private func create(_ name: RepositoryName, isPrivate: Bool) async throws {
    let parts = name.description.split(separator: "/").map(String.init)
    var object = JSONObject()
    object["name"] = .string(parts[parts.count - 1])
    if parts.count == 2 { object["organization"] = .string(parts[0]) }
    object["private"] = .bool(isPrivate)
    object["type"] = "model"
    // 409: another process has made it meanwhile.
    _ = try await post(
      client.address("/api/repos/create"), .object(object), for: "making '\(name)'", of: name,
      accepting: [200, 201, 409])
  }

  private func classify(
    _ uploads: inout [Upload], of name: RepositoryName, at revision: String, _ options: NetworkRequest.PushOptions
  ) async throws {
    let query = options.makesProposal ? "?create_pr=1" : ""
    let address = try client.address("/api/models/\(name)/preupload/\(Address.quoted(revision))\(query)")
    for start in stride(from: 0, to: uploads.count, by: 256) {
      let part = start..<min(uploads.count, start + 256)
      let files = try part.map { index -> JSONValue in
        let file = try MappedFile(path: uploads[index].local)
        let sample = withExtendedLifetime(file) { Data(file.bytes.prefix(512)).base64EncodedString() }
        return [
          "path": .string(uploads[index].path), "sample": .string(sample), "size": .integer(uploads[index].size),
        ]
      }
      let answer = try await post(address, ["files": .array(files)], for: "what is to be sent", of: name)
      var modes: [String: JSONValue] = [:]
      for entry in answer["files"]?.array ?? [] { if let path = entry["path"]?.string { modes[path] = entry } }
      for index in part {
        guard let mode = modes[uploads[index].path], let word = mode["uploadMode"]?.string else {
          throw HubProblem.nonsense("the hub does not say how '\(uploads[index].path)' is to be sent")
        }
        // Storage takes no empty files.
        uploads[index].isLarge = word == "lfs" && uploads[index].size > 0
        uploads[index].isIgnored = mode["shouldIgnore"]?.bool ?? false
      }
    }
  }

  private func sendLarge(_ uploads: [Upload], of name: RepositoryName, at revision: String) async throws {
    guard !uploads.isEmpty else { return }
    var seen: Set<String> = []
    let unique = uploads.filter { seen.insert($0.sha256).inserted }
    for start in stride(from: 0, to: unique.count, by: 100) {
      let part = Array(unique[start..<min(unique.count, start + 100)])
      let objects = part.map { upload -> JSONValue in ["oid": .string(upload.sha256), "size": .integer(upload.size)] }
      let answer = try await post(
        client.address("/\(name).git/info/lfs/objects/batch"),
        [
          "operation": "upload", "transfers": ["basic", "multipart"], "hash_algo": "sha256",
          "objects": .array(objects), "ref": ["name": .string(revision)],
        ], for: "where large files go", of: name, fields: Self.lfsFields)
      for entry in answer["objects"]?.array ?? [] {
        guard let upload = part.first(where: { $0.sha256 == entry["oid"]?.string }) else { continue }
        if let problem = entry["error"]?["message"]?.string {
          throw HubProblem.unexpected(status: entry["error"]?["code"]?.integer ?? 0, what: upload.path, why: problem)
        }
        try await send(upload, entry["actions"], of: name)
      }
    }
  }

  /// Sends one large file as the hub says; nothing where it has it already.
  private func send(_ upload: Upload, _ actions: JSONValue?, of name: RepositoryName) async throws {
    guard let action = actions?["upload"], let target = action["href"]?.string else { return }
    guard let address = Address(target), address.scheme == "https" || client.origin.scheme == "http" else {
      throw HubProblem.nonsense(
        "the hub wants '\(upload.path)' at '\(target.prefix(200))', which is no address to send to")
    }
    progress.note("sending \(upload.path), \(HubProblem.text(upload.size))")
    let fields = action["header"]?.object.map { Array($0) } ?? []
    if let chunk = action["header"]?["chunk_size"].flatMap({ $0.integer ?? $0.string.flatMap { Int($0) } }) {
      try await sendParts(upload, chunk, fields, completing: address, of: name)
    } else {
      let request = Request("PUT", address, body: .file(path: upload.local, range: 0..<upload.size))
      _ = try await client.bytes(
        request, for: "'\(upload.path)'", of: name, limit: 1 << 20, accepting: [200, 201, 204])
    }
    guard let verify = actions?["verify"]?["href"]?.string.flatMap({ Address($0) }) else { return }
    _ = try await client.bytes(
      Request(
        "POST", verify, fields: [("Content-Type", "application/json")],
        body: .bytes(
          Array(
            JSONValue.object(from: [("oid", .string(upload.sha256)), ("size", .integer(upload.size))]).serialized().utf8
          ))),
      for: "looking at '\(upload.path)'", of: name, limit: 1 << 20, accepting: [200, 201, 204])
  }

  private func sendParts(
    _ upload: Upload, _ chunk: Int, _ fields: [(String, JSONValue)], completing address: Address,
    of name: RepositoryName
  ) async throws {
    let parts = fields.compactMap { key, value in Int(key).flatMap { number in value.string.map { (number, $0) } } }
      .sorted { $0.0 < $1.0 }
    guard chunk > 0, parts.count == (upload.size + chunk - 1) / chunk else {
      throw HubProblem.nonsense("the hub gives \(parts.count) places for the parts of '\(upload.path)'")
    }
    var done: [JSONValue] = []
    for (index, (_, target)) in parts.enumerated() {
      guard let place = Address(target) else { throw HubProblem.nonsense("the hub gives no address for a part") }
      let range = index * chunk..<min(upload.size, (index + 1) * chunk)
      let (_, response) = try await client.bytes(
        Request("PUT", place, body: .file(path: upload.local, range: range)), for: "a part of '\(upload.path)'",
        of: name,
        limit: 1 << 20, accepting: [200, 201, 204])
      guard let tag = response["ETag"], !tag.isEmpty else {
        throw HubProblem.nonsense("a part of '\(upload.path)' was not acknowledged")
      }
      done.append(["partNumber": .integer(index + 1), "etag": .string(tag)])
    }
    _ = try await client.bytes(
      Request(
        "POST", address, fields: Self.lfsFields,
        body: .bytes(
          Array(JSONValue.object(from: [("oid", .string(upload.sha256)), ("parts", .array(done))]).serialized().utf8))),
      for: "putting the parts of '\(upload.path)' together", of: name, limit: 1 << 20, accepting: [200, 201, 204])
  }

  /// The commit; sent once, for a second one would be made if the answer to the first were lost.
  private func commit(
    _ uploads: [Upload], of name: RepositoryName, at revision: String, message: String,
    _ options: NetworkRequest.PushOptions
  ) async throws -> (commit: String?, url: String?) {
    var lines: [JSONValue] = [["key": "header", "value": ["summary": .string(message), "description": ""]]]
    for upload in uploads where !upload.isIgnored {
      if upload.isLarge {
        lines.append([
          "key": "lfsFile",
          "value": [
            "path": .string(upload.path), "algo": "sha256", "oid": .string(upload.sha256),
            "size": .integer(upload.size),
          ],
        ])
      } else {
        let file = try MappedFile(path: upload.local)
        let content = withExtendedLifetime(file) { Data(file.bytes).base64EncodedString() }
        lines.append([
          "key": "file",
          "value": ["content": .string(content), "path": .string(upload.path), "encoding": "base64"],
        ])
      }
    }
    let body = lines.map { $0.serialized() + "\n" }.joined()
    let query = options.makesProposal ? "?create_pr=1" : ""
    let request = Request(
      "POST", try client.address("/api/models/\(name)/commit/\(Address.quoted(revision))\(query)"),
      fields: [("Content-Type", "application/x-ndjson")], body: .bytes(Array(body.utf8)))
    let response: Response
    do { (response, _) = try await client.open(request) } catch let problem as TransportProblem {
      throw HubProblem.unreachable(
        client.endpoint,
        why: "\(problem.sentence) while the commit was sent; look at \(client.endpoint)/\(name) before pushing again")
    }
    guard [200, 201].contains(response.status) else {
      let text = (try? await response.body(limit: 4096)).flatMap { $0.map { String(decoding: $0, as: UTF8.self) } }
      let why = text.flatMap { try? JSONValue(parsing: $0)["error"]?.string }
      if let why {
        throw HubProblem.unexpected(status: response.status, what: "the commit", why: String(why.prefix(300)))
      }
      throw await client.problem(response, "the commit", of: name, revision: revision)
    }
    guard let bytes = try await response.body(limit: 1 << 20),
      let json = try? bytes.withUnsafeBytes({ try JSONValue(parsing: $0, name: "the answer") })
    else { throw HubProblem.nonsense("the hub took the commit, and its answer is no JSON") }
    return (json["commitOid"]?.string, json["pullRequestUrl"]?.string ?? json["commitUrl"]?.string)
  }
}

extension JSONValue {
  /// An object of `members` in their order.
  static func object(from members: [(String, JSONValue)]) -> JSONValue {
    var object = JSONObject()
    for (key, value) in members { object[key] = value }
    return .object(object)
  }
}
