import Components
import Execution
import Files
import Generation
import Models
import Tokenization

extension Run {
  /// The ids of a prompt with pictures, and its settings: each picture's rows are computed, and stand in the places of its tokens. Of a
  /// prompt without pictures, what is prepared of any.
  func preparedWithPictures(
    _ given: String?, _ loaded: LoadedModel, seed: UInt64
  ) throws -> ([Int], TextGenerator.Settings) {
    let plan = loaded.description.plan
    var (ids, settings) =
      image.isEmpty
      ? try prepared(given, loaded, seed: seed)
      : ([], settings(stops: [], beginsText: given == nil, seed: seed))
    let encoder = try PictureEncoder(loaded)
    guard let token = encoder.token else {
      throw ModelProblem.picture("'\(plan.name)' has no token in whose places the rows of pictures stand")
    }
    if image.isEmpty {
      // A place that no row fills would be read as the token's own vector.
      if ids.contains(token) {
        throw ModelProblem.picture(
          "the prompt has places for pictures (token \(token)), and none is given: --image FILE")
      }
    } else {
      let reader = try PictureReader(loaded.description, stack: encoder.stack)
      let pictures = try reader.read(image)
      let totals = try pictures.map(encoder.places)
      let encoded = try encodedWithPictures(
        given, loaded, pictures, token: token, tokens: encoder.tokens(of: pictures), totals: totals)
      ids = encoded.ids
      settings = self.settings(
        stops: encoded.stops, ends: encoded.ends, beginsText: conversation.isWanted, seed: seed)
      try ShownPictures(
        pictures, in: ids, of: plan, encoder, pool: options.pool, computeType: options.computeType()
      ).show(to: &settings)
    }
    settings.suppressed.insert(token)
    return (ids, settings)
  }

  /// The ids of the prompt with the places of `pictures`, and what ends an answer.
  private func encodedWithPictures(
    _ given: String?, _ loaded: LoadedModel, _ pictures: [PictureReader.Tiles], token: Int, tokens count: [Int],
    totals: [Int]
  ) throws -> (ids: [Int], stops: [String], ends: Set<Int>) {
    if let tokens { return (try TokenList.ids(tokens), [], []) }
    guard let tokenizer = loaded.tokenizer else {
      throw Failure(
        .failed,
        "the model has no tokenizer: give one with --tokenizer, or the prompt with its places for pictures as --tokens 1,2,3"
      )
    }
    let writing = try PicturePrompt(loaded.description, token: token, tokenizer)
    guard conversation.isWanted else {
      let text = try writing.expanded(
        writing.marked(given ?? "", count: pictures.count), pictures, tokens: count, totals: totals)
      try tokenizer.requireEncodable(text)
      return (tokenizer.encode(text, addSpecialTokens: writing.addsSpecialTokens), [], [])
    }
    let chat = try ChatPrompt(
      try conversation.conversation(given).showing(pictures.count, mark: writing.mark),
      try ChatPrompt.template(of: loaded, otherwise: "leave out --chat, or "), tokenizer
    ) { try writing.expanded($0, pictures, tokens: count, totals: totals) }
    return (chat.ids, chat.stops, chat.ends)
  }
}

extension Conversation {
  /// The conversation with `count` pictures as parts of the user's last message, before its text; as it is where its messages have
  /// as many parts or marks.
  fileprivate func showing(_ count: Int, mark: String) throws -> Conversation {
    let parts = messages.lazy.flatMap { $0["content"]?.array ?? [] }.filter { $0["type"]?.string == "image" }.count
    let marks = messages.lazy.compactMap { $0["content"]?.string }.reduce(0) {
      $0 + $1.split(separator: mark, omittingEmptySubsequences: false).count - 1
    }
    if parts + marks > 0 { return self }
    guard let last = messages.lastIndex(where: { $0["role"]?.string == "user" }), var message = messages[last].object
    else { throw Failure(.usage, "--image wants a message of the user's, which its pictures are part of") }
    let text =
      message["content"]?.array ?? message["content"]?.string.map { [["type": "text", "text": .string($0)]] } ?? []
    message["content"] = .array(Array(repeating: ["type": "image"], count: count) + text)
    var conversation = self
    // A template may take all contents as lists of parts, or none.
    for (index, other) in messages.enumerated() {
      guard var members = other.object, let words = members["content"]?.string else { continue }
      members["content"] = .array([["type": "text", "text": .string(words)]])
      conversation.messages[index] = .object(members)
    }
    conversation.messages[last] = .object(message)
    return conversation
  }
}
