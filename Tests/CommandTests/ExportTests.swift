import Foundation
import Testing

/// `chimera export`: folders that appear whole or not at all, and one sentence for what is missing.
@Suite("exporting") struct ExportTests {
  private func names(_ folder: URL) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.sorted() ?? []
  }

  /// A program that stands for a Python: it runs `script`.
  private func python(_ script: String, in folder: URL) throws -> String {
    let path = try folder.write("#!/bin/sh\n\(script)\n", to: "python")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }

  @Test("the source alone has no weights, and its place is the result")
  func source() throws {
    try withTemporaryFolder { folder in
      let output = folder.appending(path: "out")
      let run = try Command("export", "gpt2", "--source", "--output", output.path)
      #expect(run.status == 0 && run.output == output.path + "\n", "\(run.notes)")
      #expect(names(output) == ["README.md", "model.py", "sample.py", "spec.yaml"])
      let text = try String(contentsOf: output.appending(path: "model.py"), encoding: .utf8)
      #expect(text.contains("class Attention(nn.Module):") && text.contains("def init_weights(self):"))
    }
  }

  @Test("a folder that holds something is refused, and stays as it was")
  func occupied() throws {
    try withTemporaryFolder { folder in
      _ = try folder.write("mine", to: "out/notes.txt")
      let run = try Command("export", "gpt2", "--source", "--output", folder.path + "/out")
      #expect(run.status == 1 && run.notes.contains("is there already; name a new folder"), "\(run.notes)")
      #expect(names(folder.appending(path: "out")) == ["notes.txt"])
    }
  }

  @Test(
    "a Python that cannot compare is told of in one sentence, and nothing is left",
    arguments: [
      ("exit 3", "has no torch, which --verify compares with"),
      (
        "[ \"$1\" = -c ] && exit 0; echo 'ValueError: boom' >&2; exit 1", "the exported module failed: ValueError: boom"
      ),
      ("[ \"$1\" = -c ] && exit 0; echo nothing", "the module gave no result"),
    ])
  func failing(_ script: String, _ sentence: String) throws {
    try withTemporaryFolder { folder in
      let program = try python(script, in: folder)
      let output = folder.appending(path: "out")
      let run = try Command(
        "export", "story-llama", "--output", output.path, "--verify", "--python", program)
      #expect(run.status == 1 && run.notes.contains(sentence), "\(run.notes)")
      #expect(names(output) == [] && names(folder) == ["python"], "\(names(folder))")
    }
  }

  @Test(
    "a full disk is said in one sentence, and no folder is left", .enabled(if: Command.mounts, "needs mounts"),
    arguments: [[], ["--to", "hf", "--own-classes"], ["--train", "--setting", "steps=3", "--data"]])
  func fullDisk(_ form: [String]) throws {
    try withTemporaryFolder { folder in
      let disk = folder.path + "/disk"
      try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
      let text = try folder.write((0..<3000).map { "a little girl \($0)\n" }.joined(), to: "text.txt")
      let script = """
        mount -t tmpfs -o size=256k tmpfs "$DISK"
        "$@"; echo "status $?"; find "$DISK" -mindepth 1 | sed 's/^/litter /'
        """
      let run = try Command.inShell(
        script,
        ["export", "story-llama", "--output", disk + "/out"] + form + (form.contains("--data") ? [text] : []),
        environment: ["DISK": disk, "CHIMERA_CACHE": folder.path + "/cache"])
      #expect(run.output == "status 1\n", "\(run.output) \(run.notes)")
      #expect(run.notes.contains("No space left on device"), "\(run.notes)")
    }
  }

  @Test("a difference beyond its tolerance is a failure, and nothing is left")
  func differing() throws {
    try withTemporaryFolder { folder in
      let row = "{\"whole\": 1.0, \"cached\": 0, \"start\": 0, \"loss\": 0, \"gradients\": 0, \"steps\": 0}"
      let program = try python("[ \"$1\" = -c ] && exit 0; echo '\(row)'", in: folder)
      let run = try Command(
        "export", "story-llama", "--output", folder.path + "/out", "--verify", "--python", program)
      #expect(run.status == 1 && run.output.contains("differs"), "\(run.output)\(run.notes)")
      #expect(names(folder) == ["python"])
    }
  }

  @Test("what was exported comes back as the same model", arguments: [[], ["--set", "mlp=\(Self.experts)"]])
  func back(_ changes: [String]) throws {
    try withTemporaryFolder { folder in
      let (out, back) = (folder.path + "/out", folder.path + "/back")
      let made = try Command(["export", "gpt2-nano", "--random-weights", "--output", out] + changes)
      #expect(made.status == 0, "\(made.notes)")
      let run = try Command("import", out, "--output", back)
      #expect(run.status == 0 && run.output == back + "\n", "\(run.notes)")
      let again = try Command("export", back, "--output", folder.path + "/again")
      #expect(again.status == 0, "\(again.notes)")
      let bytes = try ["out", "again"].map { try Data(contentsOf: folder.appending(path: $0 + "/model.safetensors")) }
      #expect(bytes[0] == bytes[1])
    }
  }

  @Test("what came back has its tokenizer, and generates what it did", arguments: ["pytorch", "hf"])
  func generates(_ form: String) throws {
    try withTemporaryFolder { folder in
      let (out, back) = (folder.path + "/out", folder.path + "/back")
      let made = try Command("export", "story-hybrid", "--to", form, "--output", out)
      #expect(made.status == 0, "\(made.notes)")
      #expect(try Command("import", out, "--output", back).status == 0)
      let texts = try ["story-hybrid", back].map { model in
        try Command("run", model, "Once upon", "-n", "6", "--temperature", "0", "--exact")
      }
      #expect(texts[1].status == 0 && texts[1].output == texts[0].output, "\(texts[1].notes)")
    }
  }

  private static let experts = "{type: moe, num_experts: 4, top_k: 2, expert_size: 24, gated: true, activation: silu}"

  @Test("a folder without a tensor of its model does not come back")
  func missing() throws {
    try withTemporaryFolder { folder in
      let out = folder.path + "/out"
      #expect(try Command("export", "gpt2-nano", "--random-weights", "--output", out).status == 0)
      let other = folder.path + "/other"
      #expect(try Command("export", "gpt2-nano", "--source", "--set", "layers.count=5", "--output", other).status == 0)
      try FileManager.default.copyItem(atPath: out + "/model.safetensors", toPath: other + "/model.safetensors")
      let run = try Command("import", other, "--output", folder.path + "/back")
      #expect(run.status == 3 && run.notes.contains("there is no tensor 'layers.4.attn.q.weight'"), "\(run.notes)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/back"))
    }
  }

  @Test("there is no Python at the path: 1, with what to do")
  func noPython() throws {
    try withTemporaryFolder { folder in
      let run = try Command(
        "export", "gpt2", "--output", folder.path + "/out", "--verify", "--python", folder.path + "/none")
      #expect(run.status == 1 && run.notes.contains("--python PATH names one that has torch"), "\(run.notes)")
    }
  }

  @Test("a folder for transformers has code, config, weights and a card, and comes back as the same model")
  func library() throws {
    try withTemporaryFolder { folder in
      let (out, back) = (folder.appending(path: "out"), folder.path + "/back")
      let run = try Command("export", "gpt2-nano", "--to", "hf", "--random-weights", "--output", out.path)
      #expect(run.status == 0 && run.output == out.path + "\n", "\(run.notes)")
      #expect(
        names(out) == [
          "README.md", "config.json", "configuration_gpt2_nano.py", "generation_config.json", "model.safetensors",
          "modeling_gpt2_nano.py", "spec.yaml",
        ])
      // `save_pretrained` keeps the config, and no file that the library does not know.
      try FileManager.default.removeItem(at: out.appending(path: "spec.yaml"))
      let imported = try Command("import", out.path, "--output", back)
      #expect(imported.status == 0, "\(imported.notes)")
      let again = try Command("export", back, "--to", "hf", "--own-classes", "--output", folder.path + "/again")
      #expect(again.status == 0, "\(again.notes)")
      let bytes = try ["out", "again"].map { try Data(contentsOf: folder.appending(path: $0 + "/model.safetensors")) }
      #expect(bytes[0] == bytes[1])
    }
  }

  @Test("what reaches where is said in words and as a document, and nothing is written")
  func reach() throws {
    let words = try Command("export", "gpt2-alibi", "--check")
    #expect(words.status == 0 && words.output.contains("drop without a word"), "\(words.output)\(words.notes)")
    let run = try Command("export", "gpt2-alibi", "--check", "--json")
    let document = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    let served = try #require(document["vllm"] as? [String: Any])
    #expect(served["reached"] as? Bool == false)
    #expect(try Command("export", "gpt2", "--check", "--output", "x").status == 2)
  }

  @Test("a program that trains stands beside its tokens and the weights that a run begins with")
  func training() throws {
    try withTemporaryFolder { folder in
      let text = try folder.write(String(repeating: "so it goes and so it went. ", count: 200), to: "text.txt")
      let (out, ours) = (folder.appending(path: "out"), folder.path + "/ours")
      let data = ["gpt2-nano", "--data", text, "--tokenizer", "char"]
      let run = try Command(
        ["export", "--train", "--output", out.path, "--setting", "steps=3", "--setting", "context=16"] + data)
      #expect(run.status == 0, "\(run.notes)")
      #expect(
        names(out) == [
          "README.md", "model.py", "model.safetensors", "sample.py", "spec.yaml", "train.py", "training.bin",
          "validation.bin", "vocab.json",
        ])
      let program = try String(contentsOf: out.appending(path: "train.py"), encoding: .utf8)
      #expect(
        program.contains("STEPS = 3\n") && program.contains("torch.optim.AdamW(") && !program.contains("SCHEDULE"))
      // The tokens are read by `train` too.
      let again = try Command(
        "train", out.path + "/spec.yaml", "--data", out.path + "/training.bin", "--out", ours, "--steps", "1",
        "--context",
        "16", "--quiet")
      #expect(again.status == 0, "\(again.notes)")
    }
  }

  @Test(
    "what has no form in PyTorch is named, and nothing is left",
    arguments: [
      ("dropout=0.1", 1, "dropout has no form in train.py"),
      ("optimizer=muon", 1, "the optimizer 'muon' has no form in PyTorch"),
      ("stepz=3", 2, "takes a setting of train and its value"), ("steps=no", 2, "--steps takes"),
    ])
  func noForm(_ setting: String, _ status: Int32, _ sentence: String) throws {
    try withTemporaryFolder { folder in
      let text = try folder.write(String(repeating: "so it goes. ", count: 200), to: "text.txt")
      let run = try Command(
        "export", "gpt2-nano", "--train", "--data", text, "--tokenizer", "char", "--setting", setting, "--setting",
        "context=16", "--output", folder.path + "/out")
      #expect(run.status == status && run.notes.contains(sentence), "\(run.status) \(run.notes)")
      #expect(names(folder) == ["text.txt"])
    }
  }
}
