import Files
import Foundation
import Testing

@Suite("studies with several budgets, and studies that are killed") struct BudgetCommandTests {
  private func text(in folder: URL) throws -> String {
    try folder.write(
      String(repeating: "the cat sat on the mat, and the dog ran after the cat.\n", count: 80), to: "text.txt")
  }

  private func results(_ path: String) throws -> JSONValue {
    try JSONValue(parsing: String(contentsOfFile: path + "/results.json", encoding: .utf8))
  }

  private static let flat = ["--train", "schedule=wsd", "--train", "warmup=3", "--vary", "position=learned,rope"]

  @Test("the run of a smaller budget ends at the bits of a study of that budget alone") func bits() throws {
    try withTemporaryFolder { folder in
      let environment = ["CHIMERA_CACHE": folder.path]
      let common =
        ["ablate", "gpt2-mini", "--seeds", "2", "--data", try text(in: folder)] + Self.flat + AblateTests.tiny
      // 64 tokens a step: 20, 30 and 40 steps.
      let several = try Command(
        common + ["--budget", "tokens=[2560, 1280, 1920]", "--out", folder.path + "/several"], environment: environment)
      #expect(several.status == 0, "\(several.notes)")
      #expect(several.output.contains("1,280 tokens") && several.output.contains("Budgets."))
      for (place, tokens) in [1280, 1920, 2560].enumerated() {
        let path = folder.path + "/\(tokens)"
        let one = try Command(common + ["--budget", "tokens=\(tokens)", "--out", path], environment: environment)
        #expect(one.status == 0, "\(one.notes)")
        let own = try #require(try results(path)["arms"]?.array)
        let arms = try #require(try results(folder.path + "/several")["arms"]?.array)
        #expect(arms.count == 2 && own.count == 2)
        for (arm, alone) in zip(arms, own) {
          let runs = try #require(arm["runs"]?.array)
          for (run, single) in zip(runs, try #require(alone["runs"]?.array)) {
            let loss = place == 2 ? run["loss"]?.number : run["budgets"]?.array?[place].array?[1].number
            #expect(loss != nil && loss == single["loss"]?.number, "\(tokens) tokens")
          }
        }
      }
      let budgets = try #require(try results(folder.path + "/several")["budgets"]?.array)
      #expect(budgets.compactMap { $0["amount"]?.integer } == [1280, 1920, 2560])
      for name in ["report.html", "report.md"] {
        let report = try String(contentsOfFile: folder.path + "/several/" + name, encoding: .utf8)
        #expect(report.contains("Budgets") && report.contains("1,920 tokens"), "\(name)")
      }
    }
  }

  @Test("budgets whose runs share nothing are refused with the place of the schedule") func shared() throws {
    try withTemporaryFolder { folder in
      let study = try folder.write(
        """
        ablation: q
        base: gpt2-mini
        data: ./text.txt
        budget: {tokens: [16384, 32768]}
        arms: {rms: {norm: rmsnorm}}
        train:
          schedule: cosine
        """, to: "study.yaml")
      _ = try text(in: folder)
      let run = try Command(["ablate", "plan", study, "--out", folder.path + "/s"], environment: [:])
      #expect(
        run.status == 3 && run.notes.contains("study.yaml:7:13") && run.notes.contains("share too little"),
        "\(run.notes)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/s"))
    }
  }

  @Test("what is wrong with a study is told together, from the top of its file down") func together() throws {
    try withTemporaryFolder { folder in
      let study = try folder.write(
        """
        ablation: q
        base: gpt2-mini
        data: ./missing.txt
        train:
          stps: 4
          batch: none
        tune: {lr: [x0]}
        probes: [recal]
        arms:
          a: {norm: {type: rmsnrm}}
          b: {train: {clip: -1}}
        seeds: 0
        """, to: "study.yaml")
      let run = try Command(["ablate", "plan", study, "--out", folder.path + "/s"], environment: [:])
      #expect(run.status == 3)
      let lines = run.notes.split(separator: "\n").compactMap { line -> Int? in
        let parts = line.split(separator: ":")
        return parts.count > 3 && line.contains("study.yaml:") && line.contains("error:") ? Int(parts[1]) : nil
      }
      #expect(lines == [3, 5, 6, 7, 8, 10, 11, 12], "\(run.notes)")
    }
  }

  @Test("a ladder with budgets that is killed at random moments ends in the same results") func killed() throws {
    try withTemporaryFolder { folder in
      let environment = ["CHIMERA_CACHE": folder.path]
      func arguments(_ name: String) throws -> [String] {
        ["ablate", "gpt2-mini", "--seeds", "2", "--data", try text(in: folder), "--ladder", "3"] + Self.flat
          + ["--budget", "tokens=[6400, 12800]", "--out", folder.path + "/" + name] + AblateTests.tiny
      }
      let clock = ContinuousClock()
      let start = clock.now
      let whole = try Command(arguments("whole"), environment: environment)
      let seconds = Double((clock.now - start).components.seconds) + 1
      #expect(whole.status == 0, "\(whole.notes)")
      var killed = 0
      for _ in 0..<8 {
        if try Command.kill(
          arguments("killed"), after: Double.random(in: 0.02...0.3) * seconds, environment: environment)
        {
          killed += 1
        }
      }
      #expect(killed > 0)
      let last = try Command(arguments("killed"), environment: environment)
      #expect(last.status == 0, "\(last.notes)")
      let pages = try ["whole", "killed"].map {
        try String(contentsOfFile: "\(folder.path)/\($0)/results.json", encoding: .utf8)
      }
      #expect(pages[0] == pages[1])
    }
  }
}
