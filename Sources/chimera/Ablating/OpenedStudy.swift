import Ablation
import Components
import Composition
import Essentials
import Files
import Kernels
import Models
import Specification
import Tokenization
import Training

/// A study that was read and planned, with the folder it lives in and what trains it.
struct OpenedStudy {
  /// The study as it was read, the paths in it absolute.
  private let tree: Setting
  let plan: StudyPlan
  let folder: StudyFolder
  let trainer: RunTrainer
  let keepsRuns: Bool
  /// The tokenizer that its arms are trained with; nil where its data is tokens.
  let tokenizer: () throws -> Tokenizer?

  var runner: StudyRunner { StudyRunner(plan, in: folder, trainer: trainer, keepsRuns: keepsRuns) }

  /// The study that `options` ask for; its folder is made, so that its tasks can be run from there alone, when `check` has
  /// found nothing against it.
  init(_ options: StudyOptions, check: (StudyPlan, RunTrainer) throws -> Void = { _, _ in }) throws {
    let zoo = try Zoo()
    let subject = try Subject(options, zoo)
    var tree = try options.overlaid(on: subject.tree)
    if tree["ablation"] == nil { tree["ablation"] = Setting(.scalar(options.name, quoted: true)) }
    if options.quick {
      if let begun = subject.study {
        throw Failure(
          .usage, "the study in '\(begun.path)' is as long as it was begun; --quick begins one, in a folder of its own")
      }
      tree = try QuickStudy.trimmed(tree)
    }
    let folder = StudyFolder(
      path: options.out ?? subject.study?.path ?? Self.folderName(tree["ablation"]?.text ?? "study"))
    var temporary: String?
    defer { if let temporary { try? removeFile(temporary) } }
    if let weights = tree["weights"]?.text, tree["base"] == nil {
      // Weights in a folder or a GGUF file are wired by a family; the study needs a spec. Not in the study's folder yet,
      // which may be another study's.
      let path = FileManager.default.temporaryDirectory.path + "/chimera-base-\(getpid()).yaml"
      try writeAtomically(zoo.models.describe(weights).specification(withFormats: true), to: path)
      temporary = path
      tree["base"] = Setting(.scalar(path, quoted: true))
    }
    if var budget = tree["budget"], budget[Budget.measuredKey] == nil, folder.isBegun,
      let begun = try? folder.tree()["budget"], let measured = begun[Budget.measuredKey]
    {
      // The same budget was measured when the study was begun, and what it came to then stays.
      budget[Budget.measuredKey] = measured
      if YAMLWriter().write(budget) == YAMLWriter().write(begun) { tree["budget"] = budget }
    }
    try Self.fitVocabulary(of: &tree, beside: subject.folder, zoo.models)
    func opened(_ tree: Setting) throws -> OpenedStudy {
      try OpenedStudy(
        tree, beside: subject.folder, in: folder, threads: options.threadCount, keepsRuns: options.keepWeights, zoo)
    }
    if options.quick {
      // What was measured when the short form was begun stays.
      if let known = folder.isBegun ? try? folder.tree()["train"]?["steps"]?.integer : nil {
        tree = QuickStudy.lasting(known, tree)
      } else {
        let whole = Int(rounding: try opened(tree).plan.baseline.training.numbers["steps"] ?? 1)
        let cost = try opened(QuickStudy.lasting(whole, tree)).cost(isQuiet: true)
        tree = QuickStudy.lasting(QuickStudy.steps(of: whole, cost), tree)
      }
    }
    self = try opened(tree)
    if subject.study?.path == folder.path { try folder.requireSame(plan) }
    try check(plan, trainer)
    try folder.begin(self.tree, plan)
  }

  /// The study in the folder at `path`.
  init(folder path: String, threads: Int?) throws {
    let folder = StudyFolder(path: path)
    guard folder.isBegun else {
      throw Failure(.notFound, "there is no study in '\(path)'; chimera ablate plan STUDY --out \(path) makes it")
    }
    try self.init(
      folder.tree(), beside: path, in: folder, threads: threads ?? ThreadPool.preferredThreadCount(), keepsRuns: false,
      Zoo())
    try folder.requireSame(plan)
  }

  private init(
    _ tree: Setting, beside path: String?, in folder: StudyFolder, threads: Int, keepsRuns: Bool, _ zoo: Zoo
  ) throws {
    let models = zoo.models
    let isDrawn = tree["data"]?.entries != nil
    var reader = StudyReader(try DrawnData.drawn(in: tree, for: zoo.registry), folder: path)
    let study = try reader.attempt()
    if !reader.found.isEmpty {
      var problems = reader.found
      let composer = Composer(zoo.registry)
      let others = StudyPlanner.problems(
        of: study, specifications: SpecificationLoader(catalog: zoo.catalog, for: composer), composer: composer,
        registry: zoo.registry)
      for problem in others.list { problems.add(problem) }
      throw problems.inFileOrder
    }
    let start = try study.weights.map { weights in
      let start = try WarmStart(from: weights, models)
      return RunTrainer.Start(fingerprint: start.fingerprint) { plan, parameters in
        _ = start.take(into: parameters, of: plan)
      }
    }
    let tokenizer: () throws -> Tokenizer? = {
      guard let path = study.tokenizer else { return try models.tokenizer(of: study.weights ?? study.base) }
      if path == bytes { return try Tokenizer.ofBytes() }
      if Self.isCharacters(path) { return try Self.characters(of: study) }
      let base = try models.describe(study.weights ?? study.base, patches: [study.basePatch])
      return try Tokenizer.load(from: path).prepared(by: base.architecture.texts)
    }
    self.tokenizer = tokenizer
    trainer = RunTrainer(
      zoo.registry, pool: ThreadPool(threads: threads), cacheFolder: Caches.tokens,
      machine: "\(Machine().processor), \(threads) \(threads == 1 ? "thread" : "threads")", start: start,
      tokenizer: tokenizer, questions: Self.questions(zoo, tokenizer))
    trainer.cacheFailed = { Caches.tell($0) }
    let planner = StudyPlanner(
      specifications: SpecificationLoader(catalog: zoo.catalog, for: Composer(zoo.registry)),
      composer: Composer(zoo.registry), trainer: trainer)
    var tree = tree
    let first: StudyPlan
    do { first = try planner.plan(study) } catch let problems as Problems { throw problems.inFileOrder }
    let measured = try planner.measuring(study, first) { Console.note("measuring the speed of \($0.name)") }
    if let budget = measured.budget, !budget.measured.isEmpty {
      tree[path: "budget.\(Budget.measuredKey)"] = Setting(
        .group(
          budget.measured.sorted { $0.key < $1.key }.map { Setting.Entry($0.key, Setting(text: String($0.value))) }))
      plan = try planner.plan(measured)
    } else {
      plan = first
    }
    self.folder = folder
    self.keepsRuns = keepsRuns
    if !study.benchmarks.isEmpty {
      tree["tasks"] = Setting(
        .group(
          study.benchmarks.map { benchmark in
            var entries = [Setting.Entry("file", Setting(.scalar(absolutePath(benchmark.path), quoted: true)))]
            if let limit = benchmark.limit { entries.append(.init("limit", Setting(text: String(limit)))) }
            return Setting.Entry(benchmark.name, Setting(.group(entries)))
          }))
    }
    // What is drawn is drawn again wherever the study goes on.
    if !isDrawn {
      tree["data"] = Setting(.list(study.data.map { Setting(.scalar(absolutePath($0.path), quoted: true)) }))
    }
    for (key, path) in [("weights", study.weights), ("tokenizer", study.tokenizer)] {
      if let path {
        tree[key] = Setting(.scalar(kind(ofPath: path) == .nothing ? path : absolutePath(path), quoted: false))
      }
    }
    self.tree = tree
  }

  /// What reads data for models that read pictures; read again only where a model reads it otherwise.
  private static func questions(
    _ zoo: Zoo, _ tokenizer: @escaping () throws -> Tokenizer?
  ) -> (_ paths: [String], Architecture, TrainingData, _ longest: Int) throws -> RunTrainer.Questions? {
    var known: [String: RunTrainer.Questions] = [:]
    return { paths, architecture, data, longest in
      let plan = try Composer(zoo.registry).compose(architecture)
      guard PictureQuestions.areRead(by: plan) else { return nil }
      let stack = try PictureQuestions.stack(of: plan)
      let images = architecture.images.map { YAMLWriter().write($0) } ?? ""
      let rows = plan.longestInput(on: stack.states.axis)
      let key =
        "\(paths) \(stack.patches) \(stack.axis) \(rows) \(stack.placeholder ?? -1) \(stack.mark ?? -1) \(plan.lets(.prompt)) "
        + (data == .captions ? "\(min(longest, plan.longestText)) " : "") + images
      if let known = known[key] { return known }
      let own: RunTrainer.Questions
      switch data {
      case .sequences:
        let read = try PictureQuestions(paths, plan, images: architecture.images, folder: "", tokenizer: tokenizer())
        own = RunTrainer.Questions(read.examples, fingerprint: read.fingerprint)
      case .captions:
        let read = try PictureCaptions(
          paths, plan, images: architecture.images, folder: "", tokenizer: tokenizer(), longest: longest)
        own = RunTrainer.Questions(read.examples, fingerprint: read.fingerprint)
      }
      known[key] = own
      return own
    }
  }

  /// Whether `tokenizer` asks for an id for each character of the data.
  private static func isCharacters(_ tokenizer: String) -> Bool {
    tokenizer == characterWord && kind(ofPath: characterWord) == .nothing
  }

  /// One id for each character of the texts of `study`.
  private static func characters(of study: Study) throws -> Tokenizer {
    try Tokenizer(characters: TextCharacters.all(in: study.data.map(\.path), jsonKey: "text"))
  }

  /// Where text is to be read and the model has no tokenizer on this machine, its bytes are the tokens; where its
  /// characters or bytes are, the vocabulary is as large as that makes it, unless the study says otherwise.
  private static func fitVocabulary(of tree: inout Setting, beside folder: String?, _ models: ModelLoader) throws {
    var reader = StudyReader(tree, folder: folder)
    // What is wrong with the study is told where it is opened.
    guard let study = try? reader.read() else { return }
    guard study.weights == nil, let described = try? models.describe(study.base, patches: [study.basePatch]) else {
      return
    }
    var note = ""
    let count: Int
    if let tokenizer = study.tokenizer {
      guard isCharacters(tokenizer) else { return }
      // What is wrong with the data is told with the study's other problems.
      guard let own = try? characters(of: study) else { return }
      count = own.count
      note = "the data has \(count) characters"
    } else {
      guard study.data.contains(where: { !$0.path.hasSuffix(".bin") }), try models.tokenizer(of: described) == nil
      else {
        return
      }
      tree["tokenizer"] = Setting(text: bytes)
      note = "\(described.plan.name) has no tokenizer here, so its tokens are bytes"
      count = try Tokenizer.ofBytes().count
    }
    if described.plan.shape.vocabSize == count, study.tokenizer != nil { return }
    if described.plan.shape.vocabSize != count, study.basePatch["vocab_size"] == nil {
      var set = tree["set"] ?? Setting(.group([]))
      set["vocab_size"] = Setting(text: String(count))
      tree["set"] = set
      note += ", and the model's vocab_size is \(count)"
    }
    Console.note("note: " + note)
  }

  /// What the tasks that are left will take.
  func cost(isQuiet: Bool) -> StudyCost {
    StudyCost(plan, folder, trainer) { arm in
      if !isQuiet { Console.note("measuring \(arm.name)") }
    } failed: { arm, reason in
      Console.note("note: the time of \(arm.name) cannot be measured: \(reason)")
    }
  }

  private static func folderName(_ name: String) -> String {
    let letters = name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" }
    return (String(letters).split(separator: "-") + ["study"]).joined(separator: "-")
  }
}

/// The word for the tokenizer that has an id for each byte, and for that with one for each character of the data.
private let bytes = "bytes"
private let characterWord = "char"

/// What a study's first argument means: a study's file with the folder it stands in, or a model to vary.
private struct Subject {
  let tree: Setting
  let folder: String?
  /// The folder of a study that was begun, to go on with.
  let study: StudyFolder?

  init(_ options: StudyOptions, _ zoo: Zoo) throws {
    guard let subject = options.subject else {
      (tree, folder, study) = (Setting(.group([])), nil, nil)
      return
    }
    let begun = StudyFolder(path: subject)
    if begun.isBegun {
      (tree, folder, study) = (try begun.tree(), begun.path, begun)
      return
    }
    study = nil
    let base = Setting(.group([Setting.Entry("base", Setting(.scalar(subject, quoted: true)))]))
    let isFile = kind(ofPath: subject) == .file && (subject.hasSuffix(".yaml") || subject.hasSuffix(".yml"))
    guard let path = isFile ? subject : zoo.catalog.study(named: subject) else {
      if options.vary.isEmpty {
        let studies = zoo.catalog.studies()
        let near = nearestName(to: subject, in: studies).map { "did you mean '\($0)'?" }
        throw Failure(
          .notFound,
          "there is no study '\(subject)'; \(near ?? "with a model, name what to --vary; the studies are \(studies.joined(separator: ", "))")"
        )
      }
      (tree, folder) = (base, nil)
      return
    }
    let file = try MappedFile(path: path)
    guard file.bytes.count <= YAMLReader.byteLimit else {
      throw FileProblem(
        path: path, sentence: "the file has \(file.bytes.count) bytes, and a study at most \(YAMLReader.byteLimit)")
    }
    let read = try withExtendedLifetime(file) { try YAMLReader(source: path).read(Array(file.bytes)) }
    if StudyReader.isStudy(read) || options.vary.isEmpty {
      (tree, folder) = (read, path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : ".")
    } else {
      (tree, folder) = (base, nil)
    }
  }
}

/// `path` from the root.
func absolutePath(_ path: String) -> String {
  if path.hasPrefix("/") { return path }
  return FileManager.default.currentDirectoryPath + "/" + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
}
