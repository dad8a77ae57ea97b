import Plans

/// The settings of a file: a number that all parts agree on under one name is a field of `Config`, any other stands where it
/// is read.
struct ConfigText {
  /// The settings on which all agree, in order, each with the text of its value.
  let settings: [(name: String, value: String)]
  private let fields: [String: String]
  private let words: [String: String]

  /// The dataclass.
  var text: String {
    var lines = ["@dataclass", "class Config:"]
    for (name, value) in settings {
      let type = Int(value) != nil ? "int" : Double(value) != nil ? "float" : value == "True" ? "bool" : "str"
      lines.append("    \(name): \(type) = \(value)")
    }
    return lines.joined(separator: "\n")
  }

  /// The settings that stand in `body` as `{{name|value}}`, each under its name or what `words` has for that.
  init(_ body: String, plan: Plan, words: [String: String]) {
    self.words = words
    var order = ["vocab_size", "context_length", "hidden_size", "num_layers"]
    var values: [String: Set<String>] = [
      "vocab_size": ["\(plan.shape.vocabSize)"], "context_length": ["\(plan.shape.contextLength)"],
      "hidden_size": ["\(plan.shape.hiddenSize)"], "num_layers": ["\(plan.shape.layerCount)"],
    ]
    for piece in body.components(of: "{{").dropFirst() {
      guard let (name, value) = Self.token(piece) else { continue }
      if values[name] == nil { order.append(name) }
      values[name, default: []].insert(value)
    }
    let agreed = values.compactMapValues { $0.count == 1 ? $0.first : nil }
    settings = order.compactMap { name in agreed[name].map { (words[name] ?? name, $0) } }
    fields = agreed
  }

  private static func token(_ piece: Substring) -> (name: String, value: String)? {
    guard let end = piece.firstRange(of: "}}"), let bar = piece.firstIndex(of: "|"), bar < end.lowerBound else {
      return nil
    }
    return (String(piece[..<bar]), String(piece[piece.index(after: bar)..<end.lowerBound]))
  }

  /// `text` with its settings in place, its lines broken where they are too long.
  func resolve(_ text: String) -> String {
    var result = ""
    for (index, piece) in text.components(of: "{{").enumerated() {
      guard index > 0, let (name, value) = Self.token(piece), let end = piece.firstRange(of: "}}") else {
        result += (index > 0 ? "{{" : "") + piece
        continue
      }
      result += (fields[name] == nil ? value : "config.\(words[name] ?? name)") + piece[end.upperBound...]
    }
    var isInDocumentation = false
    return result.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line -> [String] in
      let quotes = line.components(of: "\"\"\"").count - 1
      defer { if quotes == 1 { isInDocumentation.toggle() } }
      let indent = line.prefix { $0 == " " }.count
      guard line.count > PythonText.columns, quotes == 0, !isInDocumentation else { return [String(line)] }
      return PythonText.wrapped(String(line.dropFirst(indent)), indent: indent)
    }.joined(separator: "\n")
  }
}

extension StringProtocol where SubSequence == Substring {
  /// The text in pieces, between which `separator` stands.
  fileprivate func components(of separator: String) -> [Substring] {
    var pieces: [Substring] = []
    var rest = self[startIndex...]
    while let range = rest.firstRange(of: separator) {
      pieces.append(rest[..<range.lowerBound])
      rest = rest[range.upperBound...]
    }
    return pieces + [rest]
  }
}
