import Files
import Foundation
import Testing

@Suite("chimera train")
struct TrainTests {
  /// A tiny model, a text, and the options of a run over them that takes a fraction of a second and saves often.
  private struct Scene {
    let folder: URL
    let spec: String
    let text: String

    init(in folder: URL, width: Int = 16) throws {
      self.folder = folder
      spec = try folder.write(
        """
        name: small
        vocab_size: 2
        context_length: 16
        hidden_size: \(width)
        position: learned
        norm: layernorm
        layers: {count: 2}
        attention: {num_heads: 2}
        init: depth_scaled

        """, to: "small.yaml")
      // Words by a rule, so that there is something to learn and nothing to fetch.
      let all = ["the", "cat", "sat", "on", "a", "mat", "and", "ate"]
      let words: [String] = (0..<3000).map { (i: Int) -> String in all[(i * i + i / 3) % 8] }
      text = try folder.write(words.joined(separator: " ") + "\n", to: "text.txt")
    }

    var environment: [String: String] { ["CHIMERA_CACHE": folder.path + "/cache"] }

    func arguments(_ out: String, _ more: String...) -> [String] {
      ["train", spec, "--data", text, "--tokenizer", "char", "--out", folder.path + "/" + out] + more
    }

    /// What `run` is asked in most tests: 300 steps, a checkpoint every ten.
    func long(_ out: String, steps: Int = 300) -> [String] {
      arguments(
        out, "--steps", String(steps), "--batch", "4", "--save-every", "10", "--eval-every", "50", "--eval-batches",
        "2",
        "--threads", "2", "--quiet")
    }

    func run(_ arguments: [String]) throws -> Command { try Command(arguments, environment: environment) }

    /// The last checkpoint's files and the metrics without the speed.
    func result(_ out: String) throws -> [String] {
      let run = folder.path + "/" + out
      let names = try FileManager.default.contentsOfDirectory(atPath: run + "/checkpoints").sorted()
      let last = try #require(names.last)
      var result = [last]
      for name in ["model.safetensors", "optimizer.safetensors", "checkpoint.json"] {
        result.append(try SHA256.hexadecimal(ofFile: "\(run)/checkpoints/\(last)/\(name)"))
      }
      let metrics = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8)
      for line in metrics.split(separator: "\n") {
        result.append(String(line.split(separator: ",\"tokens_per_second\"")[0]))
      }
      return result
    }

    /// Names that a run leaves behind only when it is in the middle of writing.
    func litter(_ out: String) throws -> [String] {
      let run = folder.path + "/" + out
      let names = try FileManager.default.subpathsOfDirectory(atPath: run)
      return names.filter { $0.hasSuffix(".tmp") }
    }
  }

  @Test("the folder of a run is a model for the other commands")
  func folderIsModel() throws {
    try withTemporaryFolder { folder in
      let scene = try Scene(in: folder)
      let out = folder.path + "/out"
      let trained = try scene.run(scene.arguments("out", "--steps", "30", "--batch", "4", "--json", "--tensorboard"))
      #expect(trained.status == 0, "\(trained.notes)")
      let summary = try JSONValue(parsing: trained.output)
      #expect(summary["steps"]?.integer == 30 && (summary["validation_loss"]?.number ?? 9) < 2.9)
      #expect(!trained.notes.contains("\r") && !trained.notes.contains("\u{1B}"))
      let written = try scene.run(["run", out, "the cat", "--max-tokens", "5"])
      #expect(written.status == 0 && written.output.count > 3, "\(written.notes)")
      for command in [
        ["check", out], ["show", out], ["tokenize", out, "the cat"], ["logits", out, "--tokens", "1,2"],
      ] {
        #expect(try scene.run(command).status == 0)
      }
      let measured = try scene.run(["eval", out, "--data", scene.text, "--json"])
      let numbers = try JSONValue(parsing: measured.output)
      let (loss, bits) = (numbers["loss"]?.number ?? 0, numbers["bits_per_byte"]?.number ?? 0)
      // A character of this text is a byte.
      #expect(measured.status == 0 && loss > 0.5 && abs(bits - loss / 0.693147180559945) < 1e-9)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: out).contains { $0.hasPrefix("events.out.tfevents.") })
      // Trained on with another architecture: what fits is taken, and the list says what does not.
      let warm = try scene.run(
        scene.arguments("warm", "--steps", "2", "--init-from", out, "--set", "position=rope", "--set", "mlp.gated=true")
      )
      #expect(warm.status == 0, "\(warm.notes)")
      #expect(warm.notes.contains("layers.0.mlp.gate.weight [64, 16]: not there"), "\(warm.notes)")
      #expect(warm.notes.contains("not used: embed.positions.weight"))
    }
  }

  @Test("an adapter of a variant that its family has no names for is read again, and what PEFT leaves out is told")
  func adapted() throws {
    try withTemporaryFolder { folder in
      let scene = try Scene(in: folder)
      func run(_ arguments: [String]) throws -> Command {
        let run = try Command(arguments, environment: scene.environment)
        #expect(run.status == 0, "\(arguments): \(run.notes)")
        return run
      }
      let experts =
        "mlp={type: moe, num_experts: 2, top_k: 1, expert_size: 8, shared_size: 8, gated: true, activation: silu}"
      let (base, adapter) = (folder.path + "/base", folder.path + "/adapter")
      let short = ["--data", scene.text, "--steps", "2", "--batch", "2", "--context", "8", "--quiet"]
      _ = try run(
        ["train", "gpt2-nano", "--tokenizer", "char", "--out", base, "--set", experts, "--set", "hidden_size=32"]
          + short)
      let told = try run(["train", base, "--out", adapter, "--lora", "rank=2"] + short.dropLast())
      #expect(told.notes.contains("PEFT leaves out factors beside experts"), "\(told.notes)")
      let silent = try run(["train", base, "--out", adapter + "2", "--lora", "rank=2,target=attn.q"] + short)
      #expect(!silent.notes.contains("PEFT"), "\(silent.notes)")
      let config = try String(contentsOfFile: adapter + "/adapter_config.json", encoding: .utf8)
      #expect(config.contains("moe.shared.up"))
      #expect(try run(["run", adapter, "the", "-n", "3"]).notes.contains("LoRA of rank 2"))
    }
  }

  @Test("killed at 25 random moments and continued, a run ends in the same bits")
  func kill() throws {
    try withTemporaryFolder { folder in
      let scene = try Scene(in: folder)
      let clock = ContinuousClock()
      let start = clock.now
      let whole = try scene.run(scene.long("whole"))
      let duration = clock.now - start
      #expect(whole.status == 0, "\(whole.notes)")
      let expected = try scene.result("whole")
      #expect(expected.count == 4 + 300 + 6)
      var killed = 0
      var round = 0
      while killed < 25, round < 25 {
        let out = "killed-\(round)"
        round += 1
        for _ in 0..<5 {
          // Somewhere in the first third of what a whole run takes: five kills on the way to its end.
          let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
          let wait = Double.random(in: 0.005...0.35) * seconds
          if try Command.kill(scene.long(out) + ["--resume"], after: wait, environment: scene.environment) {
            killed += 1
          }
        }
        let last = try scene.run(scene.long(out) + ["--resume"])
        #expect(last.status == 0, "\(last.notes)")
        #expect(try scene.result(out) == expected)
        #expect(try scene.litter(out).isEmpty)
      }
      #expect(killed >= 25)
    }
  }

  @Test("Ctrl-C and SIGTERM save, end with 130, and the run goes on from there", arguments: [SIGINT, SIGTERM])
  func stop(_ signal: Int32) throws {
    try withTemporaryFolder { folder in
      let scene = try Scene(in: folder)
      // Long enough that it is not done before the signal comes, on a busy machine too.
      #expect(try scene.run(scene.long("whole", steps: 3000) + ["--save-every", "0"]).status == 0)
      let process = try Command.start(
        scene.long("out", steps: 3000) + ["--save-every", "0"], environment: scene.environment)
      let metrics = folder.path + "/out/metrics.jsonl"
      while process.isRunning, (try? String(contentsOfFile: metrics, encoding: .utf8).count) ?? 0 < 1000 {
        usleep(1000)
      }
      Foundation.kill(process.processIdentifier, signal)
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 130)
      let saved = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/out/checkpoints")
      #expect(saved.count == 1)
      // Without the model and the data: the folder knows them.
      let rest = try scene.run(["train", "--resume", "--out", folder.path + "/out", "--quiet"])
      #expect(rest.status == 0, "\(rest.notes)")
      #expect(try scene.result("out") == scene.result("whole"))
    }
  }

  @Test(
    "an error while writing is said, leaves the checkpoint before it whole, and the run goes on",
    .enabled(if: Command.traces, "needs strace"))
  func writeErrors() throws {
    try withTemporaryFolder { folder in
      let scene = try Scene(in: folder)
      #expect(try scene.run(scene.long("whole")).status == 0)
      let expected = try scene.result("whole")
      // The n-th call of each kind fails, once; early ones while the run is begun, later ones in checkpoints.
      for (call, error, number) in [
        ("write", "ENOSPC", 12), ("write", "ENOSPC", 25), ("write", "ENOSPC", 26), ("write", "EIO", 27),
        ("write", "EDQUOT", 28),
        ("fsync", "EIO", 8), ("fsync", "EIO", 12), ("fsync", "EIO", 16), ("rename", "EIO", 6), ("rename", "ENOSPC", 9),
        ("mkdir", "ENOSPC", 3),
      ] {
        let out = "\(call)-\(error)-\(number)"
        let run = try Command.traced(
          ["-f", "-qq", "-e", "trace=\(call)", "-e", "inject=\(call):error=\(error):when=\(number)"], scene.long(out),
          environment: scene.environment)
        #expect(run.status != 0 && run.status < 128, "\(out): \(run.status) \(run.notes)")
        #expect(run.notes.contains("error: "), "\(out): \(run.notes)")
        #expect(try scene.litter(out).isEmpty, "\(out)")
        let rest = try scene.run(scene.long(out) + ["--resume"])
        #expect(rest.status == 0, "\(out): \(rest.notes)")
        #expect(try scene.result(out) == expected, "\(out)")
      }
    }
  }

  @Test("a full disk is said, and the checkpoint before it stays", .enabled(if: Command.mounts, "needs mounts"))
  func fullDisk() throws {
    try withTemporaryFolder { folder in
      let scene = try Scene(in: folder, width: 56)
      let disk = folder.path + "/disk"
      try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
      // In a mount of its own, which goes when the shell does.
      let script = """
        mount -t tmpfs -o size=2m tmpfs "$DISK"
        "$@"; echo "status $?"
        find "$DISK" -name '*.tmp' | sed 's/^/litter /'; ls "$DISK/out/checkpoints" | sed 's/^/kept /'
        "$1" run "$DISK/out" "the" --max-tokens 3 --quiet > /dev/null && echo "runs"
        """
      let run = try Command.inShell(
        script,
        scene.arguments("disk/out", "--steps", "40", "--batch", "2", "--save-every", "10", "--keep", "9", "--quiet"),
        environment: scene.environment.merging(["DISK": disk]) { $1 })
      #expect(run.output.contains("status 1\n"), "\(run.output) \(run.notes)")
      #expect(run.output.contains("kept step-00000010\n") && !run.output.contains("kept step-00000040"))
      #expect(run.output.contains("runs\n") && !run.output.contains("litter"))
      #expect(run.notes.contains("No space left on device"), "\(run.notes)")
    }
  }

  @Test("a plan tells memory and time and writes nothing; what cannot fit is refused with the numbers")
  func plan() throws {
    try withTemporaryFolder { folder in
      let scene = try Scene(in: folder)
      let plan = try scene.run(scene.arguments("out", "--plan", "--json"))
      #expect(plan.status == 0, "\(plan.notes)")
      let json = try JSONValue(parsing: plan.output)
      let bytes = try #require(json["bytes"])
      let parameters = try #require(json["parameters"]?.integer)
      #expect(bytes["parameters"]?.integer == 4 * parameters && bytes["optimizer"]?.integer == 8 * parameters)
      #expect((json["seconds"]?.number ?? 0) > 0)
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/out"))
      let large = try scene.run(
        scene.arguments(
          "out", "--set", "hidden_size=16384", "--set", "layers.count=200", "--set", "attention.num_heads=128"))
      #expect(large.status == 1 && large.notes.contains("GiB of memory"), "\(large.notes)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/out"))
    }
  }

  @Test("what was asked for wrongly is refused with what would be right")
  func refuses() throws {
    try withTemporaryFolder { folder in
      let scene = try Scene(in: folder)
      for (arguments, status, words) in [
        (scene.arguments("out", "--optimizer", "adam"), 3, "--optimizer:1:1: error: no optimizer is named 'adam'"),
        (
          scene.arguments("out", "--schedule", "{type: cosine, end: 0}"), 3,
          "--schedule:1:16: error: no option here is named 'end'"
        ),
        (scene.arguments("out", "--context", "17"), 2, "16 tokens"),
        (scene.arguments("out", "--steps", "0"), 2, "--steps"),
        (scene.arguments("out", "--data", folder.path + "/none.txt"), 4, "no such file"),
        (["train", scene.spec, "--out", folder.path + "/out"], 2, "--data"),
        (["train", "--data", scene.text, "--out", folder.path + "/out"], 2, "name the model"),
        (["train", scene.spec, "--data", scene.text, "--out", folder.path + "/out"], 3, "--tokenizer"),
      ] as [([String], Int32, String)] {
        let run = try scene.run(arguments)
        #expect(run.status == status && run.notes.contains(words), "\(arguments): \(run.status) \(run.notes)")
      }
      #expect(try scene.run(scene.arguments("out", "--steps", "1", "--quiet")).status == 0)
      let again = try scene.run(scene.arguments("out", "--steps", "1"))
      #expect(again.status == 2 && again.notes.contains("--resume"))
      let changed = try scene.run(scene.arguments("out", "--resume", "--lr", "0.5"))
      #expect(changed.status == 2 && changed.notes.contains("--lr"))
      try String(repeating: "the mat sat on the cat and ate ", count: 20).write(
        toFile: scene.text, atomically: true, encoding: .utf8)
      let data = try scene.run(["train", "--resume", "--out", folder.path + "/out"])
      #expect(data.status != 0 && data.notes.contains("changed"), "\(data.notes)")
    }
  }

  @Test("a tokenizer that was made from a text is read by the other commands", arguments: ["bpe", "char"])
  func tokenizer(_ type: String) throws {
    try withTemporaryFolder { folder in
      let scene = try Scene(in: folder)
      let out = folder.path + "/tokenizer"
      let made = try scene.run([
        "tokenizer", "train", "--type", type, "--vocab-size", "300", "--data", scene.text, "-o", out,
      ])
      #expect(made.status == 0, "\(made.notes)")
      let ids = try scene.run(["tokenize", out, "the cat sat"])
      let text = try scene.run([
        "tokenize", out, "--decode", ids.output.replacing(" ", with: ",").replacing("\n", with: ""),
      ])
      #expect(text.output == "the cat sat\n")
      let trained = try scene.run(
        [
          "train", scene.spec, "--data", scene.text, "--tokenizer", out, "--steps", "2", "--quiet", "--out",
          folder.path + "/run",
        ])
      #expect(trained.status == 0, "\(trained.notes)")
      #expect(try scene.run(["run", folder.path + "/run", "the", "--max-tokens", "2"]).status == 0)
    }
  }
}
