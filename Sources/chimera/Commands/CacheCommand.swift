import ArgumentParser
import Essentials
import Files
import HubCache

/// `chimera cache`: the models that were fetched.
struct CacheCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache",
    abstract: "List, verify and remove models that were fetched.",
    discussion: """
      The cache is the one that the Hugging Face tools share: HF_HUB_CACHE, else hub in HF_HOME, else \
      ~/.cache/huggingface/hub. Nothing here uses a network.
      """,
    subcommands: [CacheList.self, CacheVerify.self, CacheRemove.self], defaultSubcommand: CacheList.self)

  /// The repositories that `words` mean; throws for a word that means none.
  static func references(_ words: [String]) throws -> [RepositoryReference] {
    try words.map { word in
      let parts = word.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let name = parts.first.flatMap({ RepositoryName($0) }),
        parts.count == 1 || RepositoryReference.isRevision(parts[1])
      else {
        throw ValidationError("'\(word)' is no repository; it is written org/name or org/name@revision")
      }
      return RepositoryReference(name, at: parts.count == 2 ? parts[1] : nil)
    }
  }
}

/// `chimera cache list`.
struct CacheList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List what is in the cache, with sizes.",
    discussion: """
        chimera cache list
        chimera cache list --json
      """)

  @Flag(help: "Write a JSON document.") var json = false

  func run() throws {
    let cache = SharedCache()
    let repositories = try cache.repositories()
    if json { return Console.write(document(cache, repositories).serialized(pretty: true) + "\n") }
    if repositories.isEmpty {
      Console.note("note: nothing is in the cache \(cache.root); 'chimera pull MODEL' fetches a model")
      return
    }
    var table = TextTable([.left, .left, .left, .right, .right, .left], flexible: [1])
    table.add("repository", "revisions", "commit", "files", "size", "fetched")
    for repository in repositories {
      let name = repository.kind == "model" ? repository.name : "\(repository.kind)s/\(repository.name)"
      let fetched = Self.date(repository.modified)
      for snapshot in repository.snapshots {
        table.add(
          name, snapshot.references.joined(separator: ", "), String(snapshot.commit.prefix(12)),
          snapshot.fileCount.grouped, snapshot.bytes.inBytes, fetched)
      }
      if repository.snapshots.isEmpty { table.add(name, "", "", "0", repository.bytes.inBytes, fetched) }
    }
    Console.write(table.text(width: Console.width))
    for repository in repositories {
      if repository.unfinishedBytes > 0 {
        Console.note(
          "note: \(repository.name) has \(repository.unfinishedBytes.inBytes) of an unfinished download, which "
            + "'chimera pull' continues")
      }
      for snapshot in repository.snapshots where !snapshot.danglingPaths.isEmpty {
        Console.note(
          "note: \(repository.name) at \(snapshot.commit.prefix(12)) has links without bytes: "
            + snapshot.danglingPaths.prefix(3).joined(separator: ", "))
      }
    }
    Console.note("\(repositories.reduce(0) { $0 + $1.bytes }.inBytes) in \(cache.root)")
  }

  private func document(_ cache: SharedCache, _ repositories: [CachedRepository]) -> JSONValue {
    let list = repositories.map { repository -> JSONValue in
      .object([
        ("name", .string(repository.name)), ("type", .string(repository.kind)), ("path", .string(repository.path)),
        ("bytes", .integer(repository.bytes)), ("unfinished_bytes", .integer(repository.unfinishedBytes)),
        ("modified", .integer(repository.modified)),
        (
          "snapshots",
          .array(
            repository.snapshots.map { snapshot in
              .object([
                ("commit", .string(snapshot.commit)), ("revisions", .array(snapshot.references.map { .string($0) })),
                ("files", .integer(snapshot.fileCount)), ("bytes", .integer(snapshot.bytes)),
                ("dangling", .array(snapshot.danglingPaths.map { .string($0) })),
              ])
            })
        ),
      ])
    }
    return .object([
      ("root", .string(cache.root)), ("bytes", .integer(repositories.reduce(0) { $0 + $1.bytes })),
      ("repositories", .array(list)),
    ])
  }

  private static func date(_ seconds: Int) -> String {
    var (time, parts) = (time_t(seconds), tm())
    guard localtime_r(&time, &parts) != nil else { return "" }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
      let count = strftime(text.baseAddress, text.count, "%Y-%m-%d %H:%M", &parts)
      return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}

extension JSONValue {
  /// An object of `members` in their order.
  static func object(_ members: [(String, JSONValue)]) -> JSONValue {
    var object = JSONObject()
    for (key, value) in members { object[key] = value }
    return .object(object)
  }
}
