import Files
import Foundation

/// Prompts of a file: one a line, or one JSON text or `{"prompt": "…"}` a line. Empty lines are passed over.
struct PromptFile {
  /// The prompts, in order.
  let prompts: [String]

  /// The prompts of the file at `path`; throws when it cannot be read, or a line is broken JSON.
  init(path: String) throws {
    let file = try MappedFile(path: path)
    guard let text = withExtendedLifetime(file, { String(validating: file.bytes, as: UTF8.self) }) else {
      throw Failure(.invalid, "\(path): the file is not UTF-8 text")
    }
    var prompts: [String] = []
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let line = String(line)
      guard let first = line.first(where: { !$0.isWhitespace }) else { continue }
      guard first == "{" || first == "\"" else {
        prompts.append(line)
        continue
      }
      let value: JSONValue
      do { value = try JSONValue(parsing: line, name: "\(path):\(number + 1)") } catch {
        throw Failure(.invalid, error.description)
      }
      guard let prompt = value.string ?? value["prompt"]?.string else {
        throw Failure(.invalid, "\(path):\(number + 1): a line of JSON is a string, or an object with a 'prompt'")
      }
      prompts.append(prompt)
    }
    if prompts.isEmpty { throw Failure(.invalid, "\(path): there is no prompt in the file") }
    self.prompts = prompts
  }
}
