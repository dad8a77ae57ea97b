import ArgumentParser
import Essentials
import Files
import HubCache

/// `chimera cache verify`: the bytes against their hashes.
struct CacheVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Hash what is in the cache, and compare.",
    discussion: """
      Large files are known by their SHA-256, the others by git's hash. The exit status is 1 when anything is damaged.

        chimera cache verify
        chimera cache verify openai-community/gpt2 --remove-damaged
      """)

  @Argument(help: "The repositories, org/name or org/name@revision. [all]") var repositories: [String] = []
  @Flag(help: "Remove what is damaged, so that the next pull fetches it anew.") var removeDamaged = false
  @Flag(help: "Write a JSON document.") var json = false
  @Flag(name: .shortAndLong, help: "Do not show progress.") var quiet = false

  func validate() throws { _ = try CacheCommand.references(repositories) }

  func run() throws {
    let cache = SharedCache()
    var (document, isDamaged) = ([JSONValue](), false)
    for (name, commit) in try wanted(cache) {
      let found = try cache.verify(name, at: commit, removing: removeDamaged) { path in
        if !quiet, Console.notesAreOnTerminal { Console.status("hashing \(name) \(path)") }
      }
      if !quiet, Console.notesAreOnTerminal { Console.status("") }
      if !found.damages.isEmpty { isDamaged = true }
      if json {
        document.append(entry(name, found))
        continue
      }
      let title = "\(name) at \(commit.prefix(12))"
      for damage in found.damages { Console.write("\(title): \(damage.path): \(damage.sentence)\n") }
      for path in found.unknownPaths { Console.note("note: \(title): nobody noted the hash of \(path)") }
      if found.damages.isEmpty {
        Console.write(
          "\(title): \(found.checkedCount == 1 ? "the file is" : "all \(found.checkedCount.grouped) files are") right\n"
        )
      }
    }
    if json { Console.write(JSONValue.array(document).serialized(pretty: true) + "\n") }
    guard isDamaged else { return }
    throw Failure(
      .failed,
      removeDamaged
        ? "what was damaged has been removed; 'chimera pull' of the model fetches it anew"
        : "the cache is damaged; 'chimera cache verify --remove-damaged' removes what is, and 'chimera pull' fetches it anew"
    )
  }

  private func wanted(_ cache: SharedCache) throws -> [(RepositoryName, String)] {
    let references = try CacheCommand.references(repositories)
    if references.isEmpty {
      return try cache.repositories().flatMap { repository -> [(RepositoryName, String)] in
        guard repository.kind == "model", let name = RepositoryName(repository.name) else { return [] }
        return repository.snapshots.map { (name, $0.commit) }
      }
    }
    return try references.flatMap { reference -> [(RepositoryName, String)] in
      guard let cached = try cache.contents(of: reference.name) else {
        throw Failure(.notFound, "the cache \(cache.root) has no '\(reference.name)'")
      }
      guard reference.revision != nil else { return cached.snapshots.map { (reference.name, $0.commit) } }
      guard let commit = cache.commit(of: reference.name, at: reference.revision),
        cached.snapshots.contains(where: { $0.commit == commit })
      else { throw Failure(.notFound, "the cache \(cache.root) has no '\(reference)'") }
      return [(reference.name, commit)]
    }
  }

  private func entry(_ name: RepositoryName, _ found: CacheVerification) -> JSONValue {
    .object([
      ("name", .string(name.description)), ("commit", .string(found.commit)),
      ("checked", .integer(found.checkedCount)),
      (
        "damaged",
        .array(found.damages.map { .object([("path", .string($0.path)), ("problem", .string($0.sentence))]) })
      ),
      ("unknown", .array(found.unknownPaths.map { .string($0) })),
      ("absent", found.absentCount.map { .integer($0) } ?? .null),
    ])
  }
}

/// `chimera cache remove`: what is no longer wanted.
struct CacheRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove models from the cache.",
    discussion: """
      Bytes that another snapshot of the same repository shows stay. On a terminal it asks; elsewhere --yes is needed.

        chimera cache remove openai-community/gpt2 --dry-run
        chimera cache remove openai-community/gpt2@main --yes
      """)

  @Argument(help: "The repositories, org/name or org/name@revision.") var repositories: [String]
  @Flag(help: "Say what would be removed, and remove nothing.") var dryRun = false
  @Flag(help: "Do not ask.") var yes = false

  func validate() throws { _ = try CacheCommand.references(repositories) }

  func run() throws {
    let cache = SharedCache()
    let removals = try CacheCommand.references(repositories).map { try cache.removal(of: $0.name, at: $0.revision) }
    for removal in removals {
      let part = removal.commits.map { " at " + $0.map { $0.prefix(12) }.joined(separator: ", ") } ?? ""
      Console.note("\(removal.repository.name)\(part): \(removal.bytes.inBytes)")
    }
    if dryRun { return }
    if !yes {
      guard let answer = Console.ask("Remove? [y/N] ") else {
        throw Failure(.usage, "nothing was removed: say --yes, for there is no terminal to ask on")
      }
      guard answer else { throw Failure(.failed, "nothing was removed") }
    }
    for removal in removals { try cache.remove(removal) }
    Console.note("\(removals.reduce(0) { $0 + $1.bytes }.inBytes) freed")
  }
}
