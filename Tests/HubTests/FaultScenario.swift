import FakeHub
import Files
import Foundation
import HubCache
import Testing

/// Something that goes wrong between us and a hub, and what has to come of it.
struct FaultScenario: Sendable, CustomTestStringConvertible {
  enum Outcome: Sendable {
    /// The model is whole in the cache.
    case whole
    /// It ends with this exit status and a sentence that has these words; nothing is shown.
    case fails(Int32, String)
  }

  let name: String
  let outcome: Outcome
  let fault: FakeHub.Fault
  /// Changes what the repository is.
  var prepare: @Sendable (inout FakeHub.Repository) -> Void = { _ in }

  var testDescription: String { name }

  /// Which of the requests of a pull: for the commit, the list, a small file, the header of the weights, the redirect to
  /// storage, the storage.
  enum Place: String, CaseIterable, Sendable {
    case revision, tree, small, redirect, header, storage

    func isAt(_ request: ServedRequest) -> Bool {
      switch self {
      case .revision: request.path.contains("/revision/")
      case .tree: request.path.contains("/tree/")
      case .small: request.path.hasSuffix("/tokenizer.json")
      case .redirect: request.path.hasSuffix("/model.safetensors")
      case .header: request.path.utf8.count == 65 && request.fields["range"] == "bytes=0-32767"
      case .storage: request.path.utf8.count == 65 && request.fields["range"] != "bytes=0-32767"
      }
    }
  }

  static let all: [FaultScenario] = once + forever + bodies + redirects + listings

  /// What passes when it is tried again.
  private static let once: [FaultScenario] = Place.allCases.flatMap { place in
    let statuses: [FaultScenario] = [408, 429, 500, 502, 503, 504].map { status in
      FaultScenario(name: "\(place.rawValue): \(status) once", outcome: .whole) { request, reply in
        if place.isAt(request), request.earlier == 0 { reply = ServedReply(status, [("Retry-After", "1")]) }
      }
    }
    let others: [(String, @Sendable (inout ServedReply) -> Void)] = [
      ("cut before an answer", { $0.isMute = true }), ("cut before the body", { $0.cut = 0 }),
      ("cut in the body", { $0.cut = max(0, $0.body.count / 2) }),
      ("cut before the last byte", { $0.cut = max(0, $0.body.count - 1) }),
    ]
    return statuses
      + others.filter { place != .redirect || $0.0.hasSuffix("answer") }.map { name, change in
        FaultScenario(name: "\(place.rawValue): \(name) once", outcome: .whole) { request, reply in
          if place.isAt(request), request.earlier == 0 { change(&reply) }
        }
      }
  }

  /// What does not pass.
  private static let forever: [FaultScenario] = Place.allCases.flatMap { place -> [FaultScenario] in
    let isAPI = place == .revision || place == .tree
    let isStorage = place == .header || place == .storage
    func always(_ name: String, _ status: Int32, _ words: String, _ reply: ServedReply) -> FaultScenario {
      FaultScenario(name: "\(place.rawValue): \(name)", outcome: .fails(status, words)) { request, answer in
        if place.isAt(request) { answer = reply }
      }
    }
    var list = [
      always("503 for ever", 1, isStorage || place == .redirect ? "503" : "too much to do (503)", ServedReply(503)),
      always("429 for an hour", 1, "3600 s", ServedReply(429, [("Retry-After", "3600")])),
      FaultScenario(name: "\(place.rawValue): cut for ever", outcome: .fails(1, "cannot be reached")) {
        request, reply in
        if place.isAt(request) { reply.isMute = true }
      },
    ]
    if !isStorage {
      list += [
        always("gated", 1, "accept its conditions", ServedReply(403, [("X-Error-Code", "GatedRepo")])),
        always(
          "bad token", 1, "does not know your token",
          ServedReply(401, [("X-Error-Message", "Invalid credentials in Authorization header")])),
        always("forbidden", 1, "does not allow", ServedReply(403)),
        always("400", 1, "answered 400", ServedReply(400, [("X-Error-Message", "bad things")])),
      ]
    }
    if isAPI {
      list += [
        always("no repository", 4, "no repository 'org/m'", ServedReply(404, [("X-Error-Code", "RepoNotFound")])),
        always("no revision", 4, "no branch, tag or commit", ServedReply(404, [("X-Error-Code", "RevisionNotFound")])),
        always("no JSON", 1, "no JSON", ServedReply(200, [], Array("<html>".utf8))),
        always("JSON of another kind", 1, "the hub", ServedReply(200, [], Array("3".utf8))),
        always("an empty answer", 1, "no JSON", ServedReply(200)),
      ]
    }
    if isStorage { list.append(always("403 for ever", 1, "answered 403", ServedReply(403))) }
    return list
  }

  /// Bodies that are not what was asked for.
  private static let bodies: [FaultScenario] = [
    change("another byte", .small, .fails(1, "hash")) { $0.body[0] ^= 1 },
    change("another byte", .storage, .fails(1, "hash")) { if !$0.body.isEmpty { $0.body[0] ^= 1 } },
    change("one byte more", .small, .fails(1, "did not arrive")) { $0.body.append(0) },
    change("one byte more", .storage, .fails(1, "did not arrive")) { $0.body.append(0) },
    change("more than was promised", .storage, .whole) { reply in
      reply.promisedLength = reply.body.count
      reply.body += [1, 2, 3]
    },
    change("one byte less, and said so", .storage, .fails(1, "did not arrive")) { $0.body.removeLast() },
    change("nothing, and said so", .storage, .fails(1, "did not arrive")) { $0.body = [] },
    change("in chunks of seven bytes", .storage, .whole) { $0.chunks = 7 },
    change("in chunks, too many", .storage, .fails(1, "did not arrive")) { reply in
      reply.chunks = 1000
      reply.body.append(0)
    },
    change("in chunks, cut each time", .storage, .whole) { reply in
      reply.chunks = 500
      reply.cut = 2500
    },
    change("every connection cut after 2,000 bytes", .storage, .whole) { $0.cut = 2000 },
    change("compressed, unasked", .storage, .fails(1, "encoded as gzip")) {
      $0.fields.append(("Content-Encoding", "gzip"))
    },
    FaultScenario(name: "storage: cut, then 200 for 206", outcome: .whole) { request, reply in
      guard Place.storage.isAt(request) else { return }
      if request.earlier == 0 { reply.cut = 10_000 }
      if request.earlier == 1 {
        reply = ServedReply(200, [], HubFixture.standard[HubFixture.weights]!)
      }
    },
    FaultScenario(name: "storage: cut, then another part", outcome: .whole) { request, reply in
      guard Place.storage.isAt(request) else { return }
      if request.earlier == 0 { reply.cut = 10_000 }
      if request.earlier == 1 { reply.fields = [("Content-Range", "bytes 0-9/40000")] }
    },
    FaultScenario(name: "storage: cut, then a part without its place", outcome: .whole) { request, reply in
      guard Place.storage.isAt(request) else { return }
      if request.earlier == 0 { reply.cut = 10_000 }
      if request.earlier == 1 { reply.fields = [] }
    },
    FaultScenario(name: "storage: cut, then wrong bytes in the right place", outcome: .whole) { request, reply in
      guard Place.storage.isAt(request) else { return }
      if request.earlier == 0 { reply.cut = 10_000 }
      if request.earlier == 1 { reply.body[0] ^= 1 }
    },
    FaultScenario(name: "storage: cut, then 416", outcome: .whole) { request, reply in
      guard Place.storage.isAt(request) else { return }
      if request.earlier == 0 { reply.cut = 10_000 }
      if request.earlier == 1 { reply = ServedReply(416) }
    },
    FaultScenario(name: "storage: the address has expired once", outcome: .whole) { request, reply in
      if Place.storage.isAt(request), request.earlier == 0 { reply = ServedReply(403) }
    },
    FaultScenario(name: "header: the whole file instead of a part", outcome: .whole) { request, reply in
      if Place.header.isAt(request) { reply = ServedReply(200, [], HubFixture.standard[HubFixture.weights]!) }
    },
    FaultScenario(name: "header: it claims to be endless", outcome: .fails(1, "no safetensors")) { request, reply in
      if Place.header.isAt(request) { for i in 0..<8 { reply.body[i] = 0x7F } }
    },
    FaultScenario(name: "revision: Retry-After as a date that is over", outcome: .whole) { request, reply in
      if Place.revision.isAt(request), request.earlier == 0 {
        reply = ServedReply(503, [("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT")])
      }
    },
    FaultScenario(name: "revision: Retry-After as a date far away", outcome: .fails(1, "come back in")) {
      request, reply in
      if Place.revision.isAt(request) {
        reply = ServedReply(503, [("Retry-After", "Wed, 21 Oct 2099 07:28:00 GMT")])
      }
    },
    FaultScenario(name: "revision: a commit that is none", outcome: .fails(1, "no commit")) { request, reply in
      if Place.revision.isAt(request) { reply.body = Array(#"{"sha": "../../../etc"}"#.utf8) }
    },
  ]

  private static func change(
    _ name: String, _ place: Place, _ outcome: Outcome, _ change: @escaping @Sendable (inout ServedReply) -> Void
  ) -> FaultScenario {
    FaultScenario(name: "\(place.rawValue): \(name)", outcome: outcome) { request, reply in
      if place.isAt(request), !reply.body.isEmpty { change(&reply) }
    }
  }

  /// Ways that lead elsewhere.
  private static let redirects: [FaultScenario] = [
    to("in a circle", "/org/m/resolve/x/circle", .fails(1, "circle")),
    to("to a file", "file:///etc/passwd", .fails(1, "no address")),
    to("to another protocol", "gopher://127.0.0.1/", .fails(1, "no address")),
    to("to a host with a user", "http://user:pw@127.0.0.1/", .fails(1, "no address")),
    to("to nowhere", "http://", .fails(1, "no address")), to("to no host", "http:///x", .fails(1, "no address")),
    to("to a host that is not there", "http://no-such-host.invalid/x", .fails(1, "cannot be reached")),
    FaultScenario(name: "redirect: on and on", outcome: .fails(1, "on and on")) { request, reply in
      if request.path.contains("model.safetensors") || request.path.contains("/hop/") {
        reply = ServedReply(302, [("Location", "/hop/\(UUID().uuidString)")])
      }
    },
    FaultScenario(name: "redirect: 301 of the repository, relative", outcome: .whole) { request, reply in
      if request.path == "/api/models/org/m/revision/main", !request.target.contains("moved") {
        reply = ServedReply(307, [("Location", request.target + "?moved=1")])
      }
    },
    FaultScenario(name: "redirect: without a place", outcome: .fails(1, "answered 302")) { request, reply in
      if Place.redirect.isAt(request) { reply = ServedReply(302) }
    },
  ]

  private static func to(_ name: String, _ location: String, _ outcome: Outcome) -> FaultScenario {
    FaultScenario(name: "redirect: \(name)", outcome: outcome) { request, reply in
      if Place.redirect.isAt(request) || request.path.hasSuffix("/circle") {
        reply = ServedReply(302, [("Location", location)])
      }
    }
  }

  /// Listings of a hostile hub.
  private static let listings: [FaultScenario] =
    [
      "../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "a//evil", "./evil", "a/", "", "a\u{0}b", "a\nb", "..",
      "a/..",
      String(repeating: "x", count: 300), Array(repeating: "d", count: 40).joined(separator: "/"), "config.json/evil",
    ].map { path in
      listing("the path \(path.debugDescription.prefix(40))", .fails(1, "the hub")) { entry in
        [entry(path, 3, String(repeating: "c", count: 40))]
      }
    } + [
      listing("a hash that is a path", .fails(1, "usable size and hash")) { $0("x.json", 3, "../../../../evil") },
      listing("a hash that is blacked out", .fails(1, "usable size and hash")) {
        $0("x.json", 3, String(repeating: "*", count: 40))
      },
      listing("a negative size", .fails(1, "usable size and hash")) {
        $0("x.json", -1, String(repeating: "c", count: 40))
      },
      listing("a size beyond all", .fails(1, "usable size and hash")) {
        $0("x.json", Int.max, String(repeating: "c", count: 40))
      },
      listing("a file twice", .fails(1, "twice")) { $0("config.json", 3, String(repeating: "c", count: 40)) },
      listing("200,000 files", .fails(1, "files")) { entry in
        JSONValue.array((0..<200_000).map { entry("f\($0)", 1, String(repeating: "c", count: 40)) })
      },
      FaultScenario(name: "listing: the next page is elsewhere", outcome: .fails(1, "goes on elsewhere")) {
        request, reply in
        if Place.tree.isAt(request) { reply.fields.append(("Link", "<http://127.0.0.1:1/x>; rel=\"next\"")) }
      },
      FaultScenario(name: "listing: the next page is the first", outcome: .fails(1, "circle")) { request, reply in
        if Place.tree.isAt(request) { reply.fields.append(("Link", "<\(request.target)>; rel=\"next\"")) }
      },
      FaultScenario(name: "listing: the next page has the rest", outcome: .whole) { request, reply in
        guard Place.tree.isAt(request),
          let items = try? JSONValue(parsing: String(decoding: reply.body, as: UTF8.self)).array
        else { return }
        let isFirst = !request.target.contains("cursor")
        let part = isFirst ? items.prefix(2) : items.dropFirst(2)
        reply.body = Array(JSONValue.array(Array(part)).serialized().utf8)
        if isFirst { reply.fields.append(("Link", "<\(request.target)&cursor=2>; rel=\"next\"")) }
      },
      FaultScenario(
        name: "listing: an index that names another folder", outcome: .fails(1, "no plain name"), fault: { _, _ in },
        prepare: {
          $0.files["model.safetensors.index.json"] = Array(#"{"weight_map": {"a": "../evil.safetensors"}}"#.utf8)
        }),
      FaultScenario(
        name: "listing: an index that names what is not there", outcome: .fails(1, "does not have"), fault: { _, _ in },
        prepare: { $0.files["model.safetensors.index.json"] = Array(#"{"weight_map": {"a": "b.safetensors"}}"#.utf8) }),
      FaultScenario(
        name: "listing: weights as a pickle alone", outcome: .fails(1, "a pickle"), fault: { _, _ in },
        prepare: { $0.files[HubFixture.weights] = nil }),
      FaultScenario(
        name: "listing: several GGUF files", outcome: .fails(2, "--file"), fault: { _, _ in },
        prepare: { repository in
          repository.files[HubFixture.weights] = nil
          for name in ["a.gguf", "b.gguf"] { repository.files[name] = [1] }
        }),
      FaultScenario(
        name: "listing: weights too short to be any", outcome: .fails(1, "too short"), fault: { _, _ in },
        prepare: { $0.files[HubFixture.weights] = [1, 2, 3] }),
    ]

  private static func listing(
    _ name: String, _ outcome: Outcome,
    _ more: @escaping @Sendable (_ entry: (String, Int, String) -> JSONValue) -> JSONValue
  ) -> FaultScenario {
    FaultScenario(name: "listing: \(name)", outcome: outcome) { request, reply in
      guard Place.tree.isAt(request),
        let items = try? JSONValue(parsing: String(decoding: reply.body, as: UTF8.self)).array
      else { return }
      let added = more { path, size, hash in
        ["type": "file", "oid": .string(hash), "size": .integer(size), "path": .string(path)]
      }
      reply.body = Array(JSONValue.array(items + (added.array ?? [added])).serialized().utf8)
    }
  }
}
