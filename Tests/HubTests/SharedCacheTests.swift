import Files
import Foundation
import HubCache
import Testing

@Suite("the cache that the Hugging Face tools share")
struct SharedCacheTests {
  @Test(
    "names of repositories are those of the Hub, and nothing that leaves a folder",
    arguments: [
      ("org/name", true), ("gpt2", true), ("a/b.c_d-e", true), ("../x", false), ("org/..", false), ("/org", false),
      ("org/", false), ("a/b/c", false), ("a--b/c", false), ("a/b--c", false), (".a/b", false), ("a/-b", false),
      ("a/b.", false), ("a/b.git", false), ("a\\b", false), ("a/b\u{0}", false), ("é/b", false), ("", false),
      (String(repeating: "a", count: 97), false),
    ])
  func names(_ text: String, _ isName: Bool) {
    #expect((RepositoryName(text) != nil) == isName)
    guard let name = RepositoryName(text) else { return }
    #expect(RepositoryName(folder: name.folder) == name)
  }

  @Test(
    "revisions are what git takes, and nothing that leaves a folder",
    arguments: [
      ("main", true), ("refs/pr/1", true), ("v1.0", true), ("..", false), ("a/../b", false), ("/a", false),
      ("a//b", false), ("a b", false), ("a\nb", false), ("a\\b", false), ("", false), ("a:b", false), (".a", false),
      ("a.lock", false), ("a@{1}", false),
    ])
  func revisions(_ text: String, _ isRevision: Bool) {
    #expect(RepositoryReference.isRevision(text) == isRevision)
    #expect((RepositoryReference("org/name@" + text) != nil) == isRevision)
  }

  @Test(
    "paths in listings stay in their folder",
    arguments: [
      ("a", true), ("a/b.txt", true), ("..", false), ("a/../b", false), ("/a", false), ("a//b", false), ("a/", false),
      ("a\\b", false), ("a\u{0}b", false), ("a\nb", false), ("./a", false), ("", false), ("...", true),
      (".gitignore", true),
      (String(repeating: "a", count: 256), false), (Array(repeating: "a", count: 33).joined(separator: "/"), false),
    ])
  func paths(_ text: String, _ isPath: Bool) { #expect(RepositoryFile.isPath(text) == isPath) }

  @Test("a listing that contradicts itself is refused")
  func listings() throws {
    let (git, commit) = (String(repeating: "a", count: 40), String(repeating: "b", count: 40))
    func file(_ path: String) throws -> RepositoryFile {
      try #require(RepositoryFile(path: path, size: 1, hash: git, gitHash: git))
    }
    #expect(throws: ListingProblem.self) { try RepositoryListing(commit: commit, files: [file("a"), file("a")]) }
    #expect(throws: ListingProblem.self) { try RepositoryListing(commit: commit, files: [file("a"), file("a/b")]) }
    #expect(throws: ListingProblem.self) { try RepositoryListing(commit: "main", files: [file("a")]) }
    #expect(try RepositoryListing(commit: commit, files: [file("b"), file("a/c")]).files.map(\.path) == ["a/c", "b"])
    #expect(RepositoryFile(path: "a", size: -1, hash: git, gitHash: git) == nil)
    #expect(RepositoryFile(path: "a", size: 1, hash: "../../etc", gitHash: git) == nil)
    #expect(RepositoryFile(path: "a", size: 1, hash: git.uppercased(), gitHash: git) == nil)
  }

  @Test("the environment is read as the Hugging Face tools read it")
  func settings() {
    func root(_ environment: [String: String]) -> String {
      HubSettings(environment.merging(["HOME": "/home/u"]) { first, _ in first }).root
    }
    #expect(root([:]) == "/home/u/.cache/huggingface/hub")
    #expect(root(["XDG_CACHE_HOME": "/c"]) == "/c/huggingface/hub")
    #expect(root(["HF_HOME": "~/hf"]) == "/home/u/hf/hub")
    #expect(root(["HF_HOME": "$X/hf", "X": "/y"]) == "/y/hf/hub")
    #expect(root(["HF_HOME": "/a", "HUGGINGFACE_HUB_CACHE": "/b"]) == "/b")
    #expect(root(["HUGGINGFACE_HUB_CACHE": "/b", "HF_HUB_CACHE": "${X}/c", "X": "/y"]) == "/y/c")
    let settings = HubSettings(["HF_ENDPOINT": "https://mirror.example/", "HF_HUB_OFFLINE": "yes"])
    #expect(settings.endpoint == "https://mirror.example" && settings.isOffline)
    #expect(HubSettings(["TRANSFORMERS_OFFLINE": "1"]).isOffline && !HubSettings(["HF_HUB_OFFLINE": "0"]).isOffline)
  }

  @Test("a token is taken from HF_TOKEN, else from its file, and one that would break a header is refused")
  func token() throws {
    try withFolder { folder in
      try " hf_file\n".write(toFile: folder + "/token", atomically: true, encoding: .utf8)
      #expect(try HubSettings(["HF_HOME": folder]).token() == "hf_file")
      #expect(try HubSettings(["HF_HOME": folder, "HF_TOKEN": "hf_env\r\n"]).token() == "hf_env")
      #expect(try HubSettings(["HF_HOME": folder, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"]).token() == nil)
      #expect(throws: FileProblem.self) { try HubSettings(["HF_TOKEN": "a\r\nX-Evil: 1"]).token() }
    }
  }

  @Test("what is placed is found, verified, and removed without what others share")
  func life() throws {
    try withFolder { folder in
      let cache = SharedCache(HubSettings(["HF_HUB_CACHE": folder]))
      let name = try #require(RepositoryName("org/m"))
      let commits = ["1", "2"].map { String(repeating: $0, count: 40) }
      try cache.prepare(name)
      let shared = try blob("shared", of: name, in: cache, at: "sub/shared.txt")
      let own = try ["one", "two"].map { try blob($0, of: name, in: cache, at: "own.txt") }
      for (commit, file) in zip(commits, own) {
        try cache.note(RepositoryListing(commit: commit, files: [shared, file]), of: name)
        try cache.place([shared, file], absent: ["x/none.json"], of: name, at: commit, as: "main")
      }
      #expect(cache.commit(of: name) == commits[1])
      let snapshot = try #require(cache.snapshot(of: RepositoryReference(name)))
      #expect(try String(contentsOfFile: snapshot + "/sub/shared.txt", encoding: .utf8) == "shared")
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: snapshot + "/sub/shared.txt")
          == "../../../blobs/\(shared.hash)")
      #expect(cache.listing(of: name, at: commits[0])?.files == [own[0], shared])
      for commit in commits { #expect(try cache.verify(name, at: commit).damages.isEmpty) }

      let removal = try cache.removal(of: name, at: "111111")
      #expect(removal.bytes == 3 && removal.commits == [commits[0]])
      try cache.remove(removal)
      let left = try #require(try cache.repositories().first)
      #expect(left.snapshots.map(\.commit) == [commits[1]] && left.bytes == 9, "\(left)")
      #expect(throws: FileProblem.self) { try cache.removal(of: name, at: "nope") }

      try "twx".write(toFile: snapshot + "/own.txt", atomically: false, encoding: .utf8)
      #expect(try cache.verify(name, at: commits[1]).damages.map(\.path) == ["own.txt"])
      #expect(try cache.verify(name, at: commits[1], removing: true).damages.count == 1)
      #expect(try cache.verify(name, at: commits[1]).absentCount == 1 && !cache.has(own[1], of: name))
      try cache.remove(try cache.removal(of: name, at: nil))
      #expect(try cache.repositories().isEmpty && namesInFolder(folder + "/.locks").isEmpty)
    }
  }

  @Test("a repository that is being fetched is not removed")
  func locked() throws {
    try withFolder { folder in
      let cache = SharedCache(HubSettings(["HF_HUB_CACHE": folder]))
      let name = try #require(RepositoryName("org/m"))
      try cache.prepare(name)
      let lock = try CacheLock(path: cache.repositoryLockPath(name), isShared: true)
      #expect(lock?.isHeld == true)
      #expect(throws: FileProblem.self) { try cache.remove(cache.removal(of: name, at: nil)) }
      withExtendedLifetime(lock) {}
    }
  }

  @Test("without links a snapshot holds the bytes themselves")
  func copies() throws {
    try withFolder { folder in
      let cache = SharedCache(HubSettings(["HF_HUB_CACHE": folder, "HF_HUB_DISABLE_SYMLINKS": "1"]))
      let name = try #require(RepositoryName("org/m"))
      try cache.prepare(name)
      let file = try blob("bytes", of: name, in: cache, at: "a/b.txt")
      let commit = String(repeating: "c", count: 40)
      try cache.place([file], absent: [], of: name, at: commit, as: "refs/pr/1")
      let place = cache.snapshotFolder(of: name, at: commit) + "/a/b.txt"
      #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: place)) == nil)
      #expect(try String(contentsOfFile: place, encoding: .utf8) == "bytes")
      #expect(cache.commit(of: name, at: "refs/pr/1") == commit)
    }
  }

  /// A file of `name` with the text, whose bytes are put into the cache.
  private func blob(_ text: String, of name: RepositoryName, in cache: SharedCache, at path: String) throws
    -> RepositoryFile
  {
    var hash = SHA1(gitBlobOfSize: text.utf8.count)
    hash.update(text)
    try text.write(
      toFile: cache.folder(of: name) + "/blobs/" + hash.hexadecimal(), atomically: true, encoding: .utf8)
    return try #require(
      RepositoryFile(path: path, size: text.utf8.count, hash: hash.hexadecimal(), gitHash: hash.hexadecimal()))
  }
}

@Suite("git's hash")
struct SHA1Tests {
  // printf '' | git hash-object --stdin; printf 'hello\n' | …; head -c 1000000 /dev/zero | tr '\0' a | …
  @Test(
    "is that of git hash-object",
    arguments: [
      ("", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"), ("hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"),
    ])
  func known(_ text: String, _ hash: String) {
    var own = SHA1(gitBlobOfSize: text.utf8.count)
    own.update(text)
    #expect(own.hexadecimal() == hash)
  }

  // FIPS 180-4's third example: a million times the letter a.
  @Test("does not depend on the pieces that bytes come in", arguments: [1, 63, 64, 65, 1000, 1_000_000])
  func pieces(_ piece: Int) {
    let bytes = [UInt8](repeating: 0x61, count: 1_000_000)
    var hash = SHA1()
    bytes.withUnsafeBytes { bytes in
      for start in stride(from: 0, to: bytes.count, by: piece) {
        hash.update(UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + piece)]))
      }
    }
    #expect(hash.hexadecimal() == "34aa973cd4c4daa4f61eeb2bdbad27316534016f")
  }
}

/// Calls `body` with the path of a folder that is removed afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "chimera-hub-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}
