import Ablation
import ArgumentParser

/// `chimera ablate`: from a question about an architecture to an answer with error bars.
struct Ablate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ablate",
    abstract: "Answer a question about an architecture.",
    discussion: """
      A study trains variants of a model over several seeds, and says which are better, worse, or not significantly
      different. It may be stopped at any moment; the same command continues it.

        chimera ablate gpt2-nano --vary position=learned,rope,alibi,none --seeds 3 --data text.txt
        chimera ablate my-study.yaml
        chimera ablate my-study               (a study's folder: go on with it)
        chimera ablate plan my-study.yaml --slurm > job.sh

      Without a command's name, 'study' is meant: chimera ablate study --help
      """,
    subcommands: [AblateStudy.self, AblatePlan.self, AblateRun.self, AblateMerge.self],
    defaultSubcommand: AblateStudy.self)
}

/// `chimera ablate STUDY`: the whole study, here and now.
struct AblateStudy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "study", abstract: "Run a study to its end and write its report.",
    discussion: """
      The verdicts go to standard output; report.html, report.md and results.json go into the study's folder.

        chimera ablate gpt2-nano --vary position=learned,rope,alibi,none --data text.txt
        chimera ablate gpt2-nano --vary norm=layernorm,rmsnorm --vary block.placement=pre,post --combine grid
      """)

  @OptionGroup var question: StudyOptions
  @Flag(help: "Write the results as one JSON document.") var json = false
  @Flag(name: .shortAndLong, help: "Do not show progress.") var quiet = false
  @OptionGroup var engines: EngineOptions

  func run() throws {
    let opened = try OpenedStudy(question)
    try engines.require(.chimera, opened)
    StopSignals.watch()
    let cost = opened.cost(isQuiet: quiet)
    if !quiet { Console.note(cost.sentence) }
    let progress = StudyProgress(opened.plan, cost, isQuiet: quiet)
    try StudyOutput.writeLive(opened)
    if !quiet { Console.note("the report while it runs: \(opened.folder.path)/report.html") }
    let isComplete = try opened.runner.run { event in
      progress.show(event)
      // What cannot be shown now is shown, or told, at the end.
      if case .finished = event { try? StudyOutput.writeLive(opened) }
      return !StopSignals.came
    }
    progress.end()
    try StudyOutput(opened, includesTimes: true).write(json: json)
    if !isComplete {
      Console.note("stopped; chimera ablate \(opened.folder.path) continues")
      throw ExitCode(130)
    }
    if progress.hasFailures { throw Failure(.failed, "some runs failed; the same command runs them again") }
  }
}

/// `chimera ablate plan`: what a study would do and cost, or the script that has a cluster do it.
struct AblatePlan: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show a study's arms, tasks and cost, or write a job script for a cluster.",
    discussion: """
      The study's folder is created, and holds all that its tasks need. With a folder that the cluster's machines share:

        chimera ablate plan my-study.yaml --out /shared/my-study --slurm > job.sh && sbatch --wait job.sh
        chimera ablate merge /shared/my-study

      With --engine torch each task is its arm exported, with a train.py that needs nothing but torch.
      """)

  @OptionGroup var question: StudyOptions
  @Flag(help: "Write a job array for Slurm.") var slurm = false
  @Flag(help: "Write an indexed job for Kubernetes.") var kubernetes = false
  @Option(help: "What trains: chimera or torch. [chimera]".with("engine")) var engine = StudyEngine.chimera
  @Flag(help: "With --engine torch, write a shell script of torchrun.") var torchrun = false
  @Option(help: "With --engine torch, processes of a task, a GPU each. [1]".with("n")) var processes: Int?
  @OptionGroup var engines: EngineOptions
  @Flag(help: "Write a JSON document.") var json = false
  @Option(help: "An earlier study's folder, to tell from it which differences the seeds will show.") var pilot: String?

  func validate() throws {
    if [slurm, kubernetes, torchrun, json].count(where: { $0 }) > 1 {
      throw ValidationError("--slurm, --kubernetes, --torchrun and --json exclude each other")
    }
    if engine == .chimera {
      if torchrun { throw ValidationError("--torchrun is for --engine torch") }
      if processes != nil { throw ValidationError("--processes is for --engine torch") }
    } else if pilot != nil {
      throw ValidationError("--pilot is for --engine chimera")
    }
    if let processes, !(1...1024).contains(processes) {
      throw ValidationError("--processes takes a number from 1 to 1024")
    }
  }

  func run() throws {
    if engine == .torch { return try writeExported() }
    let opened = try OpenedStudy(question)
    if slurm || kubernetes { try engines.require(.chimera, opened) }
    var cost = opened.cost(isQuiet: false)
    try cost.takePower(opened.folder, pilot: pilot)
    if slurm || kubernetes {
      let scripts = ClusterScripts(
        opened.plan, tasks: cost.known, folder: absolutePath(opened.folder.path), threads: question.threadCount,
        seconds: cost.longestTask)
      Console.write(slurm ? scripts.slurm : scripts.kubernetes)
      if opened.plan.study.tuning != nil || opened.plan.study.schedule != nil {
        Console.note(
          "then: this command again, for the tasks that follow from these, until it says that all runs are finished")
      }
      Console.note("then: chimera ablate merge \(opened.folder.path)")
    } else if json {
      Console.write(PlanText(opened.plan, cost).json.serialized(pretty: true) + "\n")
    } else {
      Console.write(PlanText(opened.plan, cost).text)
    }
  }
}

/// `chimera ablate run`: one task of a study, wherever its folder is seen.
struct AblateRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run one task of a study.",
    discussion: """
      A finished task is not repeated, a stopped one is resumed. The exit status is 130 when it was told to stop.

        chimera ablate run my-study --task 3
      """)

  @Argument(help: "The study's folder, as 'plan' or a run made it.") var folder: String
  @Option(help: "The task's number, from 0 on, or its key.") var task: String
  @Option(parsing: .unconditional, help: "Number of threads. [all cores]") var threads: Int?
  @Flag(name: .shortAndLong, help: "Do not show progress.") var quiet = false
  @OptionGroup var engines: EngineOptions

  func run() throws {
    let opened = try OpenedStudy(folder: folder, threads: threads)
    try engines.require(.chimera, opened)
    let tasks = opened.folder.tasks(of: opened.plan)
    guard let found = tasks.first(where: { String($0.index) == task || $0.key == task }) else {
      throw Failure(.usage, "the study has the tasks 0 to \(tasks.count - 1), and no \(task)")
    }
    StopSignals.watch()
    let progress = StudyProgress(opened.plan, nil, isQuiet: quiet)
    let isDone = try opened.runner.run([found]) { event in
      progress.show(event)
      return !StopSignals.came
    }
    progress.end()
    if !isDone { throw ExitCode(130) }
    if progress.hasFailures { throw ExitCode(Failure.Status.failed.rawValue) }
    Console.write("task \(found.index): \(opened.plan.runName(of: found)), seed \(found.seed): finished\n")
  }
}

/// `chimera ablate merge`: the report of what a study's tasks have measured so far.
struct AblateMerge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Write the report of the results so far.",
    discussion: """
      results.json is the same byte for byte however and wherever the tasks ran; --no-times leaves times and speeds out
      of the reports, so that they are too. Runs of exported arms that have ended are taken, and evaluated here.

        chimera ablate merge my-study
      """)

  @Argument(help: "The study's folder.") var folder: String
  @Flag(help: "Leave out times and speeds.") var noTimes = false
  @Flag(help: "Write the results as one JSON document.") var json = false
  @OptionGroup var engines: EngineOptions

  func run() throws {
    let opened = try OpenedStudy(folder: folder, threads: nil)
    try ExportedTasks(opened).take()
    try opened.folder.requireWhole(opened.plan)
    if !engines.mixedEngines { try opened.folder.requireOneEngine(opened.plan) }
    try StudyOutput(opened, includesTimes: !noTimes).write(json: json)
  }
}
