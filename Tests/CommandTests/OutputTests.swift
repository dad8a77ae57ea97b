import Files
import Foundation
import Testing

/// Class "Files and processes": what is written where, with which status, and never as a command to a terminal.
@Suite("what the program writes")
struct OutputTests {
  private static let spec = """
    name: tiny
    vocab_size: 96
    context_length: 16
    hidden_size: 16
    layers: {count: 1}
    position: {type: learned}
    norm: {type: layernorm, eps: 1.0e-5}
    attention: {num_heads: 2, bias: true}
    mlp: {intermediate_size: 32, activation: gelu_tanh, bias: true}
    head: {tied: true}

    """
  private static let lines = (0..<300).map { "once upon a time there was a little girl \($0)\n" }.joined()

  /// Every option that writes a file, as a command without that file.
  private static func writers(_ folder: URL) throws -> [[String]] {
    let text = try folder.write(lines, to: "text.txt")
    _ = text
    return [
      ["show", "gpt2", "--html"], ["list", "--family", "gpt2", "--html"], ["components", "norm", "--html"],
      ["components", "norm", "--markdown"], ["diff", "gpt2", "gpt2-medium", "--html"],
      ["logits", "story-llama", "--tokens", "1,2", "--output"], ["new", "mine", "--from", "gpt2", "--output"],
    ]
  }

  @Test("no option replaces a link by a file, nor writes beside what it leads to")
  func links() throws {
    try withTemporaryFolder { folder in
      for (number, writer) in try Self.writers(folder).enumerated() {
        let target = folder.appending(path: "real-\(number)")
        if writer[0] != "new" { try Data("old".utf8).write(to: target) }
        let link = folder.appending(path: "link-\(number)")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
        let run = try Command(writer + [link.path])
        #expect(run.status == 0, "\(writer): \(run.notes)")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == target.path, "\(writer)")
        #expect(try Data(contentsOf: target).count > 100, "\(writer)")
      }
    }
  }

  @Test("what is written to /dev/stdout is the result, and nothing else is; /dev/null stays a device")
  func devices() throws {
    let page = try Command("show", "gpt2", "--html", "/dev/stdout")
    #expect(page.status == 0 && page.output.hasPrefix("<!") && page.output.hasSuffix("</html>\n"), "\(page.notes)")
    let null = try Command("show", "gpt2", "--html", "/dev/null")
    #expect(null.status == 0 && null.output.isEmpty)
    #expect(kind(ofPath: "/dev/null") == .other)
  }

  @Test("where nothing can be written the command failed: 1, and leaves nothing")
  func unwritable() throws {
    try withTemporaryFolder { folder in
      let plain = try folder.write("", to: "plain")
      for writer in try Self.writers(folder) {
        for place in ["/proc/none", plain + "/x", folder.path + "/none/x"] {
          let run = try Command(writer + [place])
          #expect(run.status == 1 && run.output.isEmpty, "\(writer) \(place): \(run.status) \(run.notes)")
          #expect(run.notes.contains("error: cannot write"), "\(run.notes)")
        }
      }
      let spec = try folder.write(Self.spec, to: "tiny.yaml")
      let text = try folder.write(Self.lines, to: "text.txt")
      for place in ["/proc/run", plain + "/run"] {
        let train = try Command(
          "train", spec, "--data", text, "--tokenizer", "char", "--steps", "1", "--out", place, "-q",
          environment: ["CHIMERA_CACHE": folder.path])
        #expect(train.status == 1, "\(train.notes)")
        let made = try Command("tokenizer", "train", "--vocab-size", "300", "--data", text, "-o", place)
        #expect(made.status == 1, "\(made.notes)")
      }
    }
  }

  @Test("without a folder for the cache every command works, and says which variables name another")
  func cache() throws {
    try withTemporaryFolder { folder in
      let environment = ["CHIMERA_CACHE": try folder.write("", to: "plain") + "/cache"]
      let text = try folder.write(Self.lines, to: "text.txt")
      let eval = try Command("eval", "story-gpt2", "--data", text, "--threads", "1", environment: environment)
      #expect(eval.status == 0 && eval.notes.contains("CHIMERA_CACHE or XDG_CACHE_HOME"), "\(eval.notes)")
      let kept = try Command(
        "eval", "story-gpt2", "--data", text, "--threads", "1", environment: ["CHIMERA_CACHE": folder.path])
      #expect(kept.output == eval.output && !kept.notes.contains("CHIMERA_CACHE"))
      let train = try Command(
        ["train", "story-gpt2", "--data", text, "--steps", "1", "--batch", "1", "--context", "8", "--threads", "1"]
          + ["--out", folder.path + "/run", "-q"], environment: environment)
      #expect(train.status == 0 && train.notes.contains("XDG_CACHE_HOME"), "\(train.notes)")
      let ablate = try Command(
        ["ablate", try folder.write(Self.spec, to: "tiny.yaml"), "--vary", "position=learned,rope", "--seeds", "2"]
          + ["--data", text, "--train", "steps=2", "--train", "batch=2", "--threads", "1", "-q", "--out"]
          + [folder.path + "/study"], environment: environment)
      #expect(ablate.status == 0 && ablate.notes.contains("XDG_CACHE_HOME"), "\(ablate.notes)")
    }
  }

  /// A string that sets a terminal's title, colours it, and turns a text round.
  private static let hostile = "\u{1B}]0;owned\u{7}\u{1B}[31m\u{9B}1m\u{202E}"

  private func expectHarmless(_ run: Command, _ what: String) {
    for text in [run.output, run.notes] {
      #expect(
        text.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || !$0.controlsTerminals }, "\(what): \(text)")
    }
    #expect(!(run.output + run.notes).isEmpty, "\(what)")
  }

  @Test("names and texts of files reach neither output with their control characters")
  func terminals() throws {
    try withTemporaryFolder { folder in
      let hostile = Self.hostile
      func json(_ text: String) -> String { JSONValue.string(text).serialized() }
      let model = folder.appending(path: "m")
      for (what, config, header) in [
        (
          "a dtype", #"{"model_type": "llama"}"#,
          "{\"a\": {\"dtype\": \(json("F" + hostile)), \"shape\": [1], \"data_offsets\": [0, 4]}}"
        ),
        (
          "a tensor's name", #"{"model_type": "llama"}"#,
          "{\(json(hostile)): {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}"
        ),
        (
          "model_type", "{\"model_type\": \(json("x" + hostile))}",
          #"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}"#
        ),
        ("a key", "{\(json(hostile)): 1, \(json(hostile)): 2}", "{}"),
      ] {
        _ = try model.write(config, to: "config.json")
        var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
        bytes += [0, 0, 0, 0]
        try Data(bytes).write(to: model.appending(path: "model.safetensors"))
        expectHarmless(try Command("check", model.path), what)
      }
      let tokenizer = try folder.write("{\"model\": {\"type\": \(json("B" + hostile))}}", to: "tokenizer.json")
      expectHarmless(try Command("tokenize", tokenizer, "hi"), "a tokenizer's type")
      let escaped = #"T\e]0;owned\a\e[31m\u202e"#
      let spec = try folder.write(
        "extends: gpt2\nname: nn\nfacts: {title: \"\(escaped)\", licence: \"\(escaped)\", note: \"\(escaped)\"}\n",
        to: "f.yaml")
      for command in [
        ["show", spec], ["show", spec, "--json"], ["show", spec, "--yaml"], ["diff", "gpt2", spec], ["check", spec],
      ] {
        expectHarmless(try Command(command), "\(command)")
      }
      let layer = try folder.write("extends: gpt2\n\"\(escaped)\": 1\nnorm: \"\(escaped)\"\n", to: "g.yaml")
      expectHarmless(try Command("check", layer), "a key and a name")
      expectHarmless(try Command("run", "story-llama", "--no\(hostile)"), "an option")
      expectHarmless(try Command("show", "no\(hostile)"), "an argument")
    }
  }

  @Test("text that a tokenizer decodes is data, and goes out as it is where there is no terminal")
  func generated() throws {
    try withTemporaryFolder { folder in
      let tokenizer = try folder.write("{\"a\": 0, \"\\u001b\": 1}", to: "vocab.json")
      let run = try Command("tokenize", tokenizer, "--decode", "0,1,0")
      #expect(run.status == 0 && run.output == "a\u{1B}a\n", "\(run.notes)")
    }
  }

  @Test("an option that nobody wrote is missed in the file, by the component that wants it")
  func place() throws {
    try withTemporaryFolder { folder in
      let spec = Self.spec.split(separator: "\n").filter { !$0.hasPrefix("attention") }.joined(separator: "\n")
      let file = try folder.write(spec, to: "x.yaml")
      let run = try Command("check", file)
      #expect(
        run.status == 3 && run.notes.hasPrefix("\(file):1:1: error: 'attention' needs 'num_heads'"), "\(run.notes)")
    }
  }

  @Test(
    "a full pipe that does not wait is waited for, not asked again and again",
    .enabled(if: kind(ofPath: "/proc/self/stat") == .file))
  func fullPipe() throws {
    // The processor's time of a process that waits does not grow; one that spins uses as much as passes.
    let program = try #require(Command.program)
    var ends: [Int32] = [0, 0]
    #expect(Foundation.pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    _ = fcntl(ends[1], F_SETFL, fcntl(ends[1], F_GETFL) | O_NONBLOCK)
    let process = Process()
    (process.executableURL, process.arguments) = (program, ["list", "--json"])
    process.standardOutput = FileHandle(fileDescriptor: ends[1], closeOnDealloc: false)
    process.standardError = FileHandle.nullDevice
    try process.run()
    func ticks() throws -> Int {
      let text = try String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)
      let fields = text.split(separator: " ")
      return (Int(fields[13]) ?? 0) + (Int(fields[14]) ?? 0)
    }
    // Until it has stopped working: that long it may compute what it writes.
    var (before, after) = (-1, try ticks())
    for _ in 0..<200 where before != after {
      usleep(300_000)
      (before, after) = (after, try ticks())
    }
    #expect(process.isRunning && before == after)
    // The tests' threads block SIGTERM, and what they start inherits that: only SIGKILL ends it for certain.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}
