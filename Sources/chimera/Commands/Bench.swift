import ArgumentParser
import Components
import Composition
import Describing
import Essentials
import Execution
import Files
import Formats
import Kernels
import Models

/// `chimera bench`: how fast a model computes prompts and tokens here, beside what the machine gives.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure the speed of a model.",
    usage: "chimera bench MODEL [options]\nchimera bench --product SIZES [options]\nchimera bench --info",
    discussion: """
      A model without weights on this machine gets synthetic ones. Every repetition is compared with the rates of memory
      and arithmetic that are measured just before and after it.

        chimera bench tinyllama-1.1b --weights-type bf16,q8_0
        chimera bench model.gguf -p 512 -n 128 -b 1,8 -t 1,2 --markdown
        chimera bench model.gguf --against llama.cpp=build/bin/llama-bench -r 7
        chimera bench model.gguf --cold
        chimera bench tinyllama-1.1b --scaling context --html cost.html
        chimera bench gpt2 --train --batch 4 --context 64 --arithmetic f32,bf16
        chimera bench --product 4096x1536x384,512x5632x2048 --weights-type f32,q8_0
      """)

  enum Format: String, EnumerableFlag {
    case csv, json, markdown

    static func help(for value: Format) -> ArgumentHelp? {
      switch value {
      case .csv: "Write comma-separated values."
      case .json: "Write a JSON document."
      case .markdown: "Write a table in Markdown."
      }
    }
  }

  @Argument(help: "The model.") var model: String?
  @Option(name: .shortAndLong, help: "Prompt length in tokens; 0 for none.") var prompt = NumberList([512])
  @Option(name: [.customShort("n"), .long], help: "Tokens to generate; 0 for none.") var generate =
    NumberList([128])
  @Option(name: .shortAndLong, help: "Repetitions, after a warm-up.") var repetitions = 5
  @Option(name: .shortAndLong, help: "Sequences generated as one batch.") var batch = NumberList([1])
  @Option(name: .shortAndLong, help: "Number of threads. [all cores]") var threads: NumberList?
  @Option(help: "Storage formats of synthetic weights, such as f32,bf16,q8_0,q4_0. [bf16]") var weightsType: String?
  @Option(help: "Weights for the model: a folder, a safetensors file or a GGUF file.") var weights: String?
  @Option(help: "Tokens in the KV cache before the measurement.") var contextDepth = 0
  @Option(help: "Maximum tokens in one pass.") var passRows: Int?
  @Option(
    help: ArgumentHelp(
      "Measure this program's llama-bench in turns, too; each repetition gives a ratio.", valueName: "llama.cpp=PATH"))
  var against: Rival?
  @Option(help: "Measure how the cost grows with context, batch, experts or threads, beside what can be expected.")
  var scaling: Scaling?
  @Option(help: "With --scaling, draw the growth as a page in this file.") var html: String?
  @Flag(help: "Compute in f32, also with quantised and bf16 weights.") var exact = false
  @Flag(help: "Measure training steps of AdamW on --batch sequences of --context tokens.") var train = false
  @Option(help: "Sequence length of --train. [the model's context length, at most 1024]") var context: Int?
  @Option(help: "Compute type of --train's matrix multiplications: f32, bf16 or both.") var arithmetic = "f32"
  @Flag(help: "With --train, recompute cheap activations in the backward pass (activation recomputation).")
  var recompute = false
  @Flag(help: "Print a profile of the time on standard error.") var profile = false
  @Flag(help: "Measure the time from the start of a process to its first token.") var cold = false
  @Flag(help: "Describe the machine and its measured limits; needs no model.") var info = false
  @Option(help: "Measure matrix multiplications, rows x outputs x inputs each, instead of a model.") var product:
    ProductSizes?
  @Flag(exclusivity: .exclusive) var format: Format?
  @OptionGroup var cache: CacheOption
  @OptionGroup var adapter: AdapterOption
  @OptionGroup var changes: ModelOptions

  private static let longest = Int(Int32.max)

  func validate() throws {
    if model == nil, !info, product == nil { throw ValidationError("give a model, --product or --info") }
    if info, model != nil || cold || product != nil { throw ValidationError("--info describes the machine alone") }
    if product != nil, model != nil || cold || train || weights != nil {
      throw ValidationError(
        "--product measures matrix multiplications alone, without a model, --cold, --train and --weights")
    }
    if !prompt.lie(in: 0...Self.longest) { throw ValidationError("--prompt takes numbers of at least 0") }
    if !generate.lie(in: 0...Self.longest) { throw ValidationError("--generate takes numbers of at least 0") }
    if !(1...10_000).contains(repetitions) { throw ValidationError("--repetitions takes a number from 1 to 10000") }
    if !batch.lie(in: 1...1024) { throw ValidationError("--batch takes numbers from 1 to 1024") }
    if let threads, !threads.lie(in: 1...1024) { throw ValidationError("--threads takes numbers from 1 to 1024") }
    if !(0...Self.longest).contains(contextDepth) {
      throw ValidationError("--context-depth takes a number of at least 0")
    }
    if let passRows, !(1...65_536).contains(passRows) {
      throw ValidationError("--pass-rows takes a number from 1 to 65536")
    }
    if weights != nil, weightsType != nil { throw ValidationError("--weights and --weights-type exclude each other") }
    if cold, weightsType != nil {
      throw ValidationError("--cold reads weights from a file, so --weights-type does not go with it")
    }
    if cold || info, format == .csv || format == .markdown {
      throw ValidationError("--\(cold ? "cold" : "info") writes text or --json")
    }
    if train, cold || info || weightsType != nil {
      throw ValidationError("--train goes without --cold, --info and --weights-type")
    }
    if adapter.path != nil, cold || info || train || weightsType != nil || product != nil {
      throw ValidationError(
        "--adapter changes a model's own weights, and goes with none of --cold, --info, --train, --weights-type and --product"
      )
    }
    if against != nil, cold || info || train || weightsType != nil || product != nil || batch.numbers != [1] {
      throw ValidationError(
        "--against goes with none of --cold, --info, --train, --weights-type, --product and --batch")
    }
    if against != nil, adapter.path != nil || !changes.changes.isEmpty {
      throw ValidationError("--against compares a file as it is: --adapter and --set do not go with it")
    }
    if against != nil, format == .csv { throw ValidationError("--against writes text, --json or --markdown") }
    if scaling != nil, cold || info || train || product != nil || against != nil || format != nil || adapter.path != nil
    {
      throw ValidationError(
        "--scaling goes with none of --cold, --info, --train, --product, --against, --adapter, --csv, --json and --markdown"
      )
    }
    if html != nil, scaling == nil { throw ValidationError("--html draws what --scaling measures") }
    if html?.isEmpty == true { throw ValidationError("--html takes the path of a file to write") }
    if !train, context != nil || recompute { throw ValidationError("--context and --recompute belong to --train") }
    if let context, !(1...Self.longest).contains(context) {
      throw ValidationError("--context takes a number of at least 1")
    }
    _ = try (formats(), precisions())
  }

  func precisions() throws -> [TrainingOptions.Precision] {
    try arithmetic.split(separator: ",", omittingEmptySubsequences: false).map { word in
      guard let precision = TrainingOptions.Precision(rawValue: String(word)) else {
        throw ValidationError("'\(word)' is no compute type; --arithmetic takes f32, bf16 or f32,bf16")
      }
      return precision
    }
  }

  func formats() throws -> [StorageFormat] {
    try (weightsType ?? "bf16").split(separator: ",", omittingEmptySubsequences: false).map { word in
      guard let format = StorageFormat(rawValue: word.lowercased()) else {
        let known = StorageFormat.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("'\(word)' is no storage format; --weights-type takes \(known)")
      }
      return format
    }
  }

  var threadCounts: [Int] { threads?.numbers ?? [ThreadPool.preferredThreadCount()] }

  func run() throws {
    if let product { return try tellProducts(product.sizes) }
    guard let model else { return tellMachine() }
    let models = try changes.zoo().models
    let described = try models.describe(
      model, patches: changes.patches(), weights: weights, adapter: adapter.path)
    for note in described.notes { Console.note("note: \(note)") }
    if cold { return try measureStart(described, models) }
    if let scaling { return try measureScaling(scaling, described, models) }
    if !train { try checkLengths(described.plan) }
    let rows = train ? try measureTraining(described.plan) : try measure(described, models)
    var document = JSONObject()
    document["model"] = .string(described.plan.name)
    document["parameters"] = .integer(described.plan.parameterCount)
    write(
      rows, of: described.plan.name,
      "\(described.plan.name), \(Quantity.short(described.plan.parameterCount)) parameters, ", document)
  }

  /// Writes rows in the format asked for; text begins with `title`, JSON with what `document` has.
  func write(_ rows: [BenchRow], of name: String, _ title: String, _ document: JSONObject) {
    let table = BenchTable(model: name, rows: rows)
    switch format {
    case .json:
      var document = document
      document["machine"] = .object(Machine().json)
      document["rows"] = .array(rows.map { .object($0.json) })
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    case .csv: Console.write(table.csv)
    case .markdown: Console.write(table.markdown)
    case nil: Console.write("\(title)kernels \(KernelLevel.current.name)\n" + table.text)
    }
  }

  private func checkLengths(_ plan: Plan) throws {
    let longest = (prompt.numbers + generate.numbers).max() ?? 0
    let total = contextDepth + longest
    if let limit = plan.longestSequence, total > limit {
      throw Failure(
        .usage,
        "\(total) tokens are more than the \(limit) that \(plan.name) can take; give a smaller --prompt, --generate or --context-depth"
      )
    }
    guard plan.canCount(context: total) else {
      throw Failure(.usage, "\(total) tokens are too many to count what they cost")
    }
  }

  private func measure(_ described: ModelDescription, _ models: ModelLoader) throws -> [BenchRow] {
    var rows: [BenchRow] = []
    if !described.plan.otherAxes.isEmpty { try described.plan.requireContinuation() }
    let isWhole = described.plan.seesWholeTexts
    if isWhole, contextDepth > 0 {
      throw Failure(
        .usage, "'\(described.plan.name)' is an encoder: no tokens stand before a prompt, which is computed at once")
    }
    let longest = isWhole ? prompt.numbers.max() ?? 1 : 256
    let rival = try against.map { (program: $0, file: try fileForRival(described)) }
    let isReal = if case .specification = described.source { false } else { weightsType == nil }
    for format in isReal ? [nil] : try formats().map(Optional.some) {
      let parameters = try parameters(described, format, models)
      let kind = format ?? mainFormat(described.plan, parameters)
      for threads in threadCounts {
        let pool = ThreadPool(threads: threads)
        let executor = try PlanExecutor(
          described.plan, parameters, pool: pool, maximumRows: passRows ?? longest, states: cache.format, fusing: true,
          computeType: .asked(exact: exact))
        let runner = BenchRunner(
          executor, weights: kind, typeName: kind.rawValue, limits: MachineLimits(pool: pool), repetitions: repetitions,
          profiles: profile, against: rival)
        for tokens in prompt.numbers where tokens > 0 {
          rows.append(try note(runner.prompt(tokens, depth: contextDepth)))
        }
        // An encoder generates nothing.
        for batch in isWhole ? [] : batch.numbers {
          for tokens in generate.numbers where tokens > 0 {
            rows.append(try note(runner.generation(tokens, batch: batch, depth: contextDepth)))
          }
        }
      }
    }
    return rows
  }

  /// The GGUF file that a rival reads, too.
  private func fileForRival(_ described: ModelDescription) throws -> String {
    if let weights, weights.hasSuffix(".gguf") { return weights }
    if weights == nil, case .gguf(let path) = described.source { return path }
    throw Failure(.usage, "--against compares GGUF files; give one as the model or with --weights")
  }

  /// Tells how it goes, for a table comes only when all is done.
  func note(_ row: BenchRow) -> BenchRow {
    Console.note(
      "\(row.weightsType), \(row.threads) threads, \(row.title): \(Quantity.digits(row.tokensPerSecond.mean)) tokens/s")
    if let profile = row.profile { Console.note(ProfileText(profile: profile).text) }
    return row
  }

  func parameters(_ described: ModelDescription, _ format: StorageFormat?, _ models: ModelLoader) throws
    -> Parameters
  {
    guard let format else { return try Parameters(described.plan, stored: models.weights(of: described)) }
    let available = AvailableMemory.bytes ?? Int(clamping: ProcessInfo.processInfo.physicalMemory)
    let bytes = Double(described.plan.parameterCount) / Double(format.elementsPerBlock) * Double(format.bytesPerBlock)
    if bytes > Double(available) { throw ModelProblem.tooLarge(bytes: Int(rounding: bytes), available: available) }
    let pool = ThreadPool(threads: ThreadPool.preferredThreadCount())
    return try Parameters(described.plan, stored: SyntheticWeights(described.plan, format: format, pool: pool).tensors)
  }

  /// The format that most bytes of the matrices are in.
  func mainFormat(_ plan: Plan, _ parameters: Parameters) -> StorageFormat {
    var bytes: [StorageFormat: Int] = [:]
    for (index, tensor) in plan.parameters.enumerated() where tensor.use == .matrix {
      bytes[parameters.format(of: index), default: 0] += parameters.byteCount(of: index)
    }
    return StorageFormat.allCases.max { bytes[$0, default: 0] < bytes[$1, default: 0] } ?? .f32
  }
}
