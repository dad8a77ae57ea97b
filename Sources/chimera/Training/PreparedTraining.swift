import Components
import Execution
import Files
import Kernels
import Models
import Specification
import Tokenization
import Training

/// Everything a run needs, found and checked: the composed model, its tokenizer, the data as tokens, the settings.
struct PreparedTraining {
  /// What is trained on, and what is held out of it.
  enum Corpus {
    case text(TokenText, validation: TokenText?)
    case pictures(TrainingExamples, validation: TrainingExamples?)
  }

  let described: ModelDescription
  let tokenizer: TokenizerFiles?
  let corpus: Corpus
  let description: RunDescription
  /// The model that tensors are taken from, and which they are.
  private let start: WarmStart?
  /// The adapter that is trained instead of the model; nil for none.
  let adapter: AdapterRun?
  /// What is trained: the model's plan, with the adapter in it where one is.
  var plan: Plan { adapter?.plan ?? described.plan }

  /// A new run.
  init(
    _ request: TrainingRequest, _ options: TrainArguments, _ changes: ModelOptions, note: (String) -> Void
  ) throws {
    guard let model = request.model else {
      throw Failure(.usage, "name the model to train: chimera train MODEL --data FILE --out FOLDER")
    }
    if request.data.isEmpty { throw Failure(.usage, "name the training data: --data FILE") }
    let zoo = try changes.zoo()
    let patches = try changes.patches()
    let models = zoo.models
    var found: ModelDescription?
    try SeveralErrors.gather([
      { found = try models.describe(model, patches: patches) },
      { for path in request.data + request.validationData { try TokenizedData.check([path]) } },
      {
        if let path = request.tokenizer, path != "char", kind(ofPath: path) == .nothing {
          throw FileProblem(path: path, sentence: "no such file or folder", cause: .missing)
        }
      },
      { _ = try options.apply(to: TrainingSettings(zoo.registry, inStudy: false)) },
    ])
    guard var described = found else { throw Failure(.notFound, "there is no model '\(model)'") }
    try Self.require(described.plan, options.apply(to: TrainingSettings(zoo.registry, inStudy: false)))
    for text in described.notes { note(text) }
    let isAdapter = options.given.contains("lora")
    if isAdapter, let mistake = Self.mistake(inAdapterRun: request) { throw Failure(.usage, mistake) }
    let tokenizer: TokenizerFiles?
    if request.tokenizer == "char", kind(ofPath: "char") == .nothing {
      tokenizer = try TokenizerFiles(
        charactersOf: request.data + request.validationData, jsonKey: request.jsonKey,
        texts: described.architecture.texts)
    } else if let path = request.tokenizer {
      tokenizer = try TokenizerFiles(path: path, texts: described.architecture.texts)
    } else {
      tokenizer = try TokenizerFiles(of: described, models)
    }
    var own: [Setting] = []
    if let patch = tokenizer?.patch, !isAdapter {
      // In the place of the model's own, not beside what that says.
      if described.architecture.resolved["tokenizer"] != nil {
        own.append(Setting(.group([Setting.Entry("tokenizer", Setting(text: "null"))])))
      }
      own.append(patch)
    }
    if let tokenizer, request.tokenizer != nil, !isAdapter, !patches.contains(where: { $0["vocab_size"] != nil }),
      tokenizer.tokenizer.count != described.plan.shape.vocabSize
    {
      let count = tokenizer.tokenizer.count
      own.append(Setting(.group([Setting.Entry("vocab_size", Setting(text: String(count)))])))
      note("vocab_size is \(count), as the tokenizer has it")
    }
    if !own.isEmpty { described = try models.describe(model, patches: patches + own) }
    if let count = tokenizer?.tokenizer.count, count > described.plan.shape.vocabSize {
      throw Failure(.usage, "the tokenizer has \(count) tokens, and the model takes \(described.plan.shape.vocabSize)")
    }
    var defaults = TrainingSettings(try Zoo().registry, inStudy: false)
    defaults.threads = ThreadPool.preferredThreadCount()
    var settings = try options.apply(to: defaults)
    settings.settle(given: options.given, modelContext: described.plan.shape.contextLength, tokens: nil, inStudy: false)
    try settings.normalize()
    let warmStart = try request.initFrom.map { try WarmStart(from: $0, models) }
    let adapter = try settings.lora.map { try AdapterRun(described, model, $0, models) }
    if let warning = adapter?.warning { note(warning) }
    try self.init(
      described, tokenizer, request, settings, contextIsGiven: options.given.contains("context"),
      model: described.specification(withFormats: true), start: warmStart, adapter: adapter, note: note)
  }

  /// Throws where the model of `plan` cannot be trained as `settings` say.
  private static func require(_ plan: Plan, _ settings: TrainingSettings) throws {
    let given: Set<RowAxis> = try PictureQuestions.areRead(by: plan) ? [PictureQuestions.stack(of: plan).axis] : []
    try plan.requireSources(beside: given)
    try plan.requireObjective(settings.makeObjective(), among: settings.registry)
  }

  /// The run that was begun in `folder`; throws when what is asked for now is not what it was begun with.
  init(in folder: RunFolder, _ request: TrainingRequest, _ options: TrainArguments, note: (String) -> Void) throws {
    try self.init(in: folder, request, options, isBranch: false, note: note)
  }

  /// A run as the one in `trunk`, but for the number of its steps.
  init(
    branchOf trunk: RunFolder, _ request: TrainingRequest, _ options: TrainArguments, note: (String) -> Void
  ) throws {
    guard trunk.isBegun else { throw Failure(.notFound, "there is no run in '\(trunk.path)' to leave") }
    guard options.given.contains("steps") else {
      throw Failure(.usage, "--branch-from takes the --steps that the branch has together with its trunk")
    }
    try self.init(in: trunk, request, options, isBranch: true, note: note)
  }

  private init(
    in folder: RunFolder, _ request: TrainingRequest, _ options: TrainArguments, isBranch: Bool,
    note: (String) -> Void
  ) throws {
    let begun = try RunDescription(in: folder, Zoo().registry)
    let first = TrainingRequest(begun.data)
    var settings = try options.apply(to: begun.settings)
    try settings.normalize()
    let changed =
      request.differences(from: first)
      + begun.settings.differences(from: settings).filter { !isBranch || $0.key != "steps" }.map { "--" + $0.option }
    if !changed.isEmpty { throw TrainingProblem.changed(path: folder.path, names: changed) }
    let models = try Zoo().models
    let adapted = settings.lora == nil ? nil : first.model
    let described = try models.describe(
      adapted ?? folder.path, patches: adapted == nil ? [] : Overrides(first.changes).patches)
    let tokenizer =
      try adapted.flatMap { _ in first.tokenizer }
      .map { try TokenizerFiles(path: $0, texts: described.architecture.texts) }
      ?? TokenizerFiles(of: described, models)
    let isSaved = kind(ofPath: folder.path + "/model.safetensors") == .file
    let warmStart = try isSaved ? nil : first.initFrom.map { try WarmStart(from: $0, models) }
    let adapter = try settings.lora.map { try AdapterRun(described, first.model ?? "", $0, models) }
    try self.init(
      described, tokenizer, first, settings, contextIsGiven: true, model: begun.model, start: warmStart,
      adapter: adapter, note: note)
    if description.dataFingerprint != begun.dataFingerprint {
      throw TrainingProblem.folder(
        path: folder.path,
        sentence:
          "the data or the tokenizer \(adapter == nil ? "" : "or the model ")has changed since the run was begun")
    }
  }

  private init(
    _ described: ModelDescription, _ tokenizer: TokenizerFiles?, _ request: TrainingRequest,
    _ asked: TrainingSettings, contextIsGiven: Bool, model: String, start: WarmStart?, adapter: AdapterRun?,
    note: (String) -> Void
  ) throws {
    let plan = described.plan
    try Self.require(plan, asked)
    var settings = asked
    if settings.lora != nil, !settings.frozen.isEmpty {
      throw Failure(.usage, "--lora leaves all of the model as it is; leave --freeze out")
    }
    let data = try type(of: settings.makeObjective()).data
    func ask(_ paths: [String]) throws -> (examples: TrainingExamples, fingerprint: String) {
      let (images, folder) = (described.architecture.images, described.source.folder)
      switch data {
      case .sequences:
        let questions = try PictureQuestions(
          paths, plan, images: images, folder: folder, tokenizer: tokenizer?.tokenizer)
        return (questions.examples, questions.fingerprint)
      case .captions:
        let captions = try PictureCaptions(
          paths, plan, images: images, folder: folder, tokenizer: tokenizer?.tokenizer,
          longest: contextIsGiven ? settings.context : nil)
        return (captions.examples, captions.fingerprint)
      }
    }
    let questions = try PictureQuestions.areRead(by: plan) ? ask(request.data) : nil
    let asides = try questions == nil || request.validationData.isEmpty ? nil : ask(request.validationData)
    if let questions, !contextIsGiven {
      // As many as are read, and no more.
      settings.context = max(1, questions.examples.longest, asides?.examples.longest ?? 0)
    }
    if let limit = described.plan.longestSequence, settings.context > limit {
      throw Failure(
        .usage,
        "--context \(settings.context) is more than the \(limit) tokens the model can take; --set context_length=\(settings.context)"
      )
    }
    ThreadCount.tell(settings.threads)
    let pool = ThreadPool(threads: settings.threads)
    func read(_ paths: [String]) throws -> TokenizedData {
      let data = try TokenizedData(
        paths, tokenizer: tokenizer?.tokenizer, jsonKey: request.jsonKey, cacheFolder: Caches.tokens, pool: pool
      ) { path, part in
        if part < 1 { note("\(path): \(Int(rounding: part * 100, .towardZero)) % tokenized") }
      }
      if let leftOut = data.leftOut { note("note: \(leftOut.description)") }
      return data
    }
    var fingerprint: String
    if let questions {
      fingerprint = questions.fingerprint
      if let asides {
        corpus = .pictures(questions.examples, validation: asides.examples)
        fingerprint += " " + asides.fingerprint
      } else {
        let (first, last) = questions.examples.split(last: settings.validationFraction)
        corpus = .pictures(first, validation: settings.validationFraction > 0 ? last : nil)
      }
    } else {
      let data = try read(request.data)
      Caches.tell(data.cacheProblem)
      fingerprint = data.fingerprint
      if request.validationData.isEmpty {
        let (first, last) = data.text.split(last: settings.validationFraction)
        corpus = .text(first, validation: settings.validationFraction > 0 ? last : nil)
      } else {
        let other = try read(request.validationData)
        corpus = .text(data.text, validation: other.text)
        fingerprint += " " + other.fingerprint
      }
    }
    if let adapter { fingerprint += " " + adapter.fingerprint }
    self.described = described
    self.adapter = adapter
    self.tokenizer = tokenizer
    self.start = start
    description = RunDescription(model: model, settings: settings, data: request.json, dataFingerprint: fingerprint)
  }

  /// What an adapter's run cannot be asked for, in a sentence; nil when nothing is.
  private static func mistake(inAdapterRun request: TrainingRequest) -> String? {
    if request.initFrom != nil { return "--lora trains an adapter of the model as it is; --init-from goes without it" }
    if request.tokenizer == "char" {
      return "--lora trains an adapter of a model that has a vocabulary; --tokenizer char would make another"
    }
    return nil
  }

  /// A trainer at the beginning.
  func trainer(pool: ThreadPool) throws -> Trainer {
    let settings = description.settings
    let seed = settings.initSeed ?? settings.seed
    let marks = tokenizer.map { TextMarks($0.tokenizer) }
    let parameters = try adapter?.parameters(seed: seed) ?? Parameters(described.plan, seed: seed)
    if let start { Console.note(start.take(into: parameters, of: described.plan)) }
    switch corpus {
    case .text(let training, let validation):
      return try Trainer(
        described.plan, parameters, settings, training: training, validation: validation, marks: marks, pool: pool)
    case .pictures(let training, let validation):
      return try Trainer(
        described.plan, parameters, settings, training: training, validation: validation, marks: marks, pool: pool)
    }
  }

  /// The files that go with the model: those of its tokenizer, and what says how its pictures are read.
  var files: [(name: String, bytes: [UInt8])] {
    get throws {
      var files = tokenizer?.files ?? []
      guard case .pictures = corpus else { return files }
      for name in PictureReader.files where !files.contains(where: { $0.name == name }) {
        let path = described.source.folder + "/" + name
        guard kind(ofPath: path) == .file else { continue }
        let file = try MappedFile(path: path)
        files.append(withExtendedLifetime(file) { (name, Array(file.bytes)) })
      }
      return files
    }
  }
}
