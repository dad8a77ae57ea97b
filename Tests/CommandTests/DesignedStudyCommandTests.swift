import Files
import Foundation
import Testing

@Suite("chimera ablate, with designs, tuning, added seeds and probes")
struct DesignedStudyCommandTests {
  private static let beginning = """
    ablation: q
    base: ./tiny.yaml
    data: ./text.txt
    hold: none
    train: {steps: 4, batch: 2}

    """

  private func results(_ tiny: TinyStudy, _ name: String) throws -> JSONValue {
    try JSONValue(parsing: tiny.text(of: "\(name)/results.json"))
  }

  @Test(
    "a study that asks for more as it learns gives the same bytes killed at any moment, and task by task",
    arguments: [
      "seeds: 3\ntune: {lr: [x0.5, x1, x2]}\nprobes: {recall: {steps: 3, batch: 2}, parity: {steps: 3, batch: 2}}\n",
      "seeds: {from: 3, to: 6}\n",
    ])
  func killed(_ lines: String) throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let study = try folder.write(
        Self.beginning + lines + "arms: {rms: {norm: rmsnorm}, rope: {position: rope}}\n", to: "q.yaml")
      let whole = try tiny.run("ablate", study, "--out", "whole", "-q", "--threads", "1")
      #expect(whole.status == 0, "\(whole.notes)")
      let expected = try tiny.text(of: "whole/results.json")
      for name in ["results.tsv", "report.md", "report.html"] { #expect(try !tiny.text(of: "whole/\(name)").isEmpty) }
      let command = ["ablate", study, "--out", tiny.path("killed"), "-q", "--threads", "1"]
      for step in 0..<20 {
        let seconds = 0.02 + Double((step * 7) % 20) * 0.02
        if try !Command.kill(command, after: seconds, environment: tiny.environment) { break }
      }
      #expect(try tiny.run("ablate", study, "--out", "killed", "-q", "--threads", "1").status == 0)
      #expect(try tiny.text(of: "killed/results.json") == expected)
      // As a cluster does it: a plan, its tasks, and the plan again until there is nothing left.
      for _ in 0..<8 {
        let plan = try tiny.run("ablate", "plan", study, "--out", "tasks", "--json", "--threads", "1")
        #expect(plan.status == 0, "\(plan.notes)")
        var isDone = true
        for task in try JSONValue(parsing: plan.output)["tasks"]?.array ?? [] {
          guard let key = task["key"]?.string, !tiny.exists("tasks/tasks/\(key)/outcome.json") else { continue }
          isDone = false
          #expect(try tiny.run("ablate", "run", "tasks", "--task", key, "-q", "--threads", "1").status == 0)
        }
        if isDone { break }
      }
      #expect(try tiny.run("ablate", "merge", "tasks").status == 0)
      #expect(try tiny.text(of: "tasks/results.json") == expected)
      let run = try results(tiny, "whole")["arms"]?.array?[0]["runs"]?.array?[0]
      #expect((run?["gradient_norm"]?["largest"]?.number ?? 0) > 0 && run?["loss_spikes"]?.integer == 0)
    }
  }

  @Test(
    "a probe's sequences are learned by a model that can: parity of one bit is, and full attention recalls what a window does not"
  )
  func abilities() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let study = try folder.write(
        Self.beginning
          + "set: {hidden_size: 32, layers: {count: 2}, position: rope}\nseeds: 1\nprobes: {brackets: {steps: 300, batch: 16, lr: 0.003}}\n"
          + "arms: {blind: {attention: {window: 1}}}\n", to: "q.yaml")
      let run = try tiny.run("ablate", study, "--out", "s", "-q", "--threads", "1")
      #expect(run.status == 0, "\(run.notes)")
      let arms = try results(tiny, "s")["probes"]?.array?[0]["arms"]?.array ?? []
      let shares = arms.compactMap { $0["accuracies"]?.array?[0]["accuracy"]?.number }
      // A token's own bracket closes half of the time; whoever sees no other token knows no more.
      #expect(shares.count == 2 && shares[0] > shares[1] + 0.1, "\(shares)")
    }
  }

  @Test("a plan says which differences the seeds will show, from the runs so far or from another study") func power()
    throws
  {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      #expect(try tiny.ablate("s", "--vary", "position=learned,rope", "--seeds", "3").status == 0)
      for arguments in [
        ["ablate", "plan", "s", "--threads", "1"],
        [
          "ablate", "plan", tiny.spec, "--data", tiny.text, "--vary", "norm=layernorm,rmsnorm", "--pilot", "s", "--out",
          "p",
        ],
      ] {
        let plan = try Command(arguments, environment: tiny.environment, in: folder)
        #expect(plan.status == 0 && plan.output.contains("Power, from the "), "\(plan.notes)\(plan.output)")
        #expect(plan.output.contains("with 5 from "))
      }
      let none = try Command(
        [
          "ablate", "plan", tiny.spec, "--data", tiny.text, "--vary", "norm=layernorm,rmsnorm", "--pilot", "nowhere",
          "--out", "q",
        ],
        environment: tiny.environment, in: folder)
      #expect(none.status == 4 && none.notes.contains("there are no results in 'nowhere'"), "\(none.notes)")
    }
  }

  @Test("impossible questions are a sentence with its place and status 3, and nothing is made") func refused() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      for (options, sentence) in [
        (["--tune", "lr=x0,x1"], "--tune:1:4: error: a factor is x and a number above 0"),
        (["--tune", "0.5"], "--tune:1:1: error: 'tune' takes auto"),
        (["--probes", "recall,memory"], "--probes:1:8: error: there is no probe 'memory'"),
        (["--combine", "path"], "a path goes over arms"),
        (["--seeds", "{from: 9, to: 3}"], "seeds that are added go from at least 3"),
      ] {
        let run = try Command(
          ["ablate", tiny.spec, "--data", tiny.text, "--vary", "norm=layernorm,rmsnorm", "--out", tiny.path("s")]
            + options,
          environment: tiny.environment)
        #expect(run.status == 3 && run.notes.contains(sentence), "\(run.notes)")
        #expect(!tiny.exists("s/study.yaml"))
      }
    }
  }

  @Test("the schemas are JSON, and a study's keys and results are in them") func schemas() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let study = try JSONValue(parsing: tiny.run("schema", "--study").output)
      for key in ["arms", "combine", "tune", "probes", "seeds"] { #expect(study["properties"]?[key] != nil) }
      #expect(try tiny.ablate("s", "--vary", "position=learned,rope", "--seeds", "2", "--tune", "auto").status == 0)
      let schema = try JSONValue(parsing: tiny.run("schema", "--results").output)
      let results = try results(tiny, "s")
      let known = schema["properties"]?.object?.map { $0.0 } ?? []
      for (key, _) in results.object ?? JSONObject() { #expect(known.contains(key), "\(key)") }
      let arm = schema["properties"]?["arms"]?["items"]?["properties"]?.object?.map { $0.0 } ?? []
      for (key, _) in results["arms"]?.array?[1].object ?? JSONObject() { #expect(arm.contains(key), "\(key)") }
      #expect(try tiny.run("schema", "--study", "--results").status == 2)
    }
  }
}
