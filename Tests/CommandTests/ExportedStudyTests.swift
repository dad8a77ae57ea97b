import Files
import Foundation
import Testing

@Suite("chimera ablate, when PyTorch trains the arms")
struct ExportedStudyTests {
  private let arguments = [
    "--vary", "position=learned,rope", "--seeds", "2", "--train", "steps=2", "--train", "batch=2",
  ]

  private func plan(_ tiny: TinyStudy, _ out: String, _ more: String...) throws -> Command {
    try Command(
      [
        "ablate", "plan", tiny.spec, "--data", tiny.text, "--threads", "1", "--engine", "torch", "--out",
        tiny.path(out),
      ]
        + arguments + more, environment: tiny.environment, in: tiny.folder)
  }

  /// What train.py leaves of a run of two steps: here the weights that it began with, and losses of our own.
  private func pretendRun(_ tiny: TinyStudy, _ task: String, loss: Double, precision: String = "f32") throws {
    let exported = "\(task)/exported"
    try FileManager.default.createDirectory(atPath: tiny.path(exported + "/run"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: tiny.path(exported + "/model.safetensors"), toPath: tiny.path(exported + "/run/model.safetensors"))
    var lines: [String] = []
    for step in 1...2 {
      lines.append(
        "{\"step\":\(step),\"loss\":\(loss),\"lr\":0.001,\"gradient_norm\":1.5,\"tokens\":\(step * 32),\"tokens_per_second\":100.0}"
      )
      lines.append("{\"step\":\(step),\"validation_loss\":\(loss)}")
    }
    _ = try tiny.folder.write(lines.joined(separator: "\n") + "\n", to: exported + "/run/metrics.jsonl")
    _ = try tiny.folder.write(
      """
      {"engine": "torch 2.15.0", "devices": ["a GPU, 2 processes"], "precision": "\(precision)", "finished": true}
      """, to: exported + "/run/run.json")
  }

  @Test("each task is its arm exported beside its start, and the script names them all") func tasks() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let run = try plan(tiny, "s", "--torchrun", "--processes", "2")
      #expect(run.status == 0, "\(run.notes)")
      let keys = try tiny.names("s/tasks")
      #expect(keys.count == 4)
      for key in keys {
        #expect(run.output.contains(key))
        #expect(
          try tiny.names("s/tasks/\(key)/exported") == [
            "model.py", "model.safetensors", "sample.py", "spec.yaml", "train.py",
          ])
        let program = try tiny.text(of: "s/tasks/\(key)/exported/train.py")
        #expect(program.contains("STEPS = 2\n") && program.contains("DATA = HERE.parents[2] / \"exported-tokens/"))
      }
      #expect(try tiny.names("s/exported-tokens").count == 1)
      #expect(run.output.contains("--nproc-per-node 2") && run.output.contains("exported/train.py\" \"$@\""))
      // Where nothing has torch, it says so before anything else.
      let script = try tiny.folder.write(run.output, to: "train.sh")
      let without = try Command(running: "sh", [script], environment: ["PYTHON": "/bin/false"])
      #expect(
        without.status == 1 && without.notes == "error: /bin/false has no torch; PYTHON=PATH names one that has\n")
      // The same command again writes nothing anew, and other scripts name the same tasks.
      for script in ["--slurm", "--kubernetes"] {
        let again = try plan(tiny, "s", script)
        #expect(again.status == 0 && keys.allSatisfy { again.output.contains($0) }, "\(again.notes)")
      }
      let document = try JSONValue(parsing: plan(tiny, "s", "--json").output)
      #expect(document["engine"]?.string == "torch" && document["tasks"]?.array?.count == 4)
    }
  }

  @Test("runs that have ended are taken by merge, evaluated here, and told with their engine and device")
  func merged() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      #expect(try plan(tiny, "s", "--eval-contexts", "1x").status == 0)
      let document = try JSONValue(parsing: plan(tiny, "s", "--eval-contexts", "1x", "--json").output)
      let tasks = try #require(document["tasks"]?.array)
      for (index, task) in tasks.enumerated() {
        try pretendRun(tiny, "s/tasks/\(try #require(task["key"]?.string))", loss: 4 - 0.5 * Double(index % 2))
      }
      let merge = try tiny.run("ablate", "merge", "s", "--json")
      #expect(merge.status == 0 && merge.notes.contains("4 exported runs are taken"), "\(merge.notes)")
      let results = try JSONValue(parsing: merge.output)
      let engine = try #require(results["engines"]?.array?.first)
      #expect(engine["engine"]?.string == "torch 2.15.0" && engine["device"]?.string == "a GPU, 2 processes")
      #expect(engine["tasks"]?.array?.compactMap(\.integer) == [0, 1, 2, 3])
      let runs = (results["arms"]?.array ?? []).flatMap { $0["runs"]?.array ?? [] }
      #expect(runs.count == 4 && runs.allSatisfy { $0["engine"]?.string == "torch 2.15.0" })
      #expect(Set(runs.compactMap { $0["loss"]?.number }) == [3.5, 4])
      // Initial weights know nothing of 256 bytes.
      for run in runs {
        let loss = try #require(run["contexts"]?.array?.first?["loss"]?.number)
        #expect(abs(loss - log(256)) < 0.2)
      }
      for name in ["s/report.md", "s/report.html"] {
        let text = try tiny.text(of: name)
        #expect(text.contains("a GPU, 2 processes") && text.contains("0–3"))
      }
      #expect(!(try tiny.text(of: "s/results.json")).contains("a GPU"))
      for key in try tiny.names("s/tasks") { #expect(!tiny.exists("s/tasks/\(key)/exported")) }
      #expect(try plan(tiny, "s", "--eval-contexts", "1x", "--torchrun").notes.contains("all 4 runs are finished"))
    }
  }

  @Test("what torch has begun is not finished here, nor the other way round, unless it is asked for") func mixed()
    throws
  {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      #expect(try plan(tiny, "s").status == 0)
      let planned = try tiny.run("ablate", "run", "s", "--task", "0", "-q")
      #expect(planned.status == 2 && planned.notes.contains("is planned for torch"), "\(planned.notes)")
      let keys = try tiny.names("s/tasks")
      try pretendRun(tiny, "s/tasks/\(keys[0])", loss: 4)
      #expect(try tiny.run("ablate", "merge", "s").status == 0)
      for command in [
        ["ablate", "s", "-q"], ["ablate", "run", "s", "--task", "0"], ["ablate", "plan", "s", "--slurm"],
      ] {
        let run = try Command(command, environment: tiny.environment, in: folder)
        #expect(run.status == 2 && run.notes.contains("has runs by torch"), "\(command): \(run.notes)")
      }
      #expect(try tiny.run("ablate", "s", "-q", "--threads", "1", "--mixed-engines").status == 0)
      let refused = try tiny.run("ablate", "merge", "s")
      #expect(refused.status == 2 && refused.output.isEmpty, "\(refused.notes)")
      #expect(refused.notes.contains("of two engines, 3 by this program and 1 by torch"))
      let told = try tiny.run("ablate", "merge", "s", "--mixed-engines")
      #expect(told.status == 0 && told.output.contains("this program") && told.output.contains("torch 2.15.0"))

      #expect(try tiny.ablate("own", "--vary", "position=learned,rope", "--seeds", "2").status == 0)
      let more = try tiny.run("ablate", "plan", "own", "--seeds", "3", "--engine", "torch")
      #expect(more.status == 2 && more.notes.contains("has runs by this program"), "\(more.notes)")
    }
  }

  @Test("a run in another precision, one that is not whole and one without its weights are not taken")
  func unusable() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      #expect(try plan(tiny, "s", "--eval-contexts", "1x").status == 0)
      let keys = try tiny.names("s/tasks")
      try pretendRun(tiny, "s/tasks/\(keys[0])", loss: 4, precision: "bf16")
      try pretendRun(tiny, "s/tasks/\(keys[1])", loss: 4)
      _ = try folder.write("{\"step\":1,\"validation_loss\":4}\n", to: "s/tasks/\(keys[1])/exported/run/metrics.jsonl")
      try pretendRun(tiny, "s/tasks/\(keys[2])", loss: 4)
      try FileManager.default.removeItem(atPath: tiny.path("s/tasks/\(keys[2])/exported/run/model.safetensors"))
      try pretendRun(tiny, "s/tasks/\(keys[3])", loss: 4)
      _ = try folder.write("{\"engine\": \"torch 2.15.0\"}", to: "s/tasks/\(keys[3])/exported/run/run.json")
      let merge = try tiny.run("ablate", "merge", "s")
      #expect(merge.notes.contains("it was trained in bf16, and the study says f32"), "\(merge.notes)")
      #expect(merge.notes.contains("its last validation is after 32 tokens, and the run has 64"))
      #expect(merge.notes.components(separatedBy: "cannot be taken").count == 4)
      for key in keys { #expect(!tiny.exists("s/tasks/\(key)/outcome.json") && tiny.exists("s/tasks/\(key)/exported")) }
    }
  }

  @Test(
    "a full disk leaves tasks that are whole, and the same command goes on",
    .enabled(if: Command.mounts, "needs mounts"))
  func fullDisk() throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let disk = tiny.path("disk")
      try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
      let script = """
        mount -t tmpfs -o size=144k tmpfs "$DISK"
        "$@"; echo "status $?"; find "$DISK" -name '*.partial*' -o -name '*.tmp' | sed 's/^/litter /'
        find "$DISK" -name train.py | sed 's/.*/task/'; find "$DISK" -name model.safetensors | sed 's/.*/weights/'
        mount -o remount,size=4m "$DISK"; "$@" > "$DISK/run.sh"; echo "then $?"
        find "$DISK" -name train.py | sed 's/.*/task/'
        """
      let run = try Command.inShell(
        script,
        [
          "ablate", "plan", tiny.spec, "--data", tiny.text, "--threads", "1", "--engine", "torch", "--torchrun",
          "--out",
        ]
          + [disk + "/s"] + arguments, environment: tiny.environment.merging(["DISK": disk]) { $1 })
      let parts = run.output.components(separatedBy: "then 0\n")
      #expect(parts.count == 2 && run.output.hasPrefix("status 1\n"), "\(run.output) \(run.notes)")
      #expect(run.notes.contains("No space left on device") && !run.output.contains("litter"), "\(run.output)")
      // Programs and weights come together.
      #expect(
        parts[0].components(separatedBy: "task").count == parts[0].components(separatedBy: "weights").count)
      #expect(parts[1].components(separatedBy: "task").count == 5)
    }
  }

  @Test(
    "what has no form in PyTorch is told in a sentence, and no folder is left",
    arguments: [
      (["--train", "dropout=0.1"], 1, "arm 'learned': dropout has no form in train.py"),
      (["--train", "optimizer=muon"], 1, "the optimizer 'muon' has no form in PyTorch"),
      (["--train", "steps=0"], 2, "the study trains nothing"), (["--probes", "parity"], 2, "probes have no form"),
    ])
  func refused(_ changes: [String], _ status: Int32, _ sentence: String) throws {
    try withTemporaryFolder { folder in
      let tiny = try TinyStudy(in: folder)
      let run = try Command(
        ["ablate", "plan", tiny.spec, "--data", tiny.text, "--engine", "torch", "--out", tiny.path("s")] + arguments
          + changes, environment: tiny.environment, in: folder)
      #expect(run.status == status && run.output.isEmpty, "\(run.notes)")
      #expect(run.notes.contains(sentence) && !tiny.exists("s"), "\(run.notes)")
    }
  }
}
