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
    // A model of pictures alone has no vocabulary, and as many rows as a picture gives.
    var order =
      plan.readsTokens ? ["vocab_size", "context_length", "hidden_size", "num_layers"] : ["hidden_size", "num_layers"]
    var values: [String: Set<String>] = [
      "vocab_size": ["\(plan.shape.vocabSize)"], "context_length": ["\(plan.shape.contextLength)"],
      "hidden_size": ["\(plan.shape.hiddenSize)"], "num_layers": ["\(plan.shape.layerCount)"],
    ]
    if !plan.readsTokens { (values["vocab_size"], values["context_length"]) = (nil, nil) }
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
    return Self.namingWidths(result).split(separator: "\n", omittingEmptySubsequences: false).flatMap {
      line -> [String] in
      let quotes = line.components(of: "\"\"\"").count - 1
      defer { if quotes == 1 { isInDocumentation.toggle() } }
      let indent = line.prefix { $0 == " " }.count
      guard line.count > PythonText.columns, quotes == 0, !isInDocumentation else { return [String(line)] }
      return PythonText.wrapped(String(line.dropFirst(indent)), indent: indent)
    }.joined(separator: "\n")
  }
}

extension ConfigText {
  /// `text` where a constructor reads the width of all heads, a product of two settings, several times and not in a line:
  /// there it gets a name.
  private static func namingWidths(_ text: String) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let start = "        super().__init__()"
    for first in lines.indices.reversed() where lines[first] == start {
      let body = first + 1..<(lines[first...].firstIndex { $0.isEmpty } ?? lines.endIndex)
      guard lines[body].contains(where: { $0.count > PythonText.columns }) else { continue }
      var named: [String] = []
      for product in products(in: lines[body]) {
        guard let name = name(of: product), lines[body].count(where: { $0.contains(product) }) > 1 else { continue }
        for index in body { lines[index] = lines[index].replacing(product, with: name) }
        named.append("        \(name) = \(product)")
      }
      lines.insert(contentsOf: named, at: first + 1)
    }
    return lines.joined(separator: "\n")
  }

  /// The products of two settings in `lines`, each once.
  private static func products(in lines: ArraySlice<String>) -> [String] {
    var products: [String] = []
    for line in lines {
      let words = line.split { "(), ".contains($0) }
      for index in words.indices.dropFirst().dropLast() where words[index] == "*" {
        let (left, right) = (words[index - 1], words[index + 1])
        let product = "\(left) * \(right)"
        guard left.hasPrefix("config.num_"), right.hasPrefix("config."), line.contains(product) else { continue }
        if !products.contains(product) { products.append(product) }
      }
    }
    return products
  }

  /// `config.num_heads * config.head_dim` is the `heads_width`.
  private static func name(of product: String) -> String? {
    product.split(separator: " ").first.map { $0.dropFirst("config.num_".count) + "_width" }
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
