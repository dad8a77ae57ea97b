import Ablation
import ArgumentParser
import Checkpoints
import Components
import Essentials
import Files
import Generation
import Models
import Probing
import Tokenization

/// `chimera probe`: what the steps of a model compute, and what becomes of its predictions when some of them are changed.
struct ProbeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "probe",
    abstract: "Look at the steps of a model, or change them.",
    discussion: """
      Without a text, lists names: Documentation/Probing.md. --help-hidden has more.

        chimera probe gpt2 "A cat sat on" --record 'layers.*.output' --json
        chimera probe gpt2 "A cat sat on" --lens
        chimera probe gpt2 --data book.txt --all heads --by mean
      """)

  @Argument(help: "The model.") var model: String
  @Argument(help: "A text.") var text: String?
  @Option(help: "The text: files or folders, in windows.") var data: [String] = []
  @Option(parsing: .unconditional, help: "The text as token ids: 1,2,3.") var tokens: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Tokens of a window of --data. [128]", valueName: "n", visibility: .hidden))
  var context: Int?
  @Option(parsing: .unconditional, help: ArgumentHelp("Read so many tokens of --data. [4096]", valueName: "n"))
  var maxTokens: Int?
  @Option(help: ArgumentHelp("Record what a step gives. May be repeated.", valueName: "name")) var record: [String] = []
  @Option(help: "Write what is recorded here, as safetensors.") var output: String?
  @Flag(help: "Predict from the stream behind each layer.") var lens = false
  @Option(help: ArgumentHelp("A head, sublayer, layer or step gives zeros.", valueName: "name")) var zero: [String] = []
  @Option(help: ArgumentHelp("It gives its mean over the text.", valueName: "name")) var mean: [String] = []
  @Option(help: ArgumentHelp("It gives what it does elsewhere.", valueName: "name")) var resample: [String] = []
  @Option(help: ArgumentHelp("It gives what it does in --from.", valueName: "name")) var patch: [String] = []
  @Option(help: ArgumentHelp("Another text, for --resample and --patch.", valueName: "text")) var from: String?
  @Option(help: "heads, sublayers, layers or a NAME: one by one.") var all: String?
  @Option(help: "zero, mean, resample or patch, for --all.") var by: PartReplacement = .zero
  @Option(help: ArgumentHelp("Change these positions only: 0,3.", valueName: "at")) var at: String?
  @Flag(help: "With --all, change each position by itself.") var eachToken = false
  @Option(help: "Measure this next token; of two, their difference.") var answer: [String] = []
  @Flag(help: "Write a JSON document.") var json = false
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Seed of random weights and of --resample.", visibility: .hidden))
  var seed: UInt64 = 0
  @OptionGroup var options: RunOptions

  func validate() throws {
    var mistakes = Mistakes()
    let isText = text != nil || tokens != nil
    mistakes.note(
      "a text, --tokens and --data exclude each other",
      if: (text != nil ? 1 : 0) + (tokens != nil ? 1 : 0) + (data.isEmpty ? 0 : 1) > 1)
    mistakes.note("--context takes a number of at least 2", if: context.map { $0 < 2 } ?? false)
    mistakes.note("--max-tokens takes a number of at least 2", if: maxTokens.map { $0 < 2 } ?? false)
    mistakes.note(
      "--context and --max-tokens are for --data", if: (context != nil || maxTokens != nil) && data.isEmpty)
    mistakes.note("--output is for what --record reads", if: output != nil && record.isEmpty)
    mistakes.note(
      "--record, --lens, --at, --each-token and --answer are for one text, given by itself or with --tokens",
      if: !isText && (!record.isEmpty || lens || at != nil || eachToken || !answer.isEmpty))
    mistakes.note("--record and --lens exclude each other", if: !record.isEmpty && lens)
    mistakes.note(
      "--all changes parts one by one: it goes without --zero, --mean, --resample and --patch, and says how with --by",
      if: all != nil && isChanging)
    mistakes.note("--all measures: it goes without --record and --lens", if: all != nil && (!record.isEmpty || lens))
    mistakes.note("--each-token is for --all, and goes without --at", if: eachToken && (all == nil || at != nil))
    mistakes.note("--at is for changes", if: at != nil && !isChanging && all == nil)
    mistakes.note(
      "changes are measured on a text: give one, or --data", if: !isText && data.isEmpty && (isChanging || all != nil))
    mistakes.note("--answer is given once or twice", if: answer.count > 2)
    mistakes.note("--answer is for changes", if: !answer.isEmpty && !isChanging && all == nil)
    mistakes.note(
      "--patch takes its numbers from another text: give it with --from",
      if: from == nil && (!patch.isEmpty || isPatching))
    mistakes.note(
      "--from is for --resample and --patch", if: from != nil && patch.isEmpty && resample.isEmpty && !takesOther)
    try mistakes.check()
  }

  /// Whether parts are changed together.
  var isChanging: Bool { !(zero + mean + resample + patch).isEmpty }
  private var isPatching: Bool { all != nil && by == .patch }
  private var takesOther: Bool { all != nil && (by == .patch || by == .resample) }

  func run() throws {
    let loaded = try options.load(model, seed: seed)
    if loaded.description.plan.axes.count > PlannedAxis.ofText.count {
      throw Failure(.invalid, "'\(loaded.description.plan.name)' reads more than one text, which cannot be probed")
    }
    if text == nil, tokens == nil, data.isEmpty { return list(ProbeMap(loaded.description.plan)) }
    let reading = ProbedTexts(loaded)
    let windows =
      data.isEmpty
      ? [try reading.tokens(text: text, ids: tokens)]
      : try reading.windows(of: data, context: context, limit: maxTokens ?? 4096, pool: options.pool)
    let other = try from.map { try reading.tokens(text: tokens == nil ? $0 : nil, ids: tokens == nil ? nil : $0) }
    let longest = (windows + [other ?? []]).map(\.count).max() ?? 1
    let probe = try ModelProbe(loaded, tokens: longest, pool: options.pool, computeType: options.computeType())
    // What is asked for is looked up before anything is computed.
    let together = try change(in: probe.map)
    let single = try changesOneByOne(in: probe.map, tokens: windows[0].count)
    for name in record { _ = try probe.map.values(named: name) }
    let measure = try reading.measure(answer: answer)
    let study = try PartStudy(probe, measure, windows: windows, other: other, seed: seed)
    if let together { try study.prepare([together]) }
    let changes = try together.map { try study.prepared($0) } ?? .none
    if !record.isEmpty {
      try write(recorded: probe.record(record, of: windows[0], changing: changes), reading)
    } else if lens {
      try writeLens(probe, windows[0], changes, reading)
    } else if let list = single ?? together.map({ [$0] }) {
      try write(effects: study, measure, list, windows, reading)
    } else {
      try write(scores: study, measure, windows, reading)
    }
  }

  /// The parts that are changed together; nil for none.
  private func change(in map: ProbeMap) throws -> PartChange? {
    guard isChanging else { return nil }
    var parts: [(part: ProbedPart, by: PartReplacement)] = []
    for (names, by) in [
      (zero, PartReplacement.zero), (mean, .mean), (resample, .resample), (patch, .patch),
    ] {
      for name in names { parts += try map.parts(named: name).map { ($0, by) } }
    }
    let words = [("zero", zero), ("mean", mean), ("resample", resample), ("patch", patch)].filter { !$0.1.isEmpty }
      .map { "\($0.0) \($0.1.joined(separator: ", "))" }
    return PartChange(name: words.joined(separator: "; "), parts: parts, positions: try positions())
  }

  private func positions() throws -> Set<Int>? { try at.map { Set(try TokenList.ids($0, of: "--at")) } }

  /// The parts that are changed one by one, each at each position by itself with --each-token; nil without --all.
  private func changesOneByOne(in map: ProbeMap, tokens: Int) throws -> [PartChange]? {
    guard let all else { return nil }
    let kind = ProbedPart.Kind.allCases.first { $0 != .value && [$0.rawValue, "\($0.rawValue)s"].contains(all) }
    let parts = try kind.map { kind throws(ProbeProblem) in try map.parts(of: kind) } ?? map.parts(named: all)
    let positions = try positions()
    return parts.flatMap { part in
      (eachToken ? (0..<tokens).map { Set([$0]) } : [positions]).map {
        PartChange(name: part.name, parts: [(part, by)], positions: $0)
      }
    }
  }

  private func list(_ map: ProbeMap) {
    if json {
      var document = JSONObject()
      document["model"] = .string(map.plan.name)
      for kind in ProbedPart.Kind.allCases {
        let parts = kind == .value ? map.values : map.parts.filter { $0.kind == kind }
        document["\(kind.rawValue)s"] = .array(parts.map { .string($0.name) })
      }
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
      return
    }
    for kind in ProbedPart.Kind.allCases {
      let parts = kind == .value ? map.values : map.parts.filter { $0.kind == kind }
      if parts.isEmpty { continue }
      Console.write("\(kind.rawValue)s: \(parts.count)\n")
      for pattern in ProbeMap.patterns(of: parts) { Console.write("  \(pattern)\n") }
    }
  }
}

extension PartReplacement: ExpressibleByArgument {}
