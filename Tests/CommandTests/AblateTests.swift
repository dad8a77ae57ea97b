import Files
import Foundation
import Testing

@Suite("chimera ablate")
struct AblateTests {
  /// A model that is trained in no time.
  static let tiny = [
    "--set", "layers.count=1", "--set", "hidden_size=16", "--set", "attention.num_heads=2", "--train", "batch=4",
    "--train", "context=16", "--train", "validation_batches=4", "--threads", "1", "--quiet",
  ]

  private func text(in folder: URL) throws -> String {
    try folder.write(
      String(repeating: "the cat sat on the mat, and the dog ran after the cat.\n", count: 80), to: "text.txt")
  }

  private func results(_ folder: URL) throws -> String {
    try String(contentsOf: folder.appending(path: "study/results.json"), encoding: .utf8)
  }

  private func verdicts(_ text: String) throws -> [String: String] {
    var verdicts: [String: String] = [:]
    for arm in try JSONValue(parsing: text)["arms"]?.array ?? [] {
      if let name = arm["name"]?.string { verdicts[name] = arm["difference"]?["verdict"]?.string ?? "baseline" }
    }
    return verdicts
  }

  @Test("a study by flags has a verdict for each value but the model's own, and running it again repeats nothing")
  func flags() throws {
    try withTemporaryFolder { folder in
      let arguments =
        ["ablate", "gpt2-mini", "--vary", "position=learned,rope,none", "--seeds", "3", "--data", try text(in: folder)]
        + ["--train", "steps=6", "--eval-contexts", "1x,2x", "--out", folder.path + "/study"] + Self.tiny
      let run = try Command(arguments, environment: ["CHIMERA_CACHE": folder.path])
      #expect(run.status == 0, "\(run.notes)")
      #expect(run.output.hasPrefix("Against learned: ") && run.output.contains("loss over windows of"))
      #expect(run.output.contains("16 tokens") && run.output.contains("32 tokens"))
      let first = try results(folder)
      #expect(Set(try verdicts(first).keys) == ["learned", "rope", "none"])
      #expect(try String(contentsOf: folder.appending(path: "study/report.md"), encoding: .utf8).contains("| rope | "))
      let again = try Command(arguments.filter { $0 != "--quiet" }, environment: ["CHIMERA_CACHE": folder.path])
      #expect(again.status == 0 && again.notes.contains("all 9 runs are finished"), "\(again.notes)")
      #expect(try results(folder) == first)
    }
  }

  @Test("tasks by themselves, out of order and with one lost, give the same bytes as the whole study")
  func tasks() throws {
    try withTemporaryFolder { folder in
      let environment = ["CHIMERA_CACHE": folder.path]
      let study = try folder.write(
        """
        ablation: q
        base: gpt2-mini
        data: ./text.txt
        train: {steps: 4}
        seeds: 2
        arms: {rms: {norm: rmsnorm}}
        """, to: "q.yaml")
      _ = try text(in: folder)
      let options = ["--out", folder.path + "/study"] + Self.tiny
      let whole = try Command(["ablate", study] + options, environment: environment)
      #expect(whole.status == 0, "\(whole.notes)")
      #expect(whole.output.contains("too few seeds to say"))
      let expected = try results(folder)
      try FileManager.default.removeItem(atPath: folder.path + "/study")
      let plan = try Command(
        ["ablate", "plan", study, "--slurm"] + options.filter { $0 != "--quiet" }, environment: environment)
      #expect(plan.status == 0 && plan.output.contains("#SBATCH --array=0-3"), "\(plan.notes)")
      let part = try Command("ablate", "merge", folder.path + "/study", environment: environment)
      #expect(part.status == 0 && part.output.contains("0 of 4 runs are finished"))
      for task in [3, 0, 2, 0, 1] {
        let run = try Command(
          "ablate", "run", folder.path + "/study", "--task", String(task), "--threads", "1", "--quiet",
          environment: environment)
        #expect(run.status == 0, "\(run.notes)")
        if task == 2, let lost = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/study/tasks").first
        {
          try? FileManager.default.removeItem(atPath: folder.path + "/study/tasks/\(lost)/outcome.json")
        }
      }
      for task in 0..<4 {
        _ = try Command(
          "ablate", "run", folder.path + "/study", "--task", String(task), "--threads", "1", environment: environment)
      }
      #expect(try Command("ablate", "run", folder.path + "/study", "--task", "4", environment: environment).status == 2)
      let merged = try Command(
        "ablate", "merge", folder.path + "/study", "--no-times", "--json", environment: environment)
      #expect(merged.status == 0, "\(merged.notes)")
      #expect(try results(folder) == expected && merged.output == expected)
    }
  }

  @Test("a crippled arm is found, and one that is the baseline over again is not")
  func planted() throws {
    try withTemporaryFolder { folder in
      let study = try folder.write(
        """
        ablation: q
        base: gpt2-mini
        data: \(try text(in: folder))
        train: {steps: 40, lr: 0.01}
        arms: {slow: {train: {lr: 0.0001}}, again: {}}
        """, to: "q.yaml")
      let run = try Command(
        ["ablate", study, "--out", folder.path + "/study", "--json"] + Self.tiny,
        environment: ["CHIMERA_CACHE": folder.path])
      #expect(run.status == 0, "\(run.notes)")
      #expect(
        try verdicts(run.output) == ["baseline": "baseline", "slow": "worse", "again": "no significant difference"])
    }
  }

  @Test("a study without a question is refused in words") func nothing() throws {
    let run = try Command("ablate", "positoin")
    #expect(run.status == 4 && run.notes.contains("did you mean 'position'?"), "\(run.notes)")
    #expect(try Command("ablate", "merge", "/nowhere").status == 4)
    #expect(try Command("ablate", "study").status == 2)
  }

  static let refused: [(name: String, lines: String, words: [String])] = [
    (
      "an unknown key of an arm", "arms: {a: {nrom: rmsnorm}}",
      ["q.yaml:3:12: error: 'nrom' is not a key", "did you mean 'norm'?"]
    ),
    (
      "an impossible match", "arms: {a: {layers: {count: 40}, mlp: {intermediate_size: match_params}}}",
      ["q.yaml:3:58: error: no width of", "the nearest is 1,"]
    ),
    ("no data", "arms: {a: {norm: rmsnorm}}\ndata: []", ["q.yaml:4:7: error: 'data' names no file"]),
    (
      "data that is not there", "arms: {a: {norm: rmsnorm}}\ndata: ./nowhere.txt",
      ["q.yaml:4:7: error: there is no file or folder"]
    ),
    ("two arms of one name", "arms: {a: {norm: rmsnorm}, a: {norm: none}}", ["q.yaml:3:28: error: ", "a second time"]),
    (
      "three arms of one name", "vary: {norm: [rmsnorm, rmsnorm, rmsnorm]}",
      ["q.yaml:3:24: error: an arm is named 'rmsnorm' already at 3:15"]
    ),
    (
      "an unknown setting of the training", "arms: {a: {norm: rmsnorm}}\ntrain: {stps: 3}",
      ["q.yaml:4:9: error: ", "'stps'", "did you mean 'steps'?"]
    ),
    ("a tokenizer of its own", "arms: {a: {tokenizer: gpt2}}", ["q.yaml:3:12: error: arms share one tokenizer"]),
    (
      "sequences beyond the model's table", "arms: {a: {norm: rmsnorm}}\ntrain: {context: 100}",
      ["q.yaml:4:18: error: the model can take 64 tokens"]
    ),
  ]

  @Test("a bad study is refused with its place and the reason, before anything runs", arguments: refused.map(\.name))
  func refuses(_ name: String) throws {
    let found = try #require(Self.refused.first { $0.name == name })
    try withTemporaryFolder { folder in
      let data = found.lines.contains("data:") ? "" : "\ndata: \(try text(in: folder))"
      let study = try folder.write("ablation: q\nbase: gpt2-mini\n\(found.lines)\(data)\n", to: "q.yaml")
      let run = try Command(
        "ablate", study, "--out", folder.path + "/study", environment: ["CHIMERA_CACHE": folder.path])
      #expect(run.status == 3 && run.output.isEmpty)
      for word in found.words { #expect(run.notes.contains(word), "\(run.notes)") }
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/study/tasks"))
    }
  }

  @Test("what is wrong with an option is shown in it") func options() throws {
    try withTemporaryFolder { folder in
      let run = try Command(
        "ablate", "gpt2-mini", "--vary", "norm=rmsnorm,rmsnrm", "--vary", "position", "--data", try text(in: folder))
      #expect(run.status == 3 && run.notes.contains("--vary:2:1: error: 'position' varies nothing"), "\(run.notes)")
      let other = try Command(
        "ablate", "gpt2-mini", "--vary", "norm=rmsnorm,rmsnrm", "--data", try text(in: folder), "--out",
        folder.path + "/s",
        environment: ["CHIMERA_CACHE": folder.path])
      #expect(other.notes.contains("--vary:1:14: error: no normalization is named 'rmsnrm'"), "\(other.notes)")
      #expect(
        other.notes.contains("  1 | norm=rmsnorm,rmsnrm\n    |              ^~~~~~ did you mean 'rmsnorm'?"),
        "\(other.notes)")
    }
  }
}
