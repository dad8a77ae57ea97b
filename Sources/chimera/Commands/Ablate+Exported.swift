import Ablation
import ArgumentParser
import Composition
import Files

/// What the commands of a study ask of engines.
struct EngineOptions: ParsableArguments {
  @Flag(help: "Take runs by several engines together.") var mixedEngines = false

  /// Throws when runs of `opened` are left, and are another engine's.
  func require(_ engine: StudyEngine, _ opened: OpenedStudy) throws {
    if !mixedEngines { try opened.folder.require(engine, opened.plan) }
  }
}

extension StudyEngine: ExpressibleByArgument {}

extension AblatePlan {
  /// Writes the tasks that are left as exported arms, and the script that has them trained.
  func writeExported() throws {
    let opened = try OpenedStudy(question, check: ExportedTasks.check)
    let (plan, folder, tasks) = (opened.plan, opened.folder, ExportedTasks(opened))
    try tasks.take()
    try engines.require(.torch, opened)
    let left = try tasks.write()
    let scripts = ExportedScripts(
      plan, tasks: left, folder: absolutePath(folder.path), processes: processes ?? 1, threads: question.threadCount)
    if json {
      Console.write(document(plan, left).serialized(pretty: true) + "\n")
    } else if left.isEmpty {
      Console.note("all \(folder.tasks(of: plan).count) runs are finished")
    } else if torchrun {
      Console.write(scripts.shell)
    } else if slurm || kubernetes {
      Console.write(slurm ? scripts.slurm : scripts.kubernetes)
    } else {
      var table = TextTable([.right, .left, .right, .left], flexible: [1])
      table.add("task", "arm", "seed", "program")
      for task in left {
        table.add(String(task.index), plan.runName(of: task), String(task.seed), program(task))
      }
      Console.write(table.text(width: Console.width))
    }
    if !left.isEmpty, plan.study.tuning != nil || plan.study.schedule != nil {
      Console.note(
        "then: this command again, for the tasks that follow from these, until it says that all runs are finished")
    }
    Console.note("then: chimera ablate merge \(folder.path)")
  }

  private func program(_ task: StudyTask) -> String { "tasks/\(task.key)/exported/train.py" }

  private func document(_ plan: StudyPlan, _ left: [StudyTask]) -> JSONValue {
    [
      "study": .string(plan.study.name), "fingerprint": .string(plan.fingerprint), "engine": .string(engine.rawValue),
      "tasks": .array(
        left.map {
          [
            "task": .integer($0.index), "arm": .string(plan.runName(of: $0)), "seed": .integer($0.seed),
            "key": .string($0.key), "program": .string(program($0)),
          ]
        }),
    ]
  }
}
