import ArgumentParser
import Checkpoints
import Components
import Essentials
import Files
import Generation
import Models
import Tokenization

/// `chimera embed`: texts as vectors, and how near they are.
struct Embed: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed",
    abstract: "Turn texts into vectors, and compare them.",
    discussion: """
      One text is written as its vector; several as a table of their cosines. The vectors themselves are in --json and \
      --output. A model folder of sentence-transformers says itself how states are pooled; else an encoder's are averaged, and \
      of other models the last token's is taken.

        chimera embed model-folder "A cat sleeps." "A dog naps." "Stocks fell."
        chimera embed model-folder sentences.txt --output vectors.safetensors
        chimera embed vit-folder picture.png other.jpg
        chimera embed clip-folder picture.png "a cat" "a dog"
        chimera embed bert-folder "A bank by the river." --pool tokens --json
      """)

  /// What becomes of the states of a text's tokens.
  enum Pool: String, ExpressibleByArgument, CaseIterable { case mean, cls, last, max, tokens }

  @Argument(help: "The model.") var model: String
  @Argument(
    help:
      "Texts, or one file with a text on each line; '-' is standard input. Of an image encoder, pictures, and of one that compares both, either."
  )
  var texts: [String]
  @Option(help: "mean, cls (the first token), last, max, or tokens: a vector for each. [as the model says]")
  var pool: Pool?
  @Flag(inversion: .prefixedNo, help: "Divide vectors by their length. [as the model says]") var normalize: Bool?
  @Option(parsing: .unconditional, help: "Maximum tokens to read of a text. [as the model says]") var maxTokens: Int?
  @Option(help: "Write the vectors here, as the tensor 'embeddings' [texts, width] of a safetensors file.")
  var output: String?
  @Flag(help: "Write a JSON document.") var json = false
  @Option(parsing: .unconditional, help: "Random seed of the weights.") var seed: UInt64 = 0
  @OptionGroup var options: RunOptions

  func validate() throws {
    var mistakes = Mistakes()
    mistakes.note("--max-tokens takes a number of at least 1", if: maxTokens.map { $0 < 1 } ?? false)
    mistakes.note(
      "--pool tokens gives a vector for each token, which --output has no place for",
      if: pool == .tokens && output != nil)
    mistakes.note("--normalize is for pooled vectors, not for --pool tokens", if: pool == .tokens && normalize != nil)
    try mistakes.check()
  }

  func run() throws {
    let loaded = try options.load(model, seed: seed)
    if loaded.description.plan.axes[RowAxis.tokens.index].patches != nil { return try embedPictures(loaded) }
    if loaded.description.plan.prediction == .pairs { return try embedBoth(loaded) }
    let texts = try GivenTexts(texts).texts
    guard let tokenizer = loaded.tokenizer else {
      throw Failure(.failed, "the model has no tokenizer: give one with --tokenizer")
    }
    let plan = loaded.description.plan
    var pooling = try TextPooling(of: plan, in: loaded.description.source.folder)
    if let pool, let mode = TextPooling.Mode(rawValue: pool.rawValue) { pooling.mode = mode }
    if let normalize { pooling.normalizes = normalize }
    if let maxTokens { pooling.maximumTokens = maxTokens }
    let embedder = TextEmbedder(loaded, pooling, pool: options.pool, computeType: try options.computeType())
    let read = try texts.map { try embedder.tokens(of: $0, tokenizer) }
    for (index, result) in read.enumerated() {
      if result.tokens.isEmpty { throw Failure(.usage, "text \(index + 1) is empty") }
      if result.leftOut > 0 {
        Console.note(
          "note: text \(index + 1) is longer than \(result.tokens.count.grouped) tokens: its end is left out")
      }
    }
    let results = try embedder.vectors(of: read, keepingStates: pool == .tokens)
    try show(texts, results, pooling, plan, tokenizer)
  }

  /// The vectors of pictures, of which the rows of patches are the tokens.
  private func embedPictures(_ loaded: LoadedModel) throws {
    let plan = loaded.description.plan
    if maxTokens != nil { throw Failure(.usage, "--max-tokens is for texts, and '\(plan.name)' reads pictures") }
    let folder = loaded.description.source.folder
    var pooling = try TextPooling(of: plan, in: folder)
    // What stands for a picture is its class row where it has one.
    if (plan.axes[RowAxis.tokens.index].patches?.rowsBefore ?? 0) > 0 { pooling.mode = .cls }
    if let pool, let mode = TextPooling.Mode(rawValue: pool.rawValue) { pooling.mode = mode }
    if let normalize { pooling.normalizes = normalize }
    let read = try PictureReader(loaded.description).read(texts)
    for (file, picture) in zip(texts, read) where picture.tiles.count != 1 {
      throw Failure(.invalid, "\(file) becomes \(picture.tiles.count) tiles, and one has a vector")
    }
    let embedder = TextEmbedder(loaded, pooling, pool: options.pool, computeType: try options.computeType())
    let results = try embedder.vectors(ofPictures: read.map { $0.tiles[0] }, keepingStates: pool == .tokens)
    try show(texts, results, pooling, plan, nil)
  }

  /// Writes `results`; those at `pictures` are of pictures, or all where nothing is: there is no tokenizer then.
  func show(
    _ texts: [String], _ results: [TextEmbedder.Result], _ pooling: TextPooling, _ plan: Plan, _ tokenizer: Tokenizer?,
    pictures: Set<Int> = []
  ) throws {
    if let output { try write(results, to: output) }
    if json {
      Console.write(
        JSONValue.object(document(texts, results, pooling, plan, tokenizer, pictures)).serialized(pretty: true) + "\n")
    } else if pool == .tokens {
      for result in results {
        for (index, state) in result.states.enumerated() {
          let name =
            tokenizer.map { $0.piece(of: result.tokens[index]) ?? String(result.tokens[index]) } ?? String(index)
          Console.write("\(name)\t\(Self.words(state))\n")
        }
      }
    } else if results.count == 1, output == nil {
      Console.write(Self.words(results[0].vector) + "\n")
    } else if results.count > 1 {
      Console.write(table(texts, results))
    }
  }

  private func table(_ texts: [String], _ results: [TextEmbedder.Result]) -> String {
    // More columns than a screen has help nobody; the vectors are in --json.
    let shown = results.prefix(12)
    if shown.count < results.count {
      Console.note("note: the first 12 of \(results.count.grouped) texts are compared; --json has all")
    }
    var table = TextTable([.right] + shown.map { _ in .right } + [.left])
    table.add([""] + shown.indices.map { String($0 + 1) } + [""])
    for (row, result) in shown.enumerated() {
      let cosines = shown.map { TextEmbedder.cosine(result.vector, $0.vector).digits(3) }
      let text = texts[row].split(whereSeparator: \.isNewline).joined(separator: " ")
      table.add([String(row + 1)] + cosines + [text.count > 60 ? text.prefix(59) + "…" : text])
    }
    return table.text()
  }

  private static func words(_ vector: [Float]) -> String { vector.map(\.description).joined(separator: " ") }

  private func write(_ results: [TextEmbedder.Result], to path: String) throws {
    let width = results.first?.vector.count ?? 0
    let tensor = StoredTensor(
      name: "embeddings", shape: [results.count, width], numbers: results.flatMap(\.vector))
    do { try SafetensorsFile.write([tensor], to: path) } catch let problem as FileProblem {
      throw Failure(.failed, problem.description)
    }
    Console.note("wrote \(path)")
  }

  private func document(
    _ texts: [String], _ results: [TextEmbedder.Result], _ pooling: TextPooling, _ plan: Plan, _ tokenizer: Tokenizer?,
    _ pictures: Set<Int>
  ) -> JSONObject {
    func numbers(_ vector: [Float]) -> JSONValue { .array(vector.map { .number(Double($0)) }) }
    var document = JSONObject()
    document["model"] = .string(plan.name)
    document["width"] = .integer(plan.finalStates?.width ?? 0)
    document["pooling"] = .string(pool?.rawValue ?? pooling.mode.rawValue)
    if pool != .tokens { document["normalized"] = .bool(pooling.normalizes) }
    document[tokenizer == nil ? "pictures" : "texts"] = .array(
      zip(texts, results).enumerated().map { index, both in
        let (text, result) = both
        let isText = tokenizer != nil && !pictures.contains(index)
        var entry = JSONObject()
        entry[isText ? "text" : "file"] = .string(text)
        if isText { entry["tokens"] = .array(result.tokens.map { .integer($0) }) }
        if result.leftOut > 0 { entry["left_out"] = .integer(result.leftOut) }
        if pool == .tokens {
          if let tokenizer {
            entry["pieces"] = .array(result.tokens.map { .string(tokenizer.piece(of: $0) ?? "") })
          }
          entry["states"] = .array(result.states.map(numbers))
        } else {
          entry["embedding"] = numbers(result.vector)
        }
        return .object(entry)
      })
    if pool != .tokens, results.count > 1 {
      document["cosines"] = .array(
        results.map { a in .array(results.map { .number(TextEmbedder.cosine(a.vector, $0.vector)) }) })
    }
    return document
  }
}
