import Files
import Foundation
import Testing

@Suite("chimera ablate, when something is not as it should be")
struct StudyCommandTests {
  @Test("an arm that diverges, at once or while its time is measured, is named and the others are measured")
  func diverging() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let study = try folder.write(
        """
        ablation: dv
        base: ./tiny.yaml
        data: ./text.txt
        seeds: 3
        hold: none
        arms:
          good: {norm: rmsnorm}
          bad: {layers: {count: 4}, norm: none, mlp: {activation: {type: formula, formula: "1e9*x*x*x"}}}
          hot: {train: {lr: 1000, optimizer: sgd, clip: 0, warmup: 0}}
        train: {steps: 12, batch: 2}
        """, to: "dv.yaml")
      let run = try tiny.run("ablate", study, "--out", "s", "-q", "--threads", "1")
      #expect(run.status == 0, "\(run.notes)")
      #expect(run.output.contains("diverged: bad") && run.output.contains("bad: seed 1 diverged after 0 steps"))
      #expect(run.notes.contains("(bad, seed 2) diverged"), "\(run.notes)")
      #expect(try tiny.names("s/tasks").count == 12)
      let results = try JSONValue(parsing: tiny.text(of: "s/results.json"))
      for arm in results["arms"]?.array ?? [] { #expect(arm["runs"]?.array?.count == 3) }
      let plan = try tiny.run("ablate", "plan", study, "--out", "p", "--threads", "1")
      #expect(plan.status == 0 && plan.output.contains("good"), "\(plan.notes)")
    }
  }

  @Test("an arm without memory is named, the others go on, and the status is 1") func memory() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      // 40,000 million parameters: more than any machine that runs tests has free.
      let run = try tiny.ablate("s", "--vary", "hidden_size=16,600000", "--hold", "none", "--seeds", "2")
      #expect(run.status == 1, "\(run.notes)")
      #expect(
        run.notes.contains("(600000, seed 1) failed: the run needs ") && run.notes.contains("GiB"), "\(run.notes)")
      #expect(run.output.contains("failed: 600000") && run.output.contains("seed 2 failed"))
      #expect(try tiny.text(of: "s/report.md").contains("600000: seed 1 failed: the run needs"))
    }
  }

  @Test("a digit that changed in an outcome is told by merge, which changes nothing, and the task is run again")
  func damaged() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      #expect(try tiny.ablate("s", "--vary", "position=learned,rope", "--seeds", "2").status == 0)
      let before = try tiny.text(of: "s/results.json")
      let name = "s/tasks/\(try #require(tiny.names("s/tasks").first))/outcome.json"
      for damaged in [try tiny.text(of: name).replacing("\"loss\": 5", with: "\"loss\": 4"), ""] {
        // Times stand in the report, and a task that is run again has others.
        let report = try tiny.text(of: "s/report.md")
        _ = try folder.write(damaged, to: name)
        let merge = try tiny.run("ablate", "merge", "s")
        #expect(merge.status == 3 && merge.output.isEmpty, "\(merge.notes)")
        #expect(merge.notes.contains("seed ") && merge.notes.contains(": the outcome ") && merge.notes.contains(name))
        #expect(try tiny.text(of: "s/results.json") == before && tiny.text(of: "s/report.md") == report)
        let again = try tiny.run("ablate", "s", "-q", "--threads", "1")
        #expect(again.status == 0 && again.notes.contains("it is run again"), "\(again.notes)")
        #expect(try tiny.text(of: "s/results.json") == before)
        #expect(try tiny.run("ablate", "merge", "s").status == 0)
      }
    }
  }

  @Test("a study is not begun, nor planned, in another's folder, and the folder's own goes on by its path")
  func folders() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      #expect(try tiny.ablate("s", "--vary", "position=learned,rope", "--seeds", "2").status == 0)
      let before = try Dictionary(
        uniqueKeysWithValues: tiny.names("s").filter { $0.contains(".") && $0 != ".lock" }.map {
          ($0, try tiny.text(of: "s/" + $0))
        })
      for command in [["ablate"], ["ablate", "plan"]] {
        let other = try Command(
          command + [tiny.spec, "--data", tiny.text, "--vary", "norm=layernorm,rmsnorm", "--out", tiny.path("s")],
          environment: tiny.environment)
        #expect(other.status == 2 && other.notes.contains("another study was begun in"), "\(other.notes)")
        #expect(other.notes.contains("vary"), "it says what differs: \(other.notes)")
      }
      for (name, text) in before { #expect(try tiny.text(of: "s/" + name) == text, "\(name)") }
      let lost = "s/tasks/\(try #require(tiny.names("s/tasks").first))"
      try FileManager.default.removeItem(atPath: tiny.path(lost))
      let again = try tiny.run("ablate", "s", "--threads", "1")
      #expect(again.status == 0 && again.notes.contains("1 runs to go, 3 finished"), "\(again.notes)")
      #expect(try tiny.text(of: "s/results.json") == before["results.json"])
      // A run of `train` is not overwritten either.
      #expect(try tiny.train("run", "--steps", "2").status == 0)
      let run = try tiny.ablate("run", "--vary", "position=learned,rope")
      #expect(run.status == 2 && run.notes.contains("and no study"), "\(run.notes)")
    }
  }

  @Test("the report's commands do what they say, from any folder") func commands() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      #expect(try tiny.ablate("a study's", "--vary", "position=learned,rope", "--seeds", "1").status == 0)
      let report = try tiny.text(of: "a study's/report.md")
      let parts = report.components(separatedBy: "```")
      let commands = try #require(parts.first { $0.hasPrefix("sh\n") }).split(separator: "\n").dropFirst()
      #expect(commands.count == 3)
      for command in commands {
        let script = String(command).replacing("chimera", with: "\"$0\"", maxReplacements: 1)
        let run = try Command(
          running: "sh", ["-c", script, try #require(Command.program).path], environment: tiny.environment,
          in: URL(fileURLWithPath: "/"))
        #expect(run.status == 0, "\(command): \(run.notes)")
      }
      #expect(try tiny.run("ablate", "merge", "a study's", "--no-times").status == 0)
      #expect(try !tiny.text(of: "a study's/report.md").contains(folder.path), "without times it is the same anywhere")
    }
  }

  @Test("weights that are only evaluated are evaluated once, with an interval over the text and a verdict from it")
  func evaluated() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      #expect(try tiny.train("run", "--steps", "60", "--lr", "0.01").status == 0)
      let study = try tiny.run(
        "ablate", "--weights", "run", "--vary", "mlp.activation=gelu_tanh,gelu,relu", "--data", "text.txt", "--out",
        "s",
        "--seeds", "3", "--train", "batch=2", "--threads", "1", "-q")
      #expect(study.status == 0, "\(study.notes)")
      #expect(try tiny.names("s/tasks").count == 3, "one run an arm")
      #expect(study.output.contains("paired bootstrap over") && !study.output.contains("paired t test"))
      let arms = try #require(JSONValue(parsing: tiny.text(of: "s/results.json"))["arms"]?.array)
      for arm in arms.dropFirst() {
        let difference = try #require(arm["difference"])
        #expect(difference["pairs"]?.string == "windows")
        let (mean, half) = (difference["mean"]?.number ?? 0, difference["half_width"]?.number ?? 0)
        #expect(half > 0 && (abs(mean) > half) == (["better", "worse"].contains(difference["verdict"]?.string)))
      }
    }
  }

  @Test("'char' reads characters, as train does, and the study can be gone on with") func characters() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let run = try tiny.ablate("s", "--vary", "position=learned,rope", "--seeds", "1", "--tokenizer", "char")
      #expect(run.status == 0, "\(run.notes)")
      #expect(run.notes.contains("the data has 28 characters, and the model's vocab_size is 28"), "\(run.notes)")
      #expect(try tiny.text(of: "s/base.yaml").contains("vocab_size: 28"))
      #expect(try tiny.run("ablate", "s", "-q", "--threads", "1").status == 0)
      #expect(try tiny.run("ablate", "run", "s", "--task", "1", "-q", "--threads", "1").status == 0)
    }
  }

  @Test(
    "an option chooses its component wherever a group is written",
    arguments: [
      "mlp: {activation: {formula: 'max(x, 0)^2'}}",
      "layers: {count: 2, overrides: [{layers: [0], mlp: {activation: {formula: 'max(x, 0)^2'}}}]}",
      "layers: {count: 2, variants: {a: {mlp: {activation: {formula: 'max(x, 0)^2'}}}, b: {}}, pattern: [a, b]}",
    ])
  func chosen(_ lines: String) throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let spec = try folder.write("extends: ./tiny.yaml\nname: variant\n\(lines)\n", to: "variant.yaml")
      let key = try #require(lines.split(separator: ":").first)
      let set = "\(key)=\(lines.dropFirst(key.count + 2))"
      for arguments in [["show", spec, "--plan"], ["show", tiny.spec, "--plan", "--set", set]] {
        let run = try Command(arguments, environment: tiny.environment)
        #expect(run.status == 0 && run.output.contains("formula"), "\(run.notes)")
      }
    }
  }

  @Test(
    "--vary takes every form that --set takes",
    arguments: [
      "mlp.activation=[relu, {formula: 'x * sigmoid(x)'}]",
      "mlp.activation=[relu, {type: formula, formula: 'max(x, 0)^2'}]",
      "layers.overrides=[[{layers: [0], mlp: {activation: {formula: 'max(x, 0)^2'}}}], []]",
    ])
  func forms(_ vary: String) throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let run = try tiny.ablate("s", "--vary", vary, "--seeds", "1", "--hold", "none")
      #expect(run.status == 0, "\(run.notes)")
    }
  }
}
