import Components
import Execution
import Files
import Templates
import Tokenization

/// How pictures are written in a prompt, as a family's `images` says it.
///
/// ```yaml
/// images:
///   mark: <image>              # what stands for a picture in what a user or a chat template writes
///   expanded: "{{ token * tokens }}"      # what becomes of it: a template that knows rows, columns, tiles, tokens of a tile, total, token
///   prompt: "{{ marks }}{{ prompt }}"     # a prompt in which no mark stands: a template that knows marks, bos_token, prompt
///   special_tokens: true       # whether the tokenizer puts its own marks around the text
///   processor: {layout: …}     # how a picture is read, where no file beside the weights says it: a layout and its settings
/// ```
public struct PicturePrompt: Sendable {
  /// What stands for a picture.
  public let mark: String
  /// Whether the tokenizer puts its own marks around a text that is no conversation.
  public let addsSpecialTokens: Bool
  private let expanded: Template
  private let prompt: Template
  private let placeholder: String
  private let beginning: String

  /// How the model `described` has pictures written whose rows stand in the places of `token`. Throws `Problems` for what the group
  /// says wrong, and `ModelProblem` where the tokenizer has no such token.
  public init(_ described: ModelDescription, token: Int, _ tokenizer: Tokenizer) throws {
    try self.init(described.architecture.images, token: token, tokenizer)
  }

  /// How the group `images` of a spec has pictures written, whose rows stand in the places of `token`.
  public init(_ images: Setting?, token: Int, _ tokenizer: Tokenizer) throws {
    guard let placeholder = tokenizer.piece(of: token) else {
      throw ModelProblem.picture("the tokenizer has no token \(token), in whose places the rows of pictures stand")
    }
    self.placeholder = placeholder
    beginning = tokenizer.beginningOfText.flatMap(tokenizer.piece) ?? ""
    let entries = images?.entries ?? []
    var problems = Problems()
    let known = ["mark", "expanded", "prompt", "special_tokens", "processor"]
    for entry in entries where !known.contains(entry.key) {
      problems.add(
        Problem(
          "'images' has no key '\(entry.key)'", at: entry.place, hint: "its keys are \(known.joined(separator: ", "))"))
    }
    func text(_ key: String) -> String? {
      guard let setting = images?[key], !setting.isNull else { return nil }
      if setting.text == nil { problems.add(Problem("'\(key)' takes a text", at: setting.place)) }
      return setting.text
    }
    mark = text("mark") ?? placeholder
    let sources = (expanded: text("expanded"), prompt: text("prompt"))
    let special = images?["special_tokens"]
    if let special, special.flag == nil {
      problems.add(Problem("'special_tokens' takes true or false", at: special.place))
    }
    addsSpecialTokens = special?.flag ?? true
    try problems.check()
    expanded = try Template(sources.expanded ?? "{{ token * total }}", name: "images.expanded")
    prompt = try Template(sources.prompt ?? "{{ marks }}{{ prompt }}", name: "images.prompt")
  }

  /// `text` with a mark for each of `count` pictures before it; as it is where it has marks.
  public func marked(_ text: String, count: Int) throws -> String {
    if text.contains(mark) { return text }
    var variables = JSONObject()
    variables["marks"] = .string(String(repeating: mark, count: count))
    variables["bos_token"] = .string(beginning)
    variables["prompt"] = .string(text)
    return try prompt.render(variables)
  }

  /// `text` with what stands for each of `pictures` in the place of its mark; `tokens` are the rows of a tile of each, and `totals` those
  /// of each picture, where they are not as many as its tiles have.
  ///
  /// Throws `ModelProblem` where there are more marks than pictures, or fewer.
  public func expanded(
    _ text: String, _ pictures: [PictureReader.Tiles], tokens: [Int], totals: [Int]? = nil
  ) throws -> String {
    let parts = text.split(separator: mark, omittingEmptySubsequences: false)
    guard parts.count == pictures.count + 1 else {
      throw ModelProblem.picture(
        "the prompt has \(parts.count - 1) places for pictures ('\(mark)'), and \(pictures.count) "
          + "\(pictures.count == 1 ? "is" : "are") given")
    }
    var result = String(parts[0])
    for (index, (picture, part)) in zip(pictures, parts.dropFirst()).enumerated() {
      var variables = JSONObject()
      variables["token"] = .string(placeholder)
      variables["tokens"] = .integer(tokens[index])
      variables["total"] = .integer(totals?[index] ?? tokens[index] * picture.tiles.count)
      variables["tiles"] = .integer(picture.tiles.count)
      variables["rows"] = .integer(picture.rows)
      variables["columns"] = .integer(picture.columns)
      result += try expanded.render(variables) + part
    }
    return result
  }

  /// Throws `ModelProblem` where `ids` have not `rows` places for rows of pictures.
  public static func check(_ ids: [Int], token: Int, rows: Int) throws(ModelProblem) {
    let places = ids.count { $0 == token }
    if places != rows {
      throw .picture(
        "the prompt has \(places) places for the rows of pictures (token \(token)), and the pictures have \(rows) rows")
    }
  }

  /// Where `ids` stand, in which the runs of `token` are pictures of `grids` rows and columns: a picture's rows have all of their text's
  /// next place in time, and count down and across from it; the next token stands behind the longer side.
  public static func places(of ids: [Int], token: Int, grids: [(rows: Int, columns: Int)]) -> TextPlaces {
    var places = TextPlaces()
    var (next, at) = (0, 0)
    for (run, grid) in zip(runs(of: token, in: ids), grids) {
      while at < run.lowerBound {
        places.append(next)
        (next, at) = (next + 1, at + 1)
      }
      for index in 0..<run.count {
        places.append(next, next + index / max(1, grid.columns), next + index % max(1, grid.columns))
      }
      (next, at) = (next + max(grid.rows, grid.columns), run.upperBound)
    }
    places.shift = next - at
    return places
  }

  /// The runs of `token` among `ids`: the tokens of one picture each.
  public static func runs(of token: Int, in ids: [Int]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for (place, id) in ids.enumerated() where id == token {
      if let last = runs.last, last.upperBound == place {
        runs[runs.count - 1] = last.lowerBound..<place + 1
      } else {
        runs.append(place..<place + 1)
      }
    }
    return runs
  }
}
