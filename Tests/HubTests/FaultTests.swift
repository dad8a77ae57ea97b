import FakeHub
import Files
import Foundation
import Hub
import HubCache
import Testing

@Suite("what goes wrong between us and a hub")
struct FaultTests {
  @Test("there are a hundred of them, each of its own name")
  func count() {
    #expect(FaultScenario.all.count >= 100, "\(FaultScenario.all.count)")
    #expect(Set(FaultScenario.all.map(\.name)).count == FaultScenario.all.count)
  }

  @Test("leaves a model whole or not at all, and the next fetch makes it whole", arguments: FaultScenario.all)
  func scenario(_ scenario: FaultScenario) async throws {
    let fixture = try HubFixture()
    let before = fixture.hub.repository
    scenario.prepare(&fixture.hub.repository)
    fixture.hub.setFault(scenario.fault)
    switch scenario.outcome {
    case .whole:
      try await fixture.pull()
      try fixture.expectWhole()
    case .fails(let status, let words):
      do {
        try await fixture.pull()
        Issue.record("it did not fail")
      } catch let problem as HubProblem {
        #expect(problem.status == status, "\(problem)")
        #expect(problem.description.contains(words), "\(problem)")
        #expect(!problem.description.contains(HubFixture.token))
      }
      #expect(fixture.cache.snapshot(of: RepositoryReference(fixture.name)) == nil)
      try fixture.expectClean()
    }
    fixture.hub.setFault(nil)
    fixture.hub.repository = before
    try await fixture.pull()
    try fixture.expectWhole()
    try fixture.expectClean()
  }
}

@Suite("a pull")
struct PullTests {
  @Test("fetches what a model consists of, and no twins of its weights; again it fetches nothing")
  func standard() async throws {
    let fixture = try HubFixture()
    let folder = try await fixture.pull()
    #expect(folder == fixture.cache.snapshot(of: RepositoryReference(fixture.name)))
    try fixture.expectWhole()
    #expect(!fixture.hub.requests.contains { $0.path.hasSuffix("pytorch_model.bin") || $0.path.hasSuffix("README.md") })
    #expect(fixture.hub.requests.allSatisfy { $0.fields["authorization"] == "Bearer \(HubFixture.token)" })
    let listing = try #require(fixture.cache.listing(of: fixture.name, at: fixture.hub.repository.commit))
    #expect(listing.files.count == HubFixture.standard.count)
    let marker = fixture.cache.folder(of: fixture.name) + "/.no_exist/\(listing.commit)/generation_config.json"
    #expect(size(ofFile: marker) == 0)
    fixture.hub.forget()
    try await fixture.pull()
    #expect(!fixture.hub.requests.contains { $0.path.contains("/tree/") || $0.path.hasSuffix("tokenizer.json") })
    #expect(fixture.hub.storageRequests.count == 1, "the header")
  }

  @Test("goes on where the last one was killed, and asks for the rest alone")
  func resumed() async throws {
    let fixture = try HubFixture()
    fixture.hub.setFault { request, reply in
      if FaultScenario.Place.storage.isAt(request) {
        if request.earlier == 0 { reply.cut = 30_000 } else { reply.isMute = true }
      }
    }
    await #expect(throws: HubProblem.self) { try await fixture.pull() }
    #expect(try fixture.cache.contents(of: fixture.name)?.unfinishedBytes == 30_000)
    fixture.hub.setFault(nil)
    fixture.hub.forget()
    try await fixture.pull()
    try fixture.expectWhole()
    #expect(fixture.hub.storageRequests.last?.fields["range"] == "bytes=30000-")
    #expect(try fixture.cache.contents(of: fixture.name)?.unfinishedBytes == 0)
  }

  @Test("begins anew where what was left is of another file")
  func spoiled() async throws {
    let fixture = try HubFixture()
    try fixture.cache.prepare(fixture.name)
    let bytes = HubFixture.standard[HubFixture.weights]!
    let hash = FakeHub.hash(bytes, isLarge: true)
    for (name, content) in [("00000001", HubFixture.bytes(20_000, 9)), ("00000002", HubFixture.bytes(90_000, 9))] {
      let path = fixture.cache.folder(of: fixture.name) + "/blobs/\(hash).\(name).incomplete"
      try Data(content).write(to: URL(fileURLWithPath: path))
    }
    // Bytes under the right name and of the wrong length are damaged too.
    try Data([1]).write(to: URL(fileURLWithPath: fixture.cache.folder(of: fixture.name) + "/blobs/" + hash))
    try await fixture.pull()
    try fixture.expectWhole()
  }

  @Test("of a new commit shares what has not changed, and the branch moves last")
  func newCommit() async throws {
    let fixture = try HubFixture()
    try await fixture.pull()
    let old = fixture.hub.repository.commit
    fixture.hub.repository.commit = String(repeating: "b", count: 40)
    fixture.hub.repository.files["tokenizer.json"] = Array(#"{"b": 2}"#.utf8)
    fixture.hub.setFault { request, reply in
      if FaultScenario.Place.small.isAt(request) { reply = ServedReply(403) }
    }
    await #expect(throws: HubProblem.self) { try await fixture.pull() }
    #expect(fixture.cache.commit(of: fixture.name) == old)
    fixture.hub.setFault(nil)
    fixture.hub.forget()
    try await fixture.pull()
    try fixture.expectWhole()
    #expect(fixture.cache.commit(of: fixture.name) == fixture.hub.repository.commit)
    #expect(fixture.hub.storageRequests.count == 1, "the header alone")
    #expect(try fixture.cache.contents(of: fixture.name)?.snapshots.count == 2)
  }

  @Test("several at once leave one model, each file fetched once")
  func several() async throws {
    let fixture = try HubFixture()
    fixture.hub.setFault { request, reply in
      if FaultScenario.Place.storage.isAt(request) { reply.delay = 0.2 }
    }
    let (service, name) = (HubService(try fixture.client(), fixture.settings, isLive: false), fixture.name)
    let commit = fixture.hub.repository.commit
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          _ = try await service.answer(
            .fetch(RepositoryReference(name), commit: commit, paths: HubFixture.wanted, absent: []))
        }
      }
      try await group.waitForAll()
    }
    try fixture.expectWhole()
    #expect(fixture.hub.storageRequests.count == 1)
  }

  @Test("of a sharded model fetches the shards that the index names")
  func shards() async throws {
    let index = #"{"metadata": {}, "weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}"#
    let fixture = try HubFixture(
      [
        "config.json": Array("{}".utf8), "model.safetensors.index.json": Array(index.utf8),
        "model-1.safetensors": HubFixture.safetensors(100), "model-2.safetensors": HubFixture.safetensors(50_000, "b"),
        "model-3.safetensors": HubFixture.safetensors(100, "c"), "model.safetensors": HubFixture.safetensors(9),
      ], large: ["model-1.safetensors", "model-2.safetensors", "model-3.safetensors"])
    let files = try fixture.files(in: try await fixture.pull())
    #expect(
      files.keys.sorted() == [
        "config.json", "model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json",
      ])
  }

  @Test("by a commit that the main branch means is found by both")
  func pinned() async throws {
    let fixture = try HubFixture()
    let commit = fixture.hub.repository.commit
    try await fixture.pull(commit)
    #expect(fixture.cache.commit(of: fixture.name) == commit)
    #expect(fixture.cache.snapshot(of: RepositoryReference(fixture.name, at: commit)) != nil)
  }

  @Test("is refused before it begins where there is no room")
  func space() async throws {
    // Less than a file may have on any file system here, and more than any disk of a developer.
    let size = 1 << 43
    let fixture = try HubFixture()
    fixture.hub.setFault { request, reply in
      guard FaultScenario.Place.tree.isAt(request) else { return }
      let text = String(decoding: reply.body, as: UTF8.self)
      reply.body = Array(
        text.replacing("\"size\":\(HubFixture.standard[HubFixture.weights]!.count)", with: "\"size\":\(size)").utf8)
    }
    do {
      try await fixture.pull(nil, [HubFixture.weights])
      Issue.record("there was room")
    } catch let HubProblem.space(needed, free, _) {
      #expect(needed == size && free < size)
    }
    #expect(!fixture.hub.storageRequests.contains { FaultScenario.Place.storage.isAt($0) })
  }

  @Test("says what a gated and a private repository need")
  func gated() async throws {
    let fixture = try HubFixture()
    fixture.hub.repository.isGated = true
    fixture.hub.repository.token = "hf_other"
    do { try await fixture.pull() } catch let problem as HubProblem {
      #expect(problem.description.contains("accept its conditions at \(fixture.hub.address)/org/m"), "\(problem)")
    }
    fixture.hub.repository.isGated = false
    do { try await fixture.pull() } catch let problem as HubProblem {
      #expect(problem.status == 4 && problem.description.contains("your token may not see it"), "\(problem)")
    }
    fixture.hub.repository.token = HubFixture.token
    try await fixture.pull()
    try fixture.expectWhole()
  }

  @Test("waits as long as it is asked to, and no longer than is sensible")
  func waits() async throws {
    let fixture = try HubFixture()
    fixture.hub.setFault { request, reply in
      if FaultScenario.Place.tree.isAt(request), request.earlier == 0 {
        reply = ServedReply(429, [("Retry-After", "17")])
      }
    }
    try await fixture.pull()
    #expect(fixture.pauses.withLock { $0.contains(17) })
    #expect(fixture.pauses.withLock { $0.reduce(0, +) } < 30)
  }

  @Test("without the network is refused by the name of the setting")
  func offline() throws {
    let fixture = try HubFixture()
    let settings = HubSettings(["HF_HUB_OFFLINE": "1", "HF_ENDPOINT": fixture.hub.address, "HOME": fixture.folder])
    #expect(throws: HubProblem.self) { try HubClient(settings, over: SocketTransport()) }
  }
}
