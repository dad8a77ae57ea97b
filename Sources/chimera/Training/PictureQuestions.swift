import Components
import Execution
import Files
import Models
import Specification
import Synchronization
import Tokenization
import Training

/// Questions about pictures, a JSON object a line, as a model reads them.
///
///     {"images": ["pictures/000001.png"], "question": "How many shapes are there?", "answer": "2"}
///     {"images": ["pictures/000001.png"], "messages": [{"role": "user", "content": "How many shapes are there?"},
///                                                      {"role": "assistant", "content": "2"}, …]}
///
/// A path begins at the file's folder. A question is written as `images.prompt` of the model says, and an answer is followed by the
/// end of the text; the picture stands before the first.
struct PictureQuestions {
  /// A question, as its line has it.
  struct Question {
    let text: String
    let answer: String
    let picture: String
  }

  /// What a model is trained on, in the order of the lines.
  let examples: TrainingExamples
  /// The questions of all of them as texts.
  let questions: [Question]
  /// A hash of the lines, of the pictures, of how the first is read, and of the tokenizer.
  let fingerprint: String
  /// The files that were read.
  let paths: [String]

  /// Whether `plan` is trained on pictures: it reads a text and something else, made of patches.
  static func areRead(by plan: Plan) -> Bool { !plan.pictureStacks.isEmpty }

  /// The questions in `paths` for the model of `plan`, whose spec says `images`, with the files in `folder` beside its weights.
  ///
  /// Throws `TrainingProblem` where the model cannot be trained on pictures, and `FileProblem` for lines and pictures that cannot be
  /// read.
  init(_ paths: [String], _ plan: Plan, images: Setting?, folder: String, tokenizer: Tokenizer?) throws {
    let stack = try Self.stack(of: plan)
    guard let token = stack.token else {
      throw TrainingProblem.untrainablePictures(plan.name, why: "no token stands for a picture or for its rows")
    }
    guard let tokenizer else {
      throw TrainingProblem.untrainablePictures(plan.name, why: "it has no tokenizer here; name one with --tokenizer")
    }
    guard let end = tokenizer.endOfText.min() else {
      throw TrainingProblem.untrainablePictures(
        plan.name, why: "its tokenizer has no token for the end of a text, which an answer ends with")
    }
    let writing = try PicturePrompt(images, token: token, tokenizer)
    let rows = PictureRows(
      try PictureReader(plan, stack: stack, images: images, folder: folder), width: stack.patches.width)
    var hash = SHA256()
    var examples: [TrainingExamples.Example] = []
    var questions: [Question] = []
    var seen: Set<String> = []
    for path in paths {
      guard path.hasSuffix(".jsonl") || path.hasSuffix(".ndjson") else {
        throw FileProblem(
          path: path,
          sentence: "'\(plan.name)' reads pictures, and is trained on lines of JSON: \(Self.form)")
      }
      for line in try Self.read(path, &hash, severally: !plan.lets(.prompt)) {
        let picture = line[0].picture
        if seen.insert(picture).inserted {
          let bytes = try MappedFile(path: picture)
          withExtendedLifetime(bytes) { hash.update(bytes.bytes) }
        }
        // All pictures have as many rows as the first, or are refused when they are read.
        let tiles = try rows.first(picture)
        let count = stack.mark == nil ? plan.rows(on: stack.states.axis, of: rows.count) : 1
        let turns = try line.enumerated().map { index, question in
          let shown = index == 0 ? [(tiles: tiles, rows: count)] : []
          let text = try writing.expanded(
            writing.marked(question.text, count: shown.count), shown.map(\.tiles), tokens: shown.map(\.rows))
          try tokenizer.requireEncodable(text + question.answer)
          let prompt = tokenizer.encode(text, addSpecialTokens: index == 0 && writing.addsSpecialTokens)
          try PicturePrompt.check(prompt, token: token, rows: shown.isEmpty ? 0 : count)
          let answer = tokenizer.encode(question.answer, addSpecialTokens: false, parseSpecialTokens: false)
          return (prompt: prompt, answer: answer + [end])
        }
        examples.append(.init(turns, picture: picture))
        questions += line
      }
    }
    if let example = examples.first { for number in try rows(example.picture) { hash.update("\(number) ") } }
    hash.update(tokenizer.fingerprint)
    self.examples = TrainingExamples(
      examples, axis: stack.axis, promptIsSeen: plan.lets(.prompt), rows: { try rows($0) })
    self.questions = questions
    self.paths = paths
    fingerprint = hash.hexadecimal()
  }

  /// The stack of `plan` that is given pictures; throws where one is not all that it needs.
  static func stack(of plan: Plan) throws(TrainingProblem) -> Plan.PictureStack {
    guard let stack = plan.pictureStacks.first, plan.otherAxes.count == 1 else {
      throw .untrainablePictures(plan.name, why: "it has not one stack of patches beside its text, and no other")
    }
    if plan.readsPlaces || stack.patches.merge > 1 || stack.patches.frames > 1 {
      throw .untrainablePictures(
        plan.name,
        why: "its tokens stand in places across a picture or in blocks of patches, which training does not know")
    }
    if stack.patches.tiles != nil {
      throw .untrainablePictures(plan.name, why: "its pictures lie on canvases, which training does not give it")
    }
    if stack.lines != nil {
      throw .untrainablePictures(
        plan.name, why: "the tiles of a picture are laid together before its text is read, which training does not do")
    }
    if plan.lets(.picture) {
      throw .untrainablePictures(
        plan.name, why: "the tokens of a picture see each other in its text, which training does not know")
    }
    return stack
  }

  private static let form = #"{"images": ["picture.png"], "question": "…", "answer": "…"}"#

  /// The questions of each line of the file at `path`, whose bytes go into `hash`; one a line unless they are taken `severally`.
  private static func read(_ path: String, _ hash: inout SHA256, severally: Bool) throws -> [[Question]] {
    let file = try MappedFile(path: path)
    let folder = path.contains("/") ? String(path[...(path.lastIndex(of: "/") ?? path.startIndex)]) : ""
    var lines: [[Question]] = []
    try withExtendedLifetime(file) {
      hash.update(file.bytes)
      for (number, line) in file.bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
        let line = UnsafeRawBufferPointer(rebasing: line)
        if line.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) { continue }
        func wrong(_ what: String) -> FileProblem {
          FileProblem(path: path, sentence: "line \(number + 1) \(what); a line is \(form)")
        }
        let json = try JSONValue(parsing: line, name: "\(path), line \(number + 1)")
        guard let images = json["images"]?.array, !images.isEmpty else { throw wrong("has no picture") }
        guard images.count == 1, let image = images[0].string else {
          throw wrong("has \(images.count) pictures, and a model is trained on one at a time")
        }
        let picture = image.hasPrefix("/") ? image : folder + image
        guard let messages = json["messages"]?.array else {
          guard let question = json["question"]?.string, let answer = json["answer"]?.string, !answer.isEmpty else {
            throw wrong("has no question or no answer")
          }
          lines.append([Question(text: question, answer: answer, picture: picture)])
          continue
        }
        if json["question"] != nil || json["answer"] != nil { throw wrong("has both messages and a question") }
        let turns = Self.turns(of: messages)
        guard let turns, !turns.isEmpty else {
          throw wrong("has messages that are not a user's and an assistant's in turn, each with its content")
        }
        if turns.count > 1, !severally {
          throw wrong(
            "has \(turns.count) questions, and the model, whose question's tokens see each other, is asked one a line")
        }
        lines.append(turns.map { Question(text: $0.question, answer: $0.answer, picture: picture) })
      }
    }
    return lines
  }

  /// What is asked and answered in `messages`; nil where they are anything else.
  private static func turns(of messages: [JSONValue]) -> [(question: String, answer: String)]? {
    var turns: [(question: String, answer: String)] = []
    for (index, message) in messages.enumerated() {
      let isQuestion = index.isMultiple(of: 2)
      guard let text = message["content"]?.string, !text.isEmpty,
        message["role"]?.string == (isQuestion ? "user" : "assistant")
      else { return nil }
      if isQuestion { turns.append((text, "")) } else { turns[turns.count - 1].answer = text }
    }
    return messages.count.isMultiple(of: 2) ? turns : nil
  }
}

/// The rows of pictures as a stack is given them, of which some are remembered.
final class PictureRows: Sendable {
  /// Bytes of rows that are remembered: what does not fit is read again.
  private static let limit = 256 << 20

  private struct Known {
    var rows: [String: [Float]] = [:]
    var bytes = 0
  }

  private let reader: PictureReader
  private let width: Int
  private let known = Mutex(Known())
  private let sample = Mutex<PictureReader.Tiles?>(nil)

  init(_ reader: PictureReader, width: Int) {
    self.reader = reader
    self.width = width
  }

  /// How many rows a picture has; 0 before one was read.
  var count: Int { sample.withLock { ($0?.tiles.first?.count ?? 0) / width } }

  /// The tiles of the first picture that was read; `picture` is it where none was.
  func first(_ picture: String) throws -> PictureReader.Tiles {
    if let tiles = sample.withLock({ $0 }) { return tiles }
    let tiles = try single(picture)
    sample.withLock { $0 = tiles }
    return tiles
  }

  /// The rows of `picture`; throws where they are not as many as the first's.
  func callAsFunction(_ picture: String) throws -> [Float] {
    if let rows = known.withLock({ $0.rows[picture] }) { return rows }
    let rows = try single(picture).tiles[0]
    if rows.count != count * width {
      throw FileProblem(
        path: picture, sentence: "it has \(rows.count / width) patches, and the first picture \(count)")
    }
    known.withLock { known in
      let bytes = rows.count * MemoryLayout<Float>.stride
      guard known.bytes + bytes <= Self.limit else { return }
      known.rows[picture] = rows
      known.bytes += bytes
    }
    return rows
  }

  private func single(_ picture: String) throws -> PictureReader.Tiles {
    let tiles = try reader.read([picture])
    guard tiles.count == 1, tiles[0].tiles.count == 1, tiles[0].patches == nil else {
      throw FileProblem(
        path: picture,
        sentence: "the image processor cuts it into tiles, and a model is trained on pictures of one tile")
    }
    return tiles[0]
  }
}
