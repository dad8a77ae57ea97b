import Checkpoints
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

  /// This tokenizer with texts prepared for it as `texts` says, a spec's group: `normalizer`, a list of the normalizers of a `tokenizer.json`,
  /// and `add_eos_token`, whether the end of a text stands behind it. Itself where there is none. Throws `Problems`.
  public func prepared(by texts: Setting?) throws -> Tokenizer {
    guard let texts, !texts.isNull else { return self }
    let keys = ["normalizer", "add_eos_token"]
    var problems = Problems()
    for entry in texts.entries ?? [] where !keys.contains(entry.key) {
      problems.add(
        Problem(
          "'texts' has no key '\(entry.key.prefix(60))'", at: entry.place,
          hint: nearestName(to: entry.key, in: keys).map { "did you mean '\($0)'?" }
            ?? "its keys are \(keys.joined(separator: " and "))"))
    }
    let (normalizer, end) = (texts["normalizer"], texts["add_eos_token"])
    if let normalizer, !normalizer.isNull, normalizer.list == nil {
      problems.add(
        Problem(
          "'normalizer' takes a list of normalizers, not \(normalizer.kindInWords)", at: normalizer.place,
          hint: "normalizer: [{type: Lowercase}]"))
    }
    if let end, !end.isNull, end.flag == nil {
      problems.add(Problem("'add_eos_token' takes true or false", at: end.place))
    }
    try problems.check()
    do {
      return try preparing(
        (normalizer?.list ?? []).map { JSONValue($0) }, addsEnd: end?.flag ?? false, named: "texts.normalizer")
    } catch {
      throw Problems([Problem("\(error)", at: normalizer?.place ?? texts.place)])
    }
  }
}
