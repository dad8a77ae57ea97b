import Components
import Specification

/// Reads a study out of the tree of a file or of a command line, and collects everything that is wrong with it.
///
///     ablation: my-question                       its name
///     base: gpt2-like-model                       what the arms are patches of
///     set: {layers: {count: 4}}                   what is changed in it for every arm
///     weights: folder                             a trained model to start from; left out, runs start anew
///     tokenizer: bytes                            or a path; left out, the model's own
///     arms: {a: {norm: …}, b: {mlp: …}}           changes, by name; `train` in one changes how it is trained
///     vary: {position: [x, y], norm: [u, v]}      the same, by listing values of keys, or changes by name under one word
///     combine: each                               or grid: every value of one key with every value of the others;
///                                                 fractional, {type: fractional, runs: 16}: some of all combinations
///                                                 of the arms; path, {type: path, orders: 10}: the arms one after
///                                                 another, in many orders
///     hold: {params: 1%, by: mlp.intermediate_size, tokens: 2000000, data_order: same}
///     seeds: 3                                    or a list; {from: 3, to: 10}: added until arms are decided
///     tune: auto                                  or {lr: [x0.5, x1, x2]}: each arm at its own best
///     probes: [recall, induction]                 abilities to test, or {recall: {steps: 600}}
///     tasks: [arc.jsonl]                          questions to ask trained arms, or {arc: {file: …, limit: 200}}
///     budget: {flops: 2e14}                       or tokens, or seconds: what each arm may spend
///     ladder: 3                                   or [x0.5, x1, x2]: the same study at several sizes
///     contexts: [1x, 2x, 512]                     lengths to evaluate at
///     data: text.txt                              beside the file
///     train: {batch: 16}                          for the trainer
public struct StudyReader {
  private let tree: Setting
  private let folder: String?
  private var problems = Problems()

  /// A reader of `tree`; paths in it are beside the file in `folder`, or as they are when it is nil.
  public init(_ tree: Setting, folder: String?) {
    self.tree = tree
    self.folder = folder
  }

  /// Whether `tree` is meant as a study, not as a model.
  public static func isStudy(_ tree: Setting) -> Bool { tree["ablation"] != nil || tree["arms"] != nil }

  /// The study; throws every problem of it at once. Whether base and arms compose is asked by `StudyPlanner`.
  public mutating func read() throws(Problems) -> Study {
    let study = try attempt()
    try problems.check()
    return study
  }

  /// What is wrong with the study itself, so far as it was read.
  public var found: Problems { problems }

  /// The study as far as it can be read; what is wrong with it is in `found`. Throws where there is nothing to read.
  public mutating func attempt() throws(Problems) -> Study {
    guard let entries = tree.entries else {
      throw Problems([
        Problem("a study is a group of keys, not \(tree.kindInWords)", at: tree.place, hint: "key: value")
      ])
    }
    for entry in entries where !StudyKeys.root.contains(entry.key) {
      problems.add(
        unknownKey(entry, in: "a study", among: StudyKeys.root, elsewhere: StudyKeys.hold.map { "hold." + $0 }))
    }
    let name = text("ablation", missing: "ablation: the study's name") ?? ""
    let base = text("base", missing: "base: the model that the arms change")
    let hold = HoldReader(tree["hold"]).read(&problems)
    let (arms, design) = arms()
    let tuning = TuningReader(tree["tune"]).read(&problems)
    let probes = ProbesReader(tree["probes"]).read(&problems)
    if !probes.isEmpty, let weights = tree["weights"] {
      problems.add(
        Problem(
          "probes train every arm anew, and 'weights' starts from a trained model", at: weights.place,
          hint: "leave out one of them"))
    }
    let benchmarks = BenchmarksReader(tree["tasks"]) { [folder] in Self.path($0, in: folder, isModel: false) }
      .read(&problems)
    let budget = BudgetReader(tree["budget"]).read(&problems)
    let ladder = LadderReader(tree["ladder"]).read(&problems)
    let (seeds, schedule) = seeds()
    StudyRules(hold: hold, schedule: schedule, budget: budget, ladder: ladder, arms: arms).check(tree, &problems)
    if tuning != nil, schedule != nil {
      problems.add(
        Problem(
          "seeds that are added and a setting that is tuned do not go together", at: tree["tune"]?.place,
          hint: "seeds: a number, or leave 'tune' out"))
    }
    if schedule != nil, case .each = design {
    } else if schedule != nil {
      problems.add(
        Problem(
          "seeds are added for one change at a time, not in a design whose effects need every arm",
          at: tree["seeds"]?.place, hint: "seeds: a number, or leave 'combine' out"))
    }
    return Study(
      name: name, base: base.map { path($0, isModel: true) } ?? "", basePlace: tree["base"]?.place,
      basePatch: group("set"), weights: optionalText("weights").map { path($0, isModel: true) },
      tokenizer: optionalText("tokenizer").map { path($0, isModel: true) }, arms: arms,
      seeds: seeds, hold: hold, training: group("train"), data: data(), contexts: contexts(), design: design,
      schedule: schedule, probes: probes, tuning: tuning, benchmarks: benchmarks, budget: budget, ladder: ladder)
  }

  private mutating func text(_ key: String, missing hint: String) -> String? {
    guard let setting = tree[key] else {
      problems.add(Problem("the key '\(key)' is missing", at: tree.place, hint: hint))
      return nil
    }
    guard let text = setting.text, !text.isEmpty, text.utf8.count <= 200,
      !text.unicodeScalars.contains(where: { $0.value < 0x20 })
    else {
      problems.add(Problem("'\(key)' takes a text of one line, not \(setting.kindInWords)", at: setting.place))
      return nil
    }
    return text
  }

  private mutating func optionalText(_ key: String) -> String? {
    tree[key] == nil ? nil : text(key, missing: "")
  }

  /// The group under `key`, empty when it is left out.
  private mutating func group(_ key: String) -> Setting { group(tree[key], named: key) }

  /// A path beside the file; a model's name stays as it is.
  private func path(_ text: String, isModel: Bool) -> String { Self.path(text, in: folder, isModel: isModel) }

  private static func path(_ text: String, in folder: String?, isModel: Bool) -> String {
    guard let folder, !text.hasPrefix("/"), !isModel || text.hasPrefix("./") || text.hasPrefix("../") else {
      return text
    }
    return folder + "/" + (text.hasPrefix("./") ? String(text.dropFirst(2)) : text)
  }

  private mutating func arms() -> (arms: [Arm], design: StudyDesign) {
    var arms: [Arm] = []
    if let setting = tree["arms"] {
      if let entries = setting.entries {
        arms = entries.compactMap { Arm($0, &problems) }
      } else {
        problems.add(
          Problem(
            "'arms' takes a group of arms by name, not \(setting.kindInWords)", at: setting.place,
            hint: "arms: {my-arm: {norm: …}}"))
      }
    }
    let combination = Combination(tree["combine"], &problems)
    let design: StudyDesign
    (arms, design) = VariationReader(tree["vary"], combination, changes: arms).read(&problems)
    if arms.isEmpty, problems.isEmpty {
      problems.add(
        Problem("the study has no arms", at: tree["arms"]?.place ?? tree.place, hint: "arms: {my-arm: {norm: …}}"))
    }
    if arms.count > StudyKeys.armLimit {
      problems.add(
        Problem("the study has \(arms.count) arms, and at most \(StudyKeys.armLimit) may be", at: tree.place))
    }
    var places: [String: Place?] = [:]
    for arm in arms {
      if let first = places[arm.name] {
        let location = first.map { " at \($0.line):\($0.column)" } ?? ""
        problems.add(Problem("an arm is named '\(arm.name)' already\(location)", at: arm.place))
      }
      places[arm.name] = arm.place
    }
    return (arms, design)
  }

  private mutating func group(_ setting: Setting?, named key: String) -> Setting {
    setting.map { Arm.group($0, named: key, &problems) } ?? Setting(.group([]))
  }

  /// The seeds, and at how many of them a study that adds seeds looks.
  private mutating func seeds() -> (seeds: [Int], schedule: SeedSchedule?) {
    guard let setting = tree["seeds"], let entries = setting.entries else { return (listedSeeds(), nil) }
    for entry in entries where !StudyKeys.seeds.contains(entry.key) {
      problems.add(unknownKey(entry, in: "'seeds'", among: StudyKeys.seeds))
    }
    let range = Verdict.fewestSeeds...StudyKeys.seedLimit
    let ends = StudyKeys.seeds.map { setting[$0]?.integer ?? 0 }
    guard ends.allSatisfy(range.contains), ends[0] < ends[1] else {
      problems.add(
        Problem(
          "seeds that are added go from at least \(range.lowerBound) to more, at most \(range.upperBound)",
          at: setting.place, hint: "seeds: {from: 3, to: 10}"))
      return ([], nil)
    }
    return (Array(1...ends[1]), SeedSchedule(from: ends[0], to: ends[1]))
  }

  private mutating func listedSeeds() -> [Int] {
    guard let setting = tree["seeds"] else { return [1, 2, 3] }
    if let count = setting.integer, setting.list == nil {
      guard (1...StudyKeys.seedLimit).contains(count) else {
        problems.add(
          Problem("'seeds' takes a number from 1 to \(StudyKeys.seedLimit), not \(count)", at: setting.place))
        return []
      }
      return Array(1...count)
    }
    guard let items = setting.list, !items.isEmpty, items.count <= StudyKeys.seedLimit else {
      problems.add(
        Problem("'seeds' takes how many there are, or a list of them, not \(setting.kindInWords)", at: setting.place))
      return []
    }
    var seeds: [Int] = []
    for item in items {
      guard let seed = item.integer, (0...Int(Int32.max)).contains(seed) else {
        problems.add(Problem("a seed is an integer of at least 0, not \(item.kindInWords)", at: item.place))
        continue
      }
      if seeds.contains(seed) { problems.add(Problem("the seed \(seed) is there already", at: item.place)) }
      seeds.append(seed)
    }
    return seeds
  }

  private mutating func data() -> [Study.DataFile] {
    guard let setting = tree["data"] else {
      problems.add(
        Problem("there is no data to train on", at: tree.place, hint: "data: a text file, or --data FILE"))
      return []
    }
    let items = setting.list ?? [setting]
    if items.isEmpty { problems.add(Problem("'data' names no file", at: setting.place)) }
    return items.compactMap { item in
      guard let text = item.text, !text.utf8.contains(0) else {
        problems.add(
          Problem("'data' takes the path of a file, or a list of paths, not \(item.kindInWords)", at: item.place))
        return nil
      }
      return Study.DataFile(path: path(text, isModel: false), place: item.place ?? setting.place)
    }
  }

  private mutating func contexts() -> [Study.EvaluatedContext] {
    guard let setting = tree["contexts"] else { return [] }
    var contexts: [Study.EvaluatedContext] = []
    for item in setting.list ?? [setting] {
      let context: Study.EvaluatedContext? =
        if let count = item.integer {
          .tokens(count)
        } else if let text = item.text, text.hasSuffix("x"),
          let factor = Int(text.dropLast())
        { .times(factor) } else { nil }
      guard let context, (1...1 << 20).contains(context.tokens(trainedAt: 1)) else {
        problems.add(
          Problem(
            "a context is a number of tokens, or a multiple of the trained length such as 2x, not \(item.kindInWords)",
            at: item.place))
        continue
      }
      if !contexts.contains(context) { contexts.append(context) }
    }
    return contexts
  }
}

extension Arm {
  /// The changes under a name, as `entry` writes them; nil, and a problem, where they are none.
  init?(_ entry: Setting.Entry, _ problems: inout Problems) {
    let place = entry.place ?? entry.value.place
    if entry.key == PlannedArm.baselineName {
      problems.add(
        Problem("'\(entry.key)' is the name of the base as it is", at: place, hint: "give the arm another name"))
      return nil
    }
    guard Arm.isName(entry.key) else {
      problems.add(Problem("an arm's name is a text of one line and at most 80 characters", at: place))
      return nil
    }
    guard let changes = entry.value.entries else {
      problems.add(
        Problem(
          "an arm takes a group of changes, not \(entry.value.kindInWords)", at: entry.value.place ?? place,
          hint: "\(entry.key): {norm: …}"))
      return nil
    }
    let patch = Setting(.group(changes.filter { $0.key != StudyKeys.training }), at: entry.value.place)
    // A loss a token says nothing beside that of other tokens.
    if let tokenizer = changes.first(where: { $0.key == "tokenizer" }) {
      problems.add(Problem("arms share one tokenizer, or their losses cannot be compared", at: tokenizer.place))
    }
    let training = entry.value[StudyKeys.training].map { Self.group($0, named: StudyKeys.training, &problems) }
    self.init(
      name: entry.key, patch: patch, training: training ?? Setting(.group([])), place: place, isVariation: false)
  }

  /// `setting`, and a problem where it is no group.
  fileprivate static func group(_ setting: Setting, named key: String, _ problems: inout Problems) -> Setting {
    if setting.entries == nil {
      problems.add(Problem("'\(key)' takes a group of keys, not \(setting.kindInWords)", at: setting.place))
    }
    return setting
  }

  /// Whether `name` can name an arm: one line of at most 80 characters.
  static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.count <= 80 && !name.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
  }
}
