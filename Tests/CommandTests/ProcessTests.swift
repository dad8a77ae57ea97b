import Files
import Foundation
import Testing

/// Signals, limits, and what dead processes and bad disks leave.
@Suite struct ProcessTests {
  @Test("a signal that asks for the end saves, and the status is 130", arguments: [SIGINT, SIGTERM, SIGHUP, SIGUSR1])
  func signals(_ number: Int32) throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let process = try Command.start(
        [
          "train", tiny.spec, "--data", tiny.text, "--tokenizer", "char", "--steps", "100000000", "--save-every", "0",
          "--batch", "2", "--threads", "1", "-q", "--out", tiny.path("run"),
        ], environment: tiny.environment)
      for _ in 0..<1200 where (try? tiny.text(of: "run/metrics.jsonl"))?.isEmpty ?? true { usleep(50_000) }
      kill(process.processIdentifier, number)
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 130)
      #expect(try tiny.names("run/checkpoints").count == 1)
      let resumed = try tiny.run("verify", "--hashes", "run")
      #expect(resumed.status == 0, "\(resumed.notes)")
    }
  }

  // Where the dynamic loader lists what it loads when asked so.
  #if os(Linux)
    @Test("the program loads no more of Foundation than its essential part: files import Essentials") func libraries()
      throws
    {
      let listed = try Command(["list"], environment: ["LD_TRACE_LOADED_OBJECTS": "1"]).output
      #expect(listed.contains("libFoundationEssentials"))
      #expect(!listed.contains("libFoundation.so") && !listed.contains("FoundationICU"), "\(listed)")
    }
  #endif

  @Test("a study is told to stop by any of them too, and goes on by its folder") func study() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let process = try Command.start(
        [
          "ablate", tiny.spec, "--vary", "position=learned,rope", "--data", tiny.text, "--train", "steps=20000",
          "--train",
          "batch=2", "--threads", "1", "-q", "--out", tiny.path("s"),
        ], environment: tiny.environment)
      for _ in 0..<1200 {
        let tasks = (try? tiny.names("s/tasks")) ?? []
        if tasks.contains(where: { tiny.exists("s/tasks/\($0)/run/metrics.jsonl") }) { break }
        usleep(50_000)
      }
      kill(process.processIdentifier, SIGHUP)
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 130)
      #expect(tiny.exists("s/report.md"))
    }
  }

  @Test("what nohup started is not ended by a terminal that closes") func nohup() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let script = """
        trap '' HUP; "$0" train "$1" --data "$2" --tokenizer char --steps 400 --batch 2 --threads 1 -q --out "$3" & p=$!
        while [ ! -s "$3/metrics.jsonl" ]; do sleep 0.05; done; kill -HUP $p; wait $p
        """
      let run = try Command(
        running: "sh", ["-c", script, try #require(Command.program).path, tiny.spec, tiny.text, tiny.path("run")],
        environment: tiny.environment)
      #expect(run.status == 0 && run.output.contains("400 steps"), "\(run.notes)")
    }
  }

  @Test("a loss of NaN is no result: eval says which token has it first, with status 1") func notANumber() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      #expect(try tiny.train("run", "--steps", "1").status == 0)
      // The row of a character that comes late in the text: 'k' does not come at all, '2' does in line 2.
      let name = "run/checkpoints/\(try #require(tiny.names("run/checkpoints").first))/model.safetensors"
      try setNaN(in: tiny.path(name), tensor: "embed.tokens", row: 4)
      let damaged = try tiny.run("eval", "run", "--data", "text.txt")
      #expect(damaged.status == 1 && damaged.output.isEmpty && damaged.notes.contains("is damaged"), "\(damaged.notes)")
      try FileManager.default.removeItem(
        atPath: tiny.path("run/checkpoints/\(try #require(tiny.names("run/checkpoints").first))/checkpoint.json"))
      for json in [[], ["--json"]] {
        let run = try Command(
          ["eval", "run", "--data", "text.txt", "-q"] + json, environment: tiny.environment, in: folder)
        #expect(run.status == 1 && run.output.isEmpty, "\(run.output)")
        #expect(run.notes.contains("the loss is NaN: token "), "\(run.notes)")
      }
      #expect(try tiny.run("run", "run", "-n", "3", "-q").status == 1)
    }
  }

  /// Puts a NaN into a row of a tensor of f32.
  private func setNaN(in path: String, tensor: String, row: Int) throws {
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    let length = Int(data.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) })
    let header = try JSONValue(parsing: String(decoding: data[8..<8 + length], as: UTF8.self))
    let name = try #require(header.object?.keys.first { $0.hasPrefix(tensor) })
    let (start, width) = (
      header[name]?["data_offsets"]?.array?[0].integer ?? 0, header[name]?["shape"]?.array?[1].integer ?? 0
    )
    data.replaceSubrange(
      8 + length + start + row * width * 4..<8 + length + start + row * width * 4 + 4, with: [0, 0, 0xC0, 0x7F])
    try data.write(to: URL(fileURLWithPath: path))
  }

  @Test("a bit that flipped in saved weights is found by opening and by verify --hashes, whichever file it is in")
  func hashes() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      #expect(try tiny.train("run", "--steps", "4", "--save-every", "2").status == 0)
      let whole = try tiny.run("verify", "--hashes", "run", "--json")
      #expect(try whole.status == 0 && JSONValue(parsing: whole.output)["files"]?.integer == 8, "\(whole.output)")
      for file in ["model.safetensors", "optimizer.safetensors", "resolved.yaml", "vocab.json"] {
        let name = "run/checkpoints/step-00000004/" + file
        let url = URL(fileURLWithPath: tiny.path(name)).resolvingSymlinksInPath()
        let saved = try Data(contentsOf: url)
        var changed = saved
        changed[changed.count - 3] ^= 1
        try changed.write(to: url)
        let verified = try tiny.run("verify", "--hashes", "run")
        #expect(verified.status == 1 && verified.notes.contains(file), "\(file): \(verified.notes)")
        if file == "model.safetensors" {
          let run = try tiny.run("run", "run", "-n", "1", "-q")
          #expect(run.status == 1 && run.notes.contains("is damaged: the SHA-256 of a sample"), "\(run.notes)")
          try changed.dropLast(4).write(to: url)
          #expect(try tiny.run("run", "run", "-n", "1", "-q").notes.contains("bytes, and "))
        }
        try saved.write(to: url)
      }
      #expect(try tiny.run("verify", "--hashes", "run").status == 0)
      #expect(try tiny.run("verify", "--hashes", "cache").status == 3)
      #expect(try tiny.run("verify", "--hashes", "nowhere").status == 4)
    }
  }

  @Test("checkpoints that a dead process has not come to remove are removed by the next") func leftovers() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      #expect(try tiny.train("run", "--steps", "8", "--save-every", "2", "--keep", "2").status == 0)
      let names = try tiny.names("run/checkpoints")
      #expect(names == ["step-00000006", "step-00000008"])
      // One too many, half of one, and one that was being removed.
      let manager = FileManager.default
      try manager.copyItem(
        atPath: tiny.path("run/checkpoints/step-00000006"), toPath: tiny.path("run/checkpoints/step-00000004"))
      try manager.createDirectory(atPath: tiny.path("run/checkpoints/step-00000002"), withIntermediateDirectories: true)
      try manager.createDirectory(
        atPath: tiny.path("run/checkpoints/.step-00000001.removed.tmp/x"), withIntermediateDirectories: true)
      _ = try folder.write("half", to: "run/metrics.jsonl.1-a.tmp")
      #expect(try tiny.run("train", "--resume", "--out", "run", "-q").status == 0)
      #expect(try tiny.names("run/checkpoints") == names)
      #expect(!tiny.exists("run/metrics.jsonl.1-a.tmp"))
    }
  }

  @Test("a damaged newest checkpoint does not cost the whole one before it") func damagedNewest() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      #expect(try tiny.train("run", "--steps", "8", "--save-every", "2", "--keep", "1").status == 0)
      try FileManager.default.copyItem(
        atPath: tiny.path("run/checkpoints/step-00000008"), toPath: tiny.path("run/checkpoints/step-00000009"))
      let resumed = try tiny.run("train", "--resume", "--out", "run")
      #expect(resumed.status == 0 && resumed.notes.contains("step 9 cannot be used"), "\(resumed.notes)")
      #expect(try tiny.names("run/checkpoints").first == "step-00000008")
    }
  }

  @Test(
    "more memory than ulimit allows is refused in numbers before anything is filled",
    arguments: [
      ["run", "gpt2-xl", "--random-weights", "--tokens", "1,2", "-n", "1"],
      [
        "run", "gpt2-mini", "--random-weights", "--set", "context_length=8000000", "--set", "position=none", "--tokens",
        "1", "-n", "7000000",
      ],
      ["eval", "gpt2-xl", "--random-weights", "--data", "text.txt"],
      ["train", "gpt2-xl", "--data", "text.txt", "--tokenizer", "char", "--out", "run"],
      ["train", "tiny.yaml", "--data", "text.txt", "--tokenizer", "char", "--out", "run", "--batch", "400000"],
    ])
  func memory(_ arguments: [String]) throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let run = try Command(
        arguments + ["-q", "--threads", "1"], environment: tiny.environment, memory: 1 << 30, in: folder)
      #expect(run.status == 1 && run.output.isEmpty, "\(run.status): \(run.notes)")
      #expect(
        run.notes.contains("of memory") && run.notes.contains("can be had (free memory, and what ulimit"),
        "\(run.notes)")
      #expect(!tiny.exists("run/checkpoints"))
    }
  }

  @Test(
    "resume names options that there are",
    arguments: [
      ("--eval-every", "7"), ("--eval-batches", "3"), ("--clip", "0.5"), ("--init-seed", "3"), ("--arithmetic", "bf16"),
      ("--steps", "9"), ("--recompute", ""), ("--optimizer", "lion"), ("--validation-fraction", "0.2"),
    ])
  func resume(_ option: String, _ value: String) throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      #expect(try tiny.train("run", "--steps", "2").status == 0)
      let arguments = ["train", "--resume", "--out", "run", "-q", option] + (value.isEmpty ? [] : [value])
      let run = try Command(arguments, environment: tiny.environment, in: folder)
      #expect(run.status == 2 && run.notes.contains("other settings (\(option))"), "\(run.notes)")
    }
  }

  @Test(
    "training options that are wrong are refused with what they take",
    arguments: [
      ("--steps", "0", "a number of at least 1"), ("--steps", "x", "a number of at least 1"),
      ("--lr", "nan", "0 to 1000"),
      ("--dropout", "1", "but not, 1"), ("--threads", "0", "from 1 to 1024"), ("--arithmetic", "f16", "f32 or bf16"),
      ("--seed", "-1", "integer"), ("--batch", "99999999999999999999", "a number of at least 1"),
    ])
  func wrong(_ option: String, _ value: String, _ words: String) throws {
    let run = try Command("train", "gpt2-nano", "--data", "x", "--out", "/nowhere/x", option, value)
    #expect(run.status == 2 && run.notes.contains("\(option) takes ") && run.notes.contains(words), "\(run.notes)")
  }
}
