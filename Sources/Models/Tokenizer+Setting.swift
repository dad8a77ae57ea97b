import Components
import Files
import Tokenization

extension Tokenizer {
  /// The tokenizer that a spec describes in a group: `{characters: ABC}` for one id a character in that order, or
  /// `{bytes: true}` for the bytes themselves, or `{file: vocabulary.json}` for a file beside the weights. Nil when the
  /// file is not there.
  static func described(by setting: Setting, in folder: String) throws -> Tokenizer? {
    let keys = ["characters", "bytes", "file"]
    if let unknown = setting.entries?.first(where: { !keys.contains($0.key) }) {
      throw Problems([
        Problem(
          "'\(unknown.key.prefix(60))' is not a key of 'tokenizer'", at: unknown.place,
          hint: nearestName(to: unknown.key, in: keys).map { "did you mean '\($0)'?" }
            ?? "its keys are characters, bytes and file")
      ])
    }
    if let characters = setting["characters"]?.text { return try Tokenizer(characters: characters.unicodeScalars) }
    if setting["bytes"]?.flag == true { return try Tokenizer.ofBytes() }
    guard let file = setting["file"]?.text else {
      throw Problems([
        Problem("'tokenizer' takes a name, {characters: …}, {bytes: true} or {file: …}", at: setting.place)
      ])
    }
    guard !file.contains("/"), !file.hasPrefix(".") else {
      throw Problems([
        Problem("'file' names a file beside the weights, not '\(file)'", at: setting["file"]?.place)
      ])
    }
    let path = folder + "/" + file
    return kind(ofPath: path) == .file ? try Tokenizer.load(from: path) : nil
  }
}
