import Ablation
import ArgumentParser
import Components
import Kernels
import Specification

/// A study as it is asked for on a command line: a file, or a base with what is varied; options stand over the file.
struct StudyOptions: ParsableArguments {
  @Argument(help: "A study's file or folder, the name of one that came along, or the model to vary.") var subject:
    String?
  @Option(help: "What to vary: key=value,value,… or key=[…]. May be repeated.") var vary: [String] = []
  @Option(help: "each, grid (every value with every other), fractional or path. [each]") var combine: String?
  @Option(help: "Each arm at its own best: auto, or lr=x0.5,x1,x2 (also warmup, clip, dropout).") var tune: String?
  @Option(
    help: "What arms must match in the base: params, flops, none, or {params: 1%, by: mlp.intermediate_size}. [params]")
  var hold: String?
  @Option(help: "Number of random seeds, a list, or {from: 3, to: 10}: until arms are decided. [3]") var seeds: String?
  @Option(help: "Abilities to test: recall, induction, copy, hops, arithmetic, parity, brackets, facts.") var probes:
    String?
  @Option(help: "Questions to ask trained arms: a JSON-lines file. May be repeated.") var tasks: [String] = []
  @Option(help: "What each arm may spend: tokens=N, flops=N or seconds=N.") var budget: String?
  @Option(help: "Sizes to run the study at: 3, or x0.5,x1,x2, or 300K,3M.") var ladder: String?
  @Option(help: "Training text: a file or folder. May be repeated.") var data: [String] = []
  @Option(help: "Lengths to evaluate at: 1x,2x,4x or tokens.") var evalContexts: String?
  @Option(help: "A training setting: steps=2000, lr=1e-3, batch=16 … May be repeated.") var train: [String] = []
  @Option(help: "A tokenizer to use: a file or folder, 'bytes' or 'char'. [the model's own]") var tokenizer: String?
  @Option(help: "Start from this trained model, to see what the changes break.") var weights: String?
  @Option(help: "The study's folder. [the study's name, with -study]") var out: String?
  @Option(parsing: .unconditional, help: "Number of threads. [all cores]") var threads: Int?
  @Flag(help: "Keep the weights of every run.") var keepWeights = false
  @Flag(help: "A short form: one size, no probes, and steps for ten minutes here.") var quick = false
  @OptionGroup var model: ModelOptions

  /// The options whose texts messages point into.
  static let sources = [
    "--vary", "--combine", "--tune", "--probes", "--hold", "--seeds", "--eval-contexts", "--train", "--data",
    "--tasks", "--budget", "--ladder",
  ]

  func validate() throws {
    if subject == nil, weights == nil { throw ValidationError("name a study, or a model and what to --vary") }
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads takes a number from 1 to 1024") }
  }

  /// What the study is called when no file names it: the model, and what is varied.
  var name: String {
    let keys = vary.compactMap { $0.split(separator: "=").first.map(String.init) }
    let model = (subject ?? weights ?? "study").split(separator: "/").last.map(String.init) ?? "study"
    return ([model.replacing(".yaml", with: "")] + keys).joined(separator: " ")
  }

  var threadCount: Int { threads ?? ThreadPool.preferredThreadCount() }

  /// `tree`, a study's file or an empty group, with what the options say over it; throws all that is unclear.
  func overlaid(on tree: Setting) throws -> Setting {
    var tree = tree
    var problems = Problems()
    func noting(_ body: () throws(Problems) -> Void) {
      do throws(Problems) { try body() } catch { for problem in error.list { problems.add(problem) } }
    }
    for (index, text) in vary.enumerated() {
      noting { () throws(Problems) in try add(text, line: index + 1, to: &tree) }
    }
    for (key, option, text) in [
      ("combine", "--combine", combine), ("hold", "--hold", hold), ("seeds", "--seeds", seeds),
    ] {
      guard let text else { continue }
      noting { () throws(Problems) in tree[key] = try YAMLReader(source: option).read(text) }
    }
    if let probes {
      noting { () throws(Problems) in tree["probes"] = try list(probes, source: "--probes", line: 1, column: 1) }
    }
    if let ladder {
      noting { () throws(Problems) in
        tree["ladder"] =
          ladder.contains(",") && !ladder.hasPrefix("{")
          ? try list(ladder, source: "--ladder", line: 1, column: 1)
          : try YAMLReader(source: "--ladder").read(ladder)
      }
    }
    if let budget {
      noting { () throws(Problems) in
        let text = budget.hasPrefix("{") ? budget : "{\(budget.replacing("=", with: ": "))}"
        tree["budget"] = try YAMLReader(source: "--budget").read(text)
      }
    }
    if !tasks.isEmpty {
      tree["tasks"] = Setting(
        .list(
          tasks.enumerated().map { index, path in
            Setting(
              .scalar(absolutePath(path), quoted: true),
              at: Place(source: "--tasks", line: index + 1, column: 1, length: path.count))
          }))
    }
    if let tune {
      noting { () throws(Problems) in
        guard let equals = tune.firstIndex(of: "="), !tune.hasPrefix("{") else {
          tree["tune"] = try YAMLReader(source: "--tune").read(tune)
          return
        }
        let values = try list(
          String(tune[tune.index(after: equals)...]), source: "--tune", line: 1,
          column: tune.distance(from: tune.startIndex, to: equals) + 2)
        let place = Place(source: "--tune", line: 1, column: 1, length: max(1, tune.count))
        tree["tune"] = Setting(.group([Setting.Entry(String(tune[..<equals]), values, at: place)]), at: place)
      }
    }
    if let evalContexts {
      noting { () throws(Problems) in
        tree["contexts"] = try list(evalContexts, source: "--eval-contexts", line: 1, column: 1)
      }
    }
    if !data.isEmpty {
      let files = data.enumerated().map { index, path in
        Setting(
          .scalar(absolutePath(path), quoted: true),
          at: Place(source: "--data", line: index + 1, column: 1, length: path.count))
      }
      tree["data"] = Setting(.list(files), at: files[0].place)
    }
    for (key, path) in [("weights", weights), ("tokenizer", tokenizer)] {
      if let path { tree[key] = Setting(.scalar(path, quoted: false)) }
    }
    noting { () throws(Problems) in
      for patch in try Overrides(train, source: "--train").patches {
        tree["train"] = (tree["train"] ?? Setting(.group([]))).merging(patch)
      }
      for patch in try Overrides(model.changes).patches {
        tree["set"] = (tree["set"] ?? Setting(.group([]))).merging(patch)
      }
    }
    try problems.check()
    return tree
  }

  /// `key=a,b` or `key=[a, b]` as an entry of `vary`.
  private func add(_ text: String, line: Int, to tree: inout Setting) throws(Problems) {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw Problems([
        Problem(
          "'\(text)' varies nothing", at: Place(source: "--vary", line: line, column: 1, length: max(1, text.count)),
          hint: "write key=value,value")
      ])
    }
    let key = String(text[..<equals])
    let place = Place(source: "--vary", line: line, column: 1, length: key.count)
    let column = key.count + 2
    let values = try list(String(text[text.index(after: equals)...]), source: "--vary", line: line, column: column)
    var vary = tree["vary"] ?? Setting(.group([]), at: place)
    guard vary[key] == nil else { throw Problems([Problem("'\(key)' is already varied", at: place)]) }
    vary.content = .group((vary.entries ?? []) + [Setting.Entry(key, values, at: place)])
    tree["vary"] = vary
  }

  /// `a,b` or `[a, b]` as a list, each value with its column.
  private func list(_ text: String, source: String, line: Int, column: Int) throws(Problems) -> Setting {
    let isList = text.hasPrefix("[")
    let reader = YAMLReader(source: source, firstLine: line, firstColumn: isList ? column : column - 1)
    return try reader.read(isList ? text : "[\(text)]")
  }
}
