import Foundation
import Testing

/// `chimera save`: folders that appear whole or not at all, and errors that name what works.
@Suite struct SaveTests {
  private static let canTrace = FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")

  /// A folder with a model, its tokenizer and its ids.
  private func model(in folder: URL) throws -> String {
    let path = folder.appending(path: "model")
    try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
    let config = TinyCheckpoint.config.replacing("\"tie_word", with: "\"eos_token_id\": [2, 7], \"tie_word")
    _ = try path.write(config, to: "config.json")
    try TinyCheckpoint.safetensors().write(to: path.appending(path: "model.safetensors"))
    _ = try path.write("{\"a\": 0, \"b\": 1}", to: "vocab_letters.json")
    return path.path
  }

  private func names(_ folder: URL) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.sorted() ?? []
  }

  private static let whole = ["config.json", "model.safetensors", "vocab_letters.json"]
  private static let native = ["generation_config.json", "model.safetensors", "resolved.yaml", "vocab_letters.json"]

  @Test(
    "killed or out of space at any call to the system, it leaves nothing or everything, and the same command goes on",
    .enabled(if: canTrace),
    arguments: [
      ("mkdir", "signal=SIGKILL"), ("write", "signal=SIGKILL"), ("fsync", "signal=SIGKILL"),
      ("rename", "signal=SIGKILL"),
      ("mkdir", "error=ENOSPC"), ("write", "error=ENOSPC"), ("fsync", "error=EIO"), ("rename", "error=EIO"),
    ])
  func faults(_ call: String, _ fault: String) throws {
    try withTemporaryFolder { folder in
      let path = try model(in: folder)
      for (flags, all) in [([], Self.whole), (["--native"], Self.native)] {
        for number in 1...10 {
          let place = folder.appending(path: "place")
          let output = place.appending(path: "out")
          try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
          let arguments = ["save", path, "--output", output.path] + flags
          let traced = try Command.traced(
            ["-f", "-e", "trace=\(call)", "-e", "inject=\(call):\(fault):when=\(number)"], arguments, environment: [:])
          if traced.notes.contains("PTRACE") { return }
          let found = names(output)
          #expect(found == [] || found == all, "\(call) \(fault) \(number): \(found)")
          if found == [] {
            #expect(traced.status != 0, "\(call) \(fault) \(number)")
            let again = try Command(arguments)
            #expect(again.status == 0, "\(call) \(fault) \(number): \(again.notes)")
          }
          #expect(names(output) == all)
          // What the dead process left is gone too.
          #expect(names(place) == ["out"], "\(call) \(fault) \(number): \(names(place))")
          try FileManager.default.removeItem(at: place)
        }
      }
    }
  }

  @Test("a folder that holds something is refused, an empty one taken")
  func places() throws {
    try withTemporaryFolder { folder in
      let path = try model(in: folder)
      _ = try folder.write("mine", to: "full/notes.txt")
      let refused = try Command("save", path, "--output", folder.path + "/full")
      #expect(refused.status == 1 && refused.notes.contains("is there already; name a new folder"))
      #expect(names(folder.appending(path: "full")) == ["notes.txt"])
      try FileManager.default.createDirectory(at: folder.appending(path: "empty"), withIntermediateDirectories: true)
      let taken = try Command("save", path, "--output", folder.path + "/empty/")
      #expect(taken.status == 0 && names(folder.appending(path: "empty")) == Self.whole)
    }
  }

  @Test("the current folder stays itself, and is whole or empty too", .enabled(if: canTrace))
  func currentFolder() throws {
    try withTemporaryFolder { folder in
      let path = try model(in: folder)
      let program = try #require(Command.program).path
      for number in 1...10 {
        let output = folder.appending(path: "out \(number)")
        try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
        let traced = try Command(
          running: "/usr/bin/strace",
          ["-f", "-o", "/dev/null", "-e", "trace=rename", "-e", "inject=rename:signal=SIGKILL:when=\(number)", program]
            + ["save", path, "--output", "."], in: output)
        if traced.notes.contains("PTRACE") { return }
        if traced.status != 0 {
          let again = try Command(["save", path, "--output", "."], in: output)
          #expect(again.status == 0, "\(number): \(again.notes)")
        }
        #expect(names(output) == Self.whole, "\(number)")
      }
    }
  }

  @Test("what a configuration cannot say ends with the option that can")
  func refusals() throws {
    try withTemporaryFolder { folder in
      let path = try model(in: folder)
      let refused = try Command("save", path, "--set", "head.softcap=1", "--output", folder.path + "/out")
      #expect(refused.status == 3 && refused.notes.contains("--native saves a folder that can say any model"))
      #expect(names(folder) == ["model"])
      let native = try Command("save", path, "--set", "head.softcap=1", "--native", "--output", folder.path + "/out")
      #expect(native.status == 0)
      let shown = try Command("show", folder.path + "/out", "--plan")
      #expect(shown.status == 0 && shown.output.contains("softcap"))
    }
  }

  @Test("--to gguf writes a file that is a model, tells how it is stored, and replaces nothing")
  func file() throws {
    try withTemporaryFolder { folder in
      let path = try model(in: folder)
      let output = folder.appending(path: "out.gguf").path
      let saved = try Command(["save", path, "--output", output, "--quantize", "q4_k_m"])
      #expect(saved.status == 0, "\(saved.notes)")
      #expect(saved.output == output + "\n")
      // Rows of 8 numbers are no whole blocks of any kind.
      #expect(saved.notes.contains("f16: 8 tensors"))
      let logits = try Command(["logits", output, "--tokens", "1,2,3"])
      #expect(logits.status == 0, "\(logits.notes)")
      let again = try Command(["save", path, "--output", output])
      #expect(again.status == 1)
      #expect(again.notes.contains("\(output) is there already; name a new file"))
      #expect(names(folder).sorted() == ["model", "out.gguf"])
      for (arguments, sentence) in [
        (["--to", "gguf", "--native"], "--native and --dtype are for folders"),
        (["--quantize", "q8_0"], "--quantize is for GGUF files"),
        (["--to", "gguf", "--quantize", "q9"], "q9"),
      ] {
        let refused = try Command(["save", path, "--output", folder.appending(path: "other").path] + arguments)
        #expect(refused.status == 2, "\(arguments): \(refused.notes)")
        #expect(refused.notes.contains(sentence), "\(arguments): \(refused.notes)")
      }
    }
  }
}
