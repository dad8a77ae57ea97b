import FakeHub
import Files
import Foundation
import Hub
import HubCache
import Synchronization
import Testing

/// A hub with one small model, a cache of its own, and what was told meanwhile.
final class HubFixture: Sendable {
  let hub: FakeHub
  let folder: String
  let settings: HubSettings
  let cache: SharedCache
  let pauses = Mutex<[Double]>([])
  let name = RepositoryName("org/m")!
  static let token = "hf_secret"

  /// Bytes that look like nothing, always the same ones.
  static func bytes(_ count: Int, _ seed: UInt64) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    }
  }

  /// A safetensors file with one tensor.
  static func safetensors(_ count: Int, _ name: String = "a") -> [UInt8] {
    let header = Array(#"{"\#(name)":{"dtype":"U8","shape":[\#(count)],"data_offsets":[0,\#(count)]}}"#.utf8)
    return withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header + bytes(count, 7)
  }

  static let weights = "model.safetensors"
  static let standard: [String: [UInt8]] = [
    "config.json": Array(#"{"model_type": "x"}"#.utf8), "tokenizer.json": Array(#"{"a": 1}"#.utf8),
    weights: safetensors(40_000), "pytorch_model.bin": bytes(5000, 3), "README.md": Array("# m\n".utf8),
    "empty.txt": [],
  ]
  static let wanted = ["config.json", "tokenizer.json", weights]

  init(_ files: [String: [UInt8]] = standard, large: Set<String> = [weights, "pytorch_model.bin"]) throws {
    hub = try FakeHub(files: files, large: large)
    folder = FileManager.default.temporaryDirectory.appending(path: "chimera-hub-\(UUID().uuidString)").path
    try makeFolder(folder + "/outside")
    settings = HubSettings([
      "HF_HUB_CACHE": folder + "/outside/hub", "HF_ENDPOINT": hub.address, "HF_TOKEN": Self.token, "HOME": folder,
    ])
    cache = SharedCache(settings)
  }

  deinit { try? removeFolder(folder) }

  func client() throws -> HubClient {
    try HubClient(settings, over: SocketTransport()) { [weak self] seconds in
      self?.pauses.withLock { $0.append(seconds) }
      await Task.yield()
    }
  }

  /// Looks at the model and fetches what it consists of, as `chimera pull` does.
  @discardableResult
  func pull(_ revision: String? = nil, _ paths: [String]? = nil) async throws -> String {
    let preview = folder + "/preview"
    try makeFolder(preview)
    defer { try? removeFolder(preview) }
    let reference = RepositoryReference(name, at: revision)
    let service = HubService(try client(), settings, isLive: false)
    let answered = try await service.answer(.preview(reference, file: nil, folder: preview))
    let seen = try #require(RepositoryPreview(answered))
    let own = RepositoryReference(name, at: seen.revision)
    let answer = try await service.answer(
      .fetch(own, commit: seen.commit, paths: paths ?? seen.files.map(\.path), absent: seen.absent))
    return try #require(answer["folder"]?.string)
  }

  /// The files of a snapshot, with their bytes.
  func files(in snapshot: String) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for case let path as String in FileManager.default.enumerator(atPath: snapshot) ?? .init() {
      let file = snapshot + "/" + path
      if kind(ofPath: file) == .file { files[path] = Array(try Data(contentsOf: URL(fileURLWithPath: file))) }
    }
    return files
  }

  /// Throws unless the model is whole in the cache.
  func expectWhole(_ place: Comment? = nil) throws {
    let snapshot = try #require(cache.snapshot(of: RepositoryReference(name)), place)
    let files = try files(in: snapshot)
    #expect(files.keys.sorted() == Self.wanted.filter { hub.repository.files[$0] != nil }.sorted(), place)
    for (path, bytes) in files { #expect(bytes == hub.repository.files[path], place) }
    try expectClean(place)
  }

  /// What holds however a fetch ended: bytes under a hash have it, links lead to bytes, nothing is outside the cache, and
  /// the token was given to the hub alone.
  func expectClean(_ place: Comment? = nil) throws {
    #expect(try namesInFolder(folder + "/outside").filter { $0 != "hub" } == [], place)
    #expect(try namesInFolder(folder).filter { $0 != "outside" && $0 != "preview" } == [], place)
    let blobs = cache.folder(of: name) + "/blobs"
    for blob in (try? namesInFolder(blobs)) ?? [] where !blob.hasSuffix(".incomplete") {
      #expect(try SharedCache.hash(ofFile: blobs + "/" + blob, like: blob) == blob, place)
    }
    for snapshot in try cache.contents(of: name)?.snapshots ?? [] { #expect(snapshot.danglingPaths == [], place) }
    for request in hub.storageRequests { #expect(request.fields["authorization"] == nil, place) }
  }
}
