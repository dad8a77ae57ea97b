import Files

/// Prompts of a file: one a line, or one JSON text or `{"prompt": "…"}` a line. Empty lines are passed over.
struct PromptFile {
  /// The prompts, in order.
  let prompts: [String]

  /// The prompts of the file at `path`; throws when it cannot be read, or a line is broken JSON.
  init(path: String) throws {
    var prompts: [String] = []
    for (place, line) in try LineFile(path: path, readsLists: false).lines {
      switch line {
      case .text(let text): prompts.append(text)
      case .json(let value):
        guard let prompt = value.string ?? value["prompt"]?.string else {
          throw Failure(.invalid, "\(place): a line of JSON is a string, or an object with a 'prompt'")
        }
        prompts.append(prompt)
      }
    }
    if prompts.isEmpty { throw Failure(.invalid, "\(path): there is no prompt in the file") }
    self.prompts = prompts
  }
}
