import Components

/// The words that a specification is made of, besides the slots and what their components read.
enum ArchitectureKeys {
  /// The keys of a file, in the order in which they read best.
  static let root: [String] =
    ["extends", "name", "facts", "vocab_size", "context_length", "hidden_size"]
    + Slot.atRoot.map(\.rawValue)
    + ["layers", "stacks", "tokenizer", "texts", "chat", "images", "init", "expected_params"] + bindings

  /// The keys that decide what is computed.
  static let shaping = Set(
    ["vocab_size", "context_length", "hidden_size", "layers", "stacks"] + Slot.atRoot.map(\.rawValue))

  /// The keys that belong to one model and are not handed on to those that extend it.
  static let own = ["extends", "name", "expected_params"]

  /// The groups that bind names, and may build on a map of the zoo with `naming`.
  static let bindings = ["checkpoint", "config", "gguf"]

  /// The keys that every model must have, and what each says.
  static let required: [(key: String, meaning: String)] =
    [
      ("vocab_size", "the number of token ids"),
      ("context_length", "the number of positions the model is made for"),
      ("hidden_size", "the width of the residual stream"),
    ]
    + Slot.atRoot.filter { $0.whenUnwritten == .required }.map { ($0.rawValue, $0.meaning) }
    + [("layers", "the number of layers: {count: 12}")]

  /// The keys of a stack beside the text's.
  static let stack = ["like"] + sizes + Slot.ofStacks.map(\.rawValue) + ["layers"]
  /// The sizes, which a stack has of the text's where it does not say them.
  static let sizes = ["vocab_size", "context_length", "hidden_size"]
  /// The name of the stack whose keys stand at the root.
  static let text = "text"
  /// How many stacks there may be beside the text's.
  static let stackLimit = 16

  /// The keys of `layers`.
  static let layers = ["count", "pattern", "variants", "overrides"]

  /// The keys of `facts`.
  static let facts = ["title", "year", "authors", "paper", "licence", "weights", "revision", "note"]

  /// Keys that stand in a group of the root, as paths: what a misplaced key may have meant.
  static let nested = layers.map { "layers." + $0 } + facts.map { "facts." + $0 }

  /// How large a size may be.
  static let sizeLimit = 1 << 31
  /// How many layers a model may have.
  static let layerLimit = 10_000
  /// How many overrides a model may have.
  static let overrideLimit = 1_000
}

/// The sentence for a key that has no meaning where it stands; `elsewhere` are keys of groups beside it, as paths.
package func unknownKey(
  _ entry: Setting.Entry, in owner: String, among keys: [String], elsewhere: [String] = [],
  terms: FieldTerms = FieldTerms()
) -> Problem {
  if let term = terms[entry.key] {
    return Problem("'\(entry.key.prefix(60))' is not a key of \(owner)", at: entry.place, hint: term.hint)
  }
  var near = nearestName(to: entry.key, in: keys)
  // A word cut short is far from the whole by letters, and close by meaning.
  if near == nil, entry.key.count >= 3 { near = keys.first { $0.hasPrefix(entry.key) } }
  if near == nil {
    let lastKeys = elsewhere.map { String($0.split(separator: ".").last ?? "") }
    if let last = nearestName(to: entry.key, in: lastKeys), let index = lastKeys.firstIndex(of: last) {
      near = elsewhere[index]
    }
  }
  return Problem(
    "'\(entry.key.prefix(60))' is not a key of \(owner)", at: entry.place,
    hint: near.map { "did you mean '\($0)'?" } ?? "the keys are \(keys.joined(separator: ", "))")
}
