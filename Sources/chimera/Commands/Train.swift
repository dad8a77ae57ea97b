import ArgumentParser
import Components
import Describing
import Essentials
import Execution
import Files
import Generation
import Kernels
import Models
import Specification
import Tokenization
import Training

/// `chimera train`: a composed model learns from text.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model.",
    usage: "chimera train MODEL --data FILE --out FOLDER [options]",
    discussion: """
      A run's folder is a model. Ctrl-C saves and ends; --resume continues to the same bits. \
      --help-hidden lists more.

        chimera train gpt2-nano --data book.txt --tokenizer char --out first
        chimera train --resume --out first

      Masked tokens, pictures and captions: README and Documentation/Images.md.
      """)

  @Argument(help: "The model.") var model: String?
  @Option(help: "Text, JSON lines or tokens; may be repeated.".with("path")) var data: [String] = []
  @Option(help: "Separate validation data.".with("path")) var validationData: [String] = []
  @Option(help: "The key of the text in JSON lines.".hidden("key")) var jsonKey = "text"
  @Option(help: "A tokenizer file or folder, or 'char'.".with("path")) var tokenizer: String?
  @Option(help: "The folder of the run.".with("path")) var out: String
  @Flag(help: "Resume the run in the folder, or start it.") var resume = false
  @Option(help: "Initialize with this model's matching tensors.".with("m")) var initFrom: String?
  @Option(help: "Leave this run where a run of --steps parts from it.".hidden("run")) var branchFrom: String?
  @Flag(help: "Estimate memory and time, and end.") var plan = false
  @Flag(help: "Write TensorBoard event files too.") var tensorboard = false
  @Option(parsing: .unconditional, help: "Steps between samples; 0: none.".with("n")) var sampleEvery: Int = 0
  @Option(help: "Prompt of the samples.".hidden("text")) var samplePrompt: String?
  @Flag(help: "Write one JSON document when done.") var json = false
  @Flag(name: .shortAndLong, help: "Do not show progress.") var quiet = false
  @OptionGroup var settings: TrainArguments
  @OptionGroup var options: ModelOptions

  func validate() throws {
    if out.isEmpty { throw ValidationError("--out takes the path of a folder") }
    if sampleEvery < 0 { throw ValidationError("--sample-every takes a number of at least 0") }
  }

  func run() throws {
    let folder = RunFolder(out)
    if folder.isBegun, !resume, !plan {
      throw Failure(.usage, "\(folder.path) already holds a run: continue it with --resume, or name another folder")
    }
    let request = TrainingRequest(
      model: model, changes: options.changes, data: data, validationData: validationData, jsonKey: jsonKey,
      tokenizer: tokenizer, initFrom: initFrom)
    let isGoingOn = folder.isBegun && resume
    let prepared = try prepare(request, isGoingOn ? folder : nil)
    let branch = try branchFrom.map { try TrunkBranch(of: RunFolder($0), prepared.description.settings) }
    let settings = prepared.description.settings
    if case .pictures = prepared.corpus, sampleEvery > 0 {
      throw Failure(.usage, "--sample-every is for models of text; chimera eval asks a run's folder about pictures")
    }
    if sampleEvery > 0 { try prepared.plan.requireContinuation() }
    let need = try MemoryNeed(prepared.plan, settings)
    let pool = ThreadPool(threads: settings.threads)
    if plan {
      try TrainingEstimate(prepared, need, pool: pool).write(json: json)
      return
    }
    try need.check()
    let trainer = try prepared.trainer(pool: pool)
    let run = try TrainingRun(
      trainer, prepared.description, in: folder, files: prepared.files,
      export: prepared.adapter?.export, branch: branch, tensorBoard: tensorboard)
    for line in run.notes { note(line) }
    if let branch, trainer.step == branch.step {
      note("leaving \(branchFrom ?? "") after step \(branch.step.grouped)")
    } else if trainer.step > 0 {
      note("resuming after step \(trainer.step.grouped)")
    }
    StopSignals.watch()
    let progress = ProgressLine(steps: settings.steps, tokensPerStep: settings.tokensPerStep, isQuiet: quiet)
    var loss: Double?
    let ending: TrainingRun.Ending
    do {
      ending = try run.run(shouldStop: { StopSignals.came }) { event in
        progress.show(event)
        if case .step(let report, _) = event {
          loss = report.loss
          if sampleEvery > 0, report.step % sampleEvery == 0 {
            // A sample that cannot be generated is no reason to lose the steps.
            do { try sample(trainer, prepared, pool, progress) } catch let problem as ModelProblem {
              progress.note("step \(report.step.grouped): no sample: \(problem)")
            }
          }
        }
      }
    } catch let problem as FileProblem {
      // The file is not at fault, as one that is read would be.
      throw Failure(
        .failed, "\(problem.path): \(problem.sentence); the last checkpoint is intact, and --resume continues from it")
    }
    if ending == .stopped {
      note("stopped after step \(trainer.step.grouped); continue with chimera train --resume --out \(folder.path)")
      throw ExitCode(130)
    }
    try writeResult(run, loss: loss)
  }

  /// What `request` asks for: the run in `begun`, a branch of another, or a new one.
  private func prepare(_ request: TrainingRequest, _ begun: RunFolder?) throws -> PreparedTraining {
    if let begun { return try PreparedTraining(in: begun, request, settings, note: note) }
    if let branchFrom {
      return try PreparedTraining(branchOf: RunFolder(branchFrom), request, settings, note: note)
    }
    return try PreparedTraining(request, settings, options, note: note)
  }

  private func note(_ text: String) { if !quiet { Console.note("note: \(text)") } }

  private func sample(_ trainer: Trainer, _ prepared: PreparedTraining, _ pool: ThreadPool, _ progress: ProgressLine)
    throws
  {
    let tokenizer = prepared.tokenizer?.tokenizer
    let executor = try PlanExecutor(
      prepared.plan, trainer.parameters, pool: pool, states: .f32, fusing: true,
      computeType: .f32)
    var sampling = TextGenerator.Settings()
    sampling.maximumTokens = min(100, prepared.described.plan.shape.contextLength - 1)
    sampling.sampling.seed = UInt64(trainer.step)
    let start =
      samplePrompt.flatMap { text in tokenizer?.encode(text) } ?? [
        tokenizer?.beginningOfText ?? tokenizer?.endOfText.min() ?? 0
      ]
    let result = try TextGenerator(executor, tokenizer: tokenizer).generate(start, sampling) { _, _ in !StopSignals.came
    }
    progress.note("step \(trainer.step.grouped) generates: \((samplePrompt ?? "") + result.text)")
  }

  private func writeResult(_ run: TrainingRun, loss: Double?) throws {
    if json {
      var document = JSONObject()
      document["run"] = .string(run.folder.path)
      document["steps"] = .integer(run.trainer.step)
      document["loss"] = loss.map { .number($0) } ?? .null
      document["validation_loss"] = run.validationLoss.map { .number($0) } ?? .null
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      var line = "\(run.folder.path): \(run.trainer.step.grouped) steps"
      if let loss { line += ", loss \(loss.digits(4))" }
      if let loss = run.validationLoss { line += ", validation loss \(loss.digits(4))" }
      Console.write(line + "\n")
    }
  }
}
