import FakeHub
import Files
import Foundation
import Testing

/// A hub with a small model of the llama family, and commands that speak to it through `chimera-net`.
private struct ServedModel {
  let hub: FakeHub
  let folder: URL

  /// Whether `make network` has been run.
  static let isBuilt = FileManager.default.isExecutableFile(
    atPath: Command.package.path + "/.build/network/release/chimera-net")

  static let model = Command.package.appending(path: "Models/story-llama")
  /// The files that a pull fetches.
  static let names = ["config.json", "model.safetensors", "tokenizer.json"]

  init(_ folder: URL) throws {
    self.folder = folder
    var files: [String: [UInt8]] = ["README.md": Array("# story\n".utf8), "pytorch_model.bin": [1, 2, 3]]
    for name in Self.names {
      files[name] = Array(try Data(contentsOf: Self.model.appending(path: name)))
    }
    hub = try FakeHub("org/story", files: files, large: ["model.safetensors", "pytorch_model.bin"])
  }

  func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Command {
    try Command(arguments, environment: self.environment.merging(environment) { $1 })
  }

  var environment: [String: String] {
    [
      "HF_HUB_CACHE": folder.path + "/hub", "HF_ENDPOINT": hub.address, "HF_TOKEN": "hf_secret", "HF_HUB_OFFLINE": "",
      "TRANSFORMERS_OFFLINE": "", "HF_HUB_DOWNLOAD_TIMEOUT": "10",
    ]
  }
}

@Suite("models by name", .enabled(if: ServedModel.isBuilt, "make network"))
struct HubCommandTests {
  @Test("check of a repository reads less than a megabyte, and fetches nothing")
  func check() throws {
    try withTemporaryFolder { folder in
      let served = try ServedModel(folder)
      let run = try served.run("check", "org/story", "--json")
      #expect(run.status == 0, "\(run.notes)")
      let json = try JSONValue(parsing: run.output)
      #expect(json["model"]?.string == "org/story" && (json["parameters"]?.integer ?? 0) > 1_000_000)
      #expect((json["read_bytes"]?.integer ?? .max) < 100_000)
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/hub"))
      let show = try served.run("show", "org/story")
      #expect(show.status == 0 && show.output.contains("org/story"), "\(show.output)\(show.notes)")
    }
  }

  @Test(
    "pull, then run: without the network, under the repository's name, with the text of the same weights in a folder")
  func pull() throws {
    try withTemporaryFolder { folder in
      let served = try ServedModel(folder)
      let dry = try served.run("pull", "org/story", "--dry-run")
      #expect(
        dry.status == 0 && dry.output.contains("model.safetensors") && !dry.output.contains("pytorch"), "\(dry.notes)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/hub"))
      let pull = try served.run("pull", "org/story")
      #expect(pull.status == 0, "\(pull.notes)")
      let place = pull.output.trimmingCharacters(in: .newlines)
      #expect(place.hasPrefix(folder.path + "/hub/models--org--story/snapshots/"))
      #expect(!pull.notes.contains("\u{1B}") && !pull.notes.contains("hf_secret"))
      for request in served.hub.storageRequests { #expect(request.fields["authorization"] == nil) }
      let arguments = ["Once upon", "-n", "12", "--temperature", "0", "-q", "--threads", "1"]
      let offline = served.environment.merging(["HF_HUB_OFFLINE": "1"]) { $1 }
      let named = try Command(["run", "org/story"] + arguments, environment: offline)
      let there = try Command(["run", ServedModel.model.path] + arguments)
      #expect(named.status == 0 && named.output == there.output && !there.output.isEmpty, "\(named.notes)")
      let again = try Command(["pull", "org/story"], environment: offline)
      #expect(again.status == 0 && again.output == pull.output, "\(again.notes)")
      let list = try Command(["cache", "list", "--json"], environment: offline)
      #expect(try JSONValue(parsing: list.output)["repositories"]?.array?.count == 1)
      #expect(try Command(["cache", "verify"], environment: offline).status == 0)
      let removed = try Command(["cache", "remove", "org/story", "--yes"], environment: offline)
      #expect(removed.status == 0 && !FileManager.default.fileExists(atPath: place), "\(removed.notes)")
      #expect(try Command(["cache", "remove", "org/story", "--yes"], environment: offline).status == 4)
    }
  }

  @Test("--yes fetches and goes on; without it and without a terminal nothing is asked of the hub")
  func offer() throws {
    try withTemporaryFolder { folder in
      let served = try ServedModel(folder)
      let arguments = ["run", "org/story", "Once", "-n", "2", "--temperature", "0", "-q", "--threads", "1"]
      let refused = try Command(arguments, environment: served.environment)
      #expect(refused.status == 4 && refused.notes.contains("'chimera pull org/story'"), "\(refused.notes)")
      #expect(served.hub.requests.isEmpty)
      let fetched = try Command(arguments + ["--yes"], environment: served.environment)
      #expect(fetched.status == 0 && fetched.notes.contains("fetching "), "\(fetched.notes)")
      let again = try Command(arguments, environment: served.environment)
      #expect(again.status == 0 && again.output == fetched.output && again.notes.isEmpty, "\(again.notes)")
    }
  }

  @Test("a model that no family fits is not fetched")
  func misfit() throws {
    try withTemporaryFolder { folder in
      let served = try ServedModel(folder)
      let config = String(decoding: served.hub.repository.files["config.json"] ?? [], as: UTF8.self)
      served.hub.repository.files["config.json"] = Array(
        config.replacing(/"num_hidden_layers": *\d+/, with: "\"num_hidden_layers\": 99").utf8)
      let run = try served.run("pull", "org/story")
      #expect(run.status == 3 && run.notes.contains("nothing was fetched"), "\(run.notes)")
      #expect(!run.notes.contains("chimera-") || !run.notes.contains("/tmp/"), "\(run.notes)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/hub"))
      #expect(try served.run("pull", "org/story", "--unchecked").status == 0)
    }
  }

  @Test(
    "what is wrong is said with what to do, and with the status of its kind",
    arguments: [
      ("org/nope", [:], 4, "there is no repository 'org/nope'"),
      ("org/story@nope", [:], 4, "has no branch, tag or commit 'nope'"),
      ("org/story", ["HF_HUB_OFFLINE": "1"], 1, "HF_HUB_OFFLINE is set"),
      ("org/story", ["HF_ENDPOINT": "http://127.0.0.1:9"], 1, "cannot be reached"),
      ("org/story", ["HF_ENDPOINT": "nonsense"], 2, "expected an address"),
      ("org/story", ["HF_TOKEN": "a b"], 1, "no token"), ("nope-1b", [:], 4, "there is no model 'nope-1b'"),
      ("../story", [:], 4, "there is no file or folder '../story'"),
      ("gpt2-nano", [:], 4, "nothing is known of where the weights"),
    ] as [(String, [String: String], Int32, String)])
  func messages(_ name: String, _ environment: [String: String], _ status: Int32, _ words: String) throws {
    try withTemporaryFolder { folder in
      let run = try ServedModel(folder).run("pull", name, environment: environment)
      #expect(run.status == status && run.notes.contains(words) && run.output.isEmpty, "\(run.status) \(run.notes)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/hub/models--org--story"))
    }
  }

  @Test("two processes at once leave one model; a killed one leaves what the next continues")
  func processes() throws {
    try withTemporaryFolder { folder in
      let served = try ServedModel(folder)
      served.hub.setFault { request, reply in if request.path.utf8.count == 65 { reply.delay = 0.5 } }
      let runs = try (0..<2).map { _ in try Command.start(["pull", "org/story"], environment: served.environment) }
      for run in runs {
        run.waitUntilExit()
        #expect(run.terminationStatus == 0)
      }
      #expect(try served.run("cache", "verify").status == 0)
      #expect(served.hub.storageRequests.filter { $0.fields["range"] == nil }.count == 1)
      _ = try served.run("cache", "remove", "org/story", "--yes")
      served.hub.setFault { request, reply in
        guard request.path.utf8.count == 65, request.fields["range"]?.hasSuffix("-") ?? true else { return }
        // What comes is cut, and what is asked for next does not come.
        reply.cut = 100_000
        if request.fields["range"] != nil { reply.delay = 5 }
      }
      #expect(try Command.kill(["pull", "org/story"], after: 1, environment: served.environment))
      served.hub.setFault(nil)
      #expect(try served.run("pull", "org/story").status == 0)
      #expect(try served.run("cache", "verify").status == 0)
      #expect(try served.run("check", "org/story").status == 0)
    }
  }

  @Test("a disk that fills up meanwhile leaves no snapshot, and the next pull continues", .enabled(if: Command.traces))
  func fills() throws {
    try withTemporaryFolder { folder in
      let served = try ServedModel(folder)
      let options = ["-f", "-qq", "-e", "trace=pwrite64", "-e", "inject=pwrite64:error=ENOSPC:when=6+"]
      let run = try Command.traced(options, ["pull", "org/story"], environment: served.environment)
      #expect(
        run.status == 1 && run.notes.contains("No space left on device; what has arrived is kept"), "\(run.notes)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/hub/models--org--story/snapshots"))
      let list = try JSONValue(parsing: try served.run("cache", "list", "--json").output)
      // Several files come at once, and each of them may have been under way.
      let blobs = folder.appending(path: "hub/models--org--story/blobs")
      let partial = try FileManager.default.contentsOfDirectory(atPath: blobs.path).filter {
        $0.hasSuffix(".incomplete")
      }
      let kept = try partial.map { try Data(contentsOf: blobs.appending(path: $0)).count }.filter { $0 > 0 }
      #expect(list["repositories"]?.array?.first?["unfinished_bytes"]?.integer == kept.reduce(0, +))
      served.hub.forget()
      #expect(try served.run("pull", "org/story").status == 0)
      let asked = served.hub.requests.compactMap { $0.fields["range"] }.filter { $0.hasSuffix("-") }
      let starts = asked.compactMap { Int($0.dropFirst("bytes=".count).dropLast()) }
      // A file that had arrived whole is not asked for again.
      let whole = try ServedModel.names.map { try Data(contentsOf: ServedModel.model.appending(path: $0)).count }
      #expect(starts.sorted() == kept.filter { !whole.contains($0) }.sorted())
      #expect(try served.run("cache", "verify").status == 0)
    }
  }

  @Test("a full disk ends with a sentence, and nothing that is shown is half", .enabled(if: Command.mounts))
  func fullDisk() throws {
    try withTemporaryFolder { folder in
      let served = try ServedModel(folder)
      let script = """
        mkdir -p "$HF_HUB_CACHE"; mount -t tmpfs -o size=1m tmpfs "$HF_HUB_CACHE"; "$@"; status=$?; \
        ls "$HF_HUB_CACHE"/*/snapshots 2>/dev/null; exit $status
        """
      let run = try Command.inShell(script, ["pull", "org/story"], environment: served.environment)
      #expect(run.status == 1 && run.output.isEmpty, "\(run.status) \(run.output)")
      #expect(run.notes.contains("are needed and") && run.notes.contains("chimera cache remove"), "\(run.notes)")
    }
  }

  @Test("a saved model is pushed, and pulled again it is the same")
  func push() throws {
    try withTemporaryFolder { folder in
      let served = try ServedModel(folder)
      let files = served.hub.repository.files
      served.hub.repository.files = [:]
      served.hub.repository.large = []
      served.hub.repository.isThere = false
      let source = folder.path + "/model"
      let saved = try Command("save", ServedModel.model.path, "--output", source)
      #expect(saved.status == 0, "\(saved.notes)")
      let dry = try served.run("push", source, "org/story", "--dry-run")
      #expect(
        dry.status == 0 && dry.output.contains("model.safetensors") && dry.notes.contains("would be made"),
        "\(dry.notes)")
      #expect(served.hub.repository.files.isEmpty)
      let push = try served.run("push", source, "org/story", "--message", "first")
      #expect(push.status == 0 && served.hub.repository.commits == ["first"], "\(push.notes)")
      #expect(served.hub.repository.files["model.safetensors"]?.count == files["model.safetensors"]?.count)
      #expect(try served.run("pull", "org/story").status == 0)
      let none = try served.run("push", source, "org/story", environment: ["HF_TOKEN": "", "HF_HOME": folder.path])
      #expect(none.status == 2 && none.notes.contains("needs a token"), "\(none.notes)")
      let other = try served.run("push", Command.package.path + "/Documentation", "org/story")
      #expect(other.status == 3, "\(other.notes)")
    }
  }
}

@Suite("where chimera-net is not built")
struct NoNetworkTests {
  @Test("the message says the one command that builds it", .enabled(if: !ServedModel.isBuilt))
  func missing() throws {
    let run = try Command("pull", "org/story")
    #expect(run.status == 1 && run.notes.contains("'make network' builds it"), "\(run.notes)")
  }
}
