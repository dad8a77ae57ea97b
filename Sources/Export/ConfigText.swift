import Plans

/// The settings of a file: a number that all parts agree on under one name is a field of `Config`, any other stands where it
/// is read.
struct ConfigText {
  /// The dataclass.
  let text: String
  private let fields: [String: String]

  /// The settings that stand in `body` as `{{name|value}}`.
  init(_ body: String, plan: Plan) {
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
    var lines = ["@dataclass", "class Config:"]
    for name in order {
      guard let value = agreed[name] else { continue }
      let type = Int(value) != nil ? "int" : Double(value) != nil ? "float" : value == "True" ? "bool" : "str"
      lines.append("    \(name): \(type) = \(value)")
    }
    text = lines.joined(separator: "\n")
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
      result += (fields[name] == nil ? value : "config.\(name)") + piece[end.upperBound...]
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
