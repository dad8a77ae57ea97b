import FakeHub
import Files
import Foundation
import Hub
import HubCache
import Testing

@Suite("a push")
struct PushTests {
  private func push(_ fixture: HubFixture, _ change: (inout NetworkRequest.PushOptions) -> Void = { _ in }) async throws
    -> JSONValue
  {
    let folder = fixture.folder + "/outside/hub/model"
    try makeFolder(folder + "/sub")
    for (path, bytes) in Self.files { try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + path)) }
    var options = NetworkRequest.PushOptions()
    change(&options)
    return try await HubService(try fixture.client(), fixture.settings, isLive: false).answer(
      .push(
        RepositoryReference(fixture.name), folder: folder, paths: Self.files.keys.sorted(), message: "m",
        options: options))
  }

  private static let files: [String: [UInt8]] = [
    "config.json": Array("{}".utf8), "model.safetensors": HubFixture.safetensors(70_000),
    "sub/a.txt": Array("é\n".utf8),
    "empty.safetensors": [], "ignored.txt": [1],
  ]

  @Test("makes the repository and puts every file there, in one commit", arguments: [nil, 1000, 70_000, 100_000])
  func whole(_ chunk: Int?) async throws {
    let fixture = try HubFixture([:], large: [])
    fixture.hub.repository.isThere = false
    fixture.hub.repository.chunk = chunk
    let answer = try await push(fixture)
    #expect(answer["created"]?.bool == true && answer["commit"]?.string == String(repeating: "b", count: 40))
    #expect(fixture.hub.repository.files == Self.files.filter { $0.key != "ignored.txt" })
    #expect(fixture.hub.repository.large == ["model.safetensors"])
    #expect(fixture.hub.repository.commits == ["m"])
    for request in fixture.hub.storageRequests { #expect(request.fields["authorization"] == nil) }
  }

  @Test("sends no large file that is there already")
  func again() async throws {
    let fixture = try HubFixture([:], large: [])
    _ = try await push(fixture)
    fixture.hub.forget()
    _ = try await push(fixture)
    #expect(fixture.hub.storageRequests.isEmpty && fixture.hub.repository.commits.count == 2)
  }

  @Test("that is tried out changes nothing", arguments: [true, false])
  func dryRun(_ isThere: Bool) async throws {
    let fixture = try HubFixture([:], large: [])
    fixture.hub.repository.isThere = isThere
    let answer = try await push(fixture) { $0.isDryRun = true }
    #expect(answer["commit"]?.isNull == true && answer["created"]?.bool == !isThere)
    #expect(fixture.hub.repository.files.isEmpty && fixture.hub.storageRequests.isEmpty)
    #expect(fixture.hub.repository.isThere == isThere)
  }

  @Test(
    "that fails shows nothing in the repository, and the token goes nowhere else",
    arguments: ["/preupload/", "/objects/batch", "/commit/", "PUT"], [400, 403, 503])
  func faults(_ place: String, _ status: Int) async throws {
    let fixture = try HubFixture([:], large: [])
    fixture.hub.setFault { request, reply in
      if request.path.contains(place) || request.method == place { reply = ServedReply(status) }
    }
    await #expect(throws: HubProblem.self) { try await push(fixture) }
    #expect(fixture.hub.repository.files.isEmpty && fixture.hub.repository.commits.isEmpty)
    fixture.hub.setFault(nil)
    _ = try await push(fixture)
    #expect(fixture.hub.repository.files.count == 4)
    for request in fixture.hub.storageRequests { #expect(request.fields["authorization"] == nil) }
  }

  @Test("without a token is refused at once")
  func noToken() async throws {
    let fixture = try HubFixture([:], large: [])
    let settings = HubSettings(["HF_ENDPOINT": fixture.hub.address, "HOME": fixture.folder])
    let client = try HubClient(settings, over: SocketTransport())
    await #expect(throws: HubProblem.self) {
      _ = try await HubService(client, settings, isLive: false).answer(
        .push(RepositoryReference(fixture.name), folder: "/", paths: [], message: "m", options: .init()))
    }
    #expect(fixture.hub.requests.isEmpty)
  }
}
