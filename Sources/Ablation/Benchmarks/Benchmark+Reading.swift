import Components
import Files

extension Benchmark {
  private static let sizeLimit = 1 << 30

  /// The questions of the file that `request` names, a JSON object a line. Throws what is wrong with the first line that is
  /// no question, with its place, or where there are none.
  ///
  ///     {"context": "The sky is", "choices": ["blue", "round"], "answer": 0}     or a letter, or the text of the choice
  ///     {"context": "The sky is", "answer": "blue"}                              a cloze
  ///     {"question": …, "choices": {"text": […], "label": […]}, "answerKey": "A"}  as ARC has it
  ///     {"ctx": …, "endings": […], "label": 0}                                   as HellaSwag has it
  ///     {"goal": …, "sol1": …, "sol2": …, "label": 0}                            as PIQA has it
  ///     {"text": "… the last word"}                                              as LAMBADA has it
  public init(_ request: BenchmarkRequest) throws {
    let path = request.path
    func problem(_ sentence: String) -> Problems { Problems([Problem(sentence, at: request.place)]) }
    guard kind(ofPath: path) == .file else { throw problem("there is no file '\(path)'") }
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch {
      throw problem("\(path): \(error.sentence)")
    }
    guard file.bytes.count <= Self.sizeLimit else {
      throw problem("\(path): the file has \(file.bytes.count) bytes; at most \(Self.sizeLimit) are read")
    }
    var items: [Item] = []
    try withExtendedLifetime(file) {
      let lines = file.bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
      for (index, line) in lines.enumerated() {
        if let limit = request.limit, items.count == limit { break }
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
        let place = "\(path):\(index + 1)"
        do {
          let json = try JSONValue(parsing: UnsafeRawBufferPointer(rebasing: line), name: place)
          items.append(try Question(json).item(line: index + 1))
        } catch let error as FileProblem {
          throw problem("\(place): \(error.sentence)")
        } catch let error as QuestionProblem {
          throw problem("\(place): \(error.sentence)")
        }
      }
    }
    if items.isEmpty { throw problem("\(path) has no questions: it takes a JSON object a line") }
    self.init(name: request.name, items: items)
  }
}

/// Why a line is no question.
private struct QuestionProblem: Error { let sentence: String }

/// A line as it is written.
private struct Question {
  private let json: JSONValue

  init(_ json: JSONValue) throws(QuestionProblem) {
    guard json.object != nil else { throw QuestionProblem(sentence: "a question is a JSON object") }
    self.json = json
  }

  func item(line: Int) throws(QuestionProblem) -> Benchmark.Item {
    let (context, choices, right) = try parts()
    guard context.contains(where: { !$0.isWhitespace }) else {
      throw QuestionProblem(sentence: "the context is empty, and an answer needs something before it")
    }
    guard !choices.contains(where: { choice in !choice.contains { !$0.isWhitespace } }) else {
      throw QuestionProblem(sentence: "an answer is empty")
    }
    guard Set(choices).count == choices.count else { throw QuestionProblem(sentence: "two choices are the same") }
    return Benchmark.Item(line: line, context: context, choices: choices, right: right)
  }

  private func parts() throws(QuestionProblem) -> (context: String, choices: [String], right: Int) {
    if let goal = json["goal"]?.string {
      let choices = [json["sol1"]?.string, json["sol2"]?.string].compactMap { $0 }
      guard choices.count == 2 else { throw QuestionProblem(sentence: "beside 'goal' stand 'sol1' and 'sol2'") }
      return (goal, choices, try place(json["label"], "label", choices, labels: []))
    }
    if let context = json["ctx"]?.string {
      let choices = try texts(json["endings"], "endings")
      return (context, choices, try place(json["label"], "label", choices, labels: []))
    }
    guard let context = (json["context"] ?? json["question"] ?? json["prompt"])?.string else {
      guard let text = json["text"]?.string else {
        throw QuestionProblem(sentence: "it has no 'context', 'question' or 'prompt' that is a text")
      }
      guard let space = text.lastIndex(where: \.isWhitespace), text.index(after: space) < text.endIndex else {
        throw QuestionProblem(sentence: "'text' has no last word to predict")
      }
      return (String(text[..<space]), [String(text[text.index(after: space)...])], 0)
    }
    let answer = json["answer"] ?? json["answerKey"] ?? json["label"]
    guard let listed = json["choices"] else {
      guard let text = answer?.string else {
        throw QuestionProblem(sentence: "it has no 'choices', and 'answer' is no text to predict")
      }
      return (context, [text], 0)
    }
    let choices = try texts(listed["text"] ?? listed, "choices")
    let labels = (listed["label"]?.array ?? []).map { $0.string ?? "" }
    return (context, choices, try place(answer, "answer", choices, labels: labels))
  }

  private func texts(_ json: JSONValue?, _ key: String) throws(QuestionProblem) -> [String] {
    let texts = (json?.array ?? []).compactMap(\.string)
    guard texts.count > 1, texts.count == json?.array?.count else {
      throw QuestionProblem(sentence: "'\(key)' takes a list of at least two texts")
    }
    return texts
  }

  /// The choice that `answer` names: by its place from 0, by its label, by a letter, or by its text.
  private func place(
    _ answer: JSONValue?, _ key: String, _ choices: [String], labels: [String]
  ) throws(QuestionProblem) -> Int {
    if let place = answer?.integer, choices.indices.contains(place), labels.isEmpty { return place }
    if let word = answer?.string {
      if let place = labels.firstIndex(of: word), choices.indices.contains(place) { return place }
      if let place = choices.firstIndex(of: word) { return place }
      if labels.isEmpty, let place = Int(word), choices.indices.contains(place) { return place }
      if labels.isEmpty, word.utf8.count == 1, let letter = word.utf8.first, letter >= 0x41,
        choices.indices.contains(Int(letter) - 0x41)
      {
        return Int(letter) - 0x41
      }
    }
    throw QuestionProblem(
      sentence: "'\(key)' takes which of the \(choices.count) choices is right: its place from 0, a letter or its text")
  }
}
