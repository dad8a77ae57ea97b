import ArgumentParser
import Components
import Essentials
import Files
import Generation
import Models
import Tokenization

/// `chimera classify`: the classes of texts.
struct Classify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classify",
    abstract: "Tell the classes of texts, with a model that was trained to.",
    discussion: """
      For each text the classes, the likeliest first, each with its probability. The names are those of the model's config.json. \
      With --pairs two texts are read together, as by models that score an answer to a question.

        chimera classify sentiment-folder "What a film!" "I want my money back."
        chimera classify sentiment-folder reviews.txt --json
        chimera classify vit-folder picture.png
        chimera classify reranker-folder --pairs "How tall is it?" "It is 300 m tall."
      """)

  @Argument(help: "The model.") var model: String
  @Argument(help: "Texts, or one file with a text on each line; '-' is standard input. Of an image encoder, pictures.")
  var texts: [String]
  @Flag(help: "Read texts in pairs: the first with the second, the third with the fourth.") var pairs = false
  @Option(parsing: .unconditional, help: "List this many classes of each text. [5]") var top: Int?
  @Flag(help: "Write a JSON document with all classes.") var json = false
  @Option(parsing: .unconditional, help: "Random seed of the weights.") var seed: UInt64 = 0
  @OptionGroup var options: RunOptions

  func validate() throws {
    if let top, top < 1 { throw ValidationError("--top takes a number of at least 1") }
  }

  func run() throws {
    let loaded = try options.load(model, seed: seed)
    let plan = loaded.description.plan
    guard plan.prediction == .classes else { throw ModelProblem.noClasses(plan.name) }
    let readsPictures = plan.axes[RowAxis.tokens.index].patches != nil
    let texts = readsPictures ? self.texts : try GivenTexts(self.texts).texts
    if pairs, readsPictures { throw Failure(.usage, "--pairs is for texts, and '\(plan.name)' reads pictures") }
    if pairs, texts.count % 2 != 0 {
      throw Failure(.usage, "--pairs wants an even number of texts, not \(texts.count)")
    }
    let read = try readsPictures ? readPictures(loaded) : self.read(texts, loaded.tokenizer)
    let executor = try loaded.executor(
      pool: options.pool, longest: read.map(\.tokens.count).max(), states: .f32, computeType: options.computeType())
    let classes = try TextClasses(count: plan.logits.width, in: loaded.description.source.folder)
    let classifier = try TextClassifier(executor, classes)
    let scores = try classifier.scores(of: read)
    var documents: [JSONValue] = []
    for (index, scores) in scores.enumerated() {
      let found = zip(classifier.probabilities(scores), scores).enumerated()
        .map { (name: classes.names[$0.offset], probability: $0.element.0, score: $0.element.1) }
        .sorted { $0.probability > $1.probability }
      if json {
        documents.append(document(pairs ? Array(texts[2 * index...2 * index + 1]) : [texts[index]], found, classes))
      } else {
        var table = TextTable([.left, .right])
        for one in found.prefix(top ?? 5) { table.add(one.name, one.probability.digits(4)) }
        Console.write((index > 0 ? "\n" : "") + table.text())
      }
    }
    if json { Console.write(JSONValue.array(documents).serialized(pretty: true) + "\n") }
  }

  /// The ids of the texts, two by two with --pairs.
  private func read(_ texts: [String], _ tokenizer: Tokenizer?) throws -> [TextClassifier.Text] {
    guard let tokenizer else {
      throw Failure(.failed, "the model has no tokenizer: give one with --tokenizer")
    }
    for text in texts { try tokenizer.requireEncodable(text) }
    guard pairs else {
      return try texts.enumerated().map { index, text in
        let ids = tokenizer.encode(text)
        if ids.isEmpty { throw Failure(.usage, "text \(index + 1) is empty") }
        return TextClassifier.Text(tokens: ids)
      }
    }
    return try stride(from: 0, to: texts.count, by: 2).map { index in
      guard let pair = tokenizer.encode(pair: texts[index], texts[index + 1]) else {
        throw Failure(.invalid, "the tokenizer does not say how two texts are read together")
      }
      return TextClassifier.Text(tokens: pair.ids, second: pair.second)
    }
  }

  /// The rows of the pictures.
  private func readPictures(_ loaded: LoadedModel) throws -> [TextClassifier.Text] {
    let plan = loaded.description.plan
    let pictures = try PictureReader(loaded.description).read(texts)
    let width = plan.axes[RowAxis.tokens.index].inputWidth ?? 1
    return try zip(texts, pictures).map { file, picture in
      guard picture.tiles.count == 1 else {
        throw Failure(.invalid, "\(file) becomes \(picture.tiles.count) tiles, and one has a class")
      }
      let rows = picture.tiles[0]
      return TextClassifier.Text(tokens: Array(repeating: 0, count: rows.count / width), rows: rows)
    }
  }

  private func document(
    _ texts: [String], _ found: [(name: String, probability: Double, score: Float)], _ classes: TextClasses
  ) -> JSONValue {
    var document = JSONObject()
    document[pairs ? "pair" : "text"] = pairs ? .array(texts.map { .string($0) }) : .string(texts[0])
    document["classes"] = .array(
      found.map { one in
        var entry = JSONObject()
        entry["class"] = .string(one.name)
        if classes.function != .none { entry["probability"] = .number(one.probability) }
        entry["score"] = .number(Double(one.score))
        return .object(entry)
      })
    return .object(document)
  }
}
