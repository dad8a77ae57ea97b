extension TensorLayout {
  /// Reads a layout such as `(h (q|k|v)) m`; throws a sentence that says what was expected where.
  public init(parsing text: String) throws(LayoutProblem) {
    var parser = LayoutParser(text)
    var axes = try parser.axes()
    var hasExperts = false
    var foldsExperts = false
    switch axes.first {
    case .plain("e")?:
      hasExperts = true
      axes.removeFirst()
    case .folded(let inner)?:
      (hasExperts, foldsExperts) = (true, true)
      axes[0] = .plain(inner)
    case .parts(.named("e"), let parts)?:
      (hasExperts, foldsExperts) = (true, true)
      axes[0] = .parts(.one, parts)
    default: break
    }
    let unitAxes = axes.indices.filter { axes[$0] == .plain("1") }
    axes.removeAll { $0 == .plain("1") }
    var inputAxes: [String] = []
    if axes.count > 2, axes[0] == .plain("out"), !hasExperts, unitAxes.isEmpty {
      for case .plain(let name) in axes.dropFirst() { inputAxes.append(name) }
      if inputAxes.count == axes.count - 1 { axes = [.plain("out"), .plain("in")] }
    }
    guard (1...2).contains(axes.count) else {
      throw parser.problem("has \(axes.count) axes besides the experts'; a matrix has two and a vector one")
    }
    var parts: [String] = []
    var groups = Groups.one
    var transposed = false
    for (position, axis) in axes.enumerated() {
      switch axis {
      case .plain: continue
      case .folded: throw parser.problem("folds experts into an axis that is not the first")
      case .parts(let count, let names):
        guard parts.isEmpty else { throw parser.problem("has parts on two axes") }
        (parts, groups, transposed) = (names, count, position == 1)
      }
    }
    var rowAxis: String?
    if parts.isEmpty, axes.count == 2, case .plain(let name) = axes[0], axes[1] == .plain("out") { rowAxis = name }
    if parts.isEmpty, axes.count == 2 { transposed = axes[0] != .plain("out") && axes[1] != .plain("in") }
    self.init(
      text: text, parts: parts, groups: groups, hasExperts: hasExperts, foldsExperts: foldsExperts,
      isTransposed: transposed, axisCount: axes.count, unitAxes: unitAxes, inputAxes: inputAxes,
      rowAxis: rowAxis)
  }
}

/// Reads `axis axis…`, with `axis := name | (a|b…) | (n (a|b…)) | (e name)`.
private struct LayoutParser {
  enum Axis: Equatable {
    case plain(String)
    case parts(TensorLayout.Groups, [String])
    case folded(String)
  }

  private let text: String
  private var tokens: [String] = []

  init(_ text: String) {
    self.text = text
    var word = ""
    for character in text + " " {
      if character.isLetter || character.isNumber || character == "_" || character == "." {
        word.append(character)
        continue
      }
      if !word.isEmpty { tokens.append(word) }
      word = ""
      if character != " " { tokens.append(String(character)) }
    }
    tokens.reverse()
  }

  func problem(_ sentence: String) -> LayoutProblem {
    LayoutProblem(sentence: "the layout '\(text)' \(sentence)")
  }

  mutating func axes() throws(LayoutProblem) -> [Axis] {
    var axes: [Axis] = []
    while tokens.last != nil { axes.append(try axis()) }
    return axes
  }

  private mutating func axis() throws(LayoutProblem) -> Axis {
    guard take("(") else { return .plain(try name()) }
    let first = try name()
    if take("(") {
      let parts = try alternatives(after: try name())
      try expect(")")
      return .parts(try groups(first), parts)
    }
    if tokens.last == "|" { return .parts(.one, try alternatives(after: first)) }
    guard first == "e", tokens.last != ")" else {
      throw problem("has parentheses around '\(first)'; they hold parts (a|b), groups (n (a|b)) or experts (e out)")
    }
    let inner = try name()
    try expect(")")
    return .folded(inner)
  }

  /// The rest of `a|b|c)`.
  private mutating func alternatives(after first: String) throws(LayoutProblem) -> [String] {
    var names = [first]
    while take("|") {
      let name = try name()
      guard !names.contains(name) else { throw problem("names the part '\(name)' twice") }
      names.append(name)
    }
    try expect(")")
    guard names.count > 1 else { throw problem("has one part '\(first)'; two or more are joined by '|'") }
    return names
  }

  private func groups(_ word: String) throws(LayoutProblem) -> TensorLayout.Groups {
    guard word.first?.isNumber == true else { return .named(word) }
    guard let number = Int(word), number > 0 else { throw problem("counts '\(word)' groups") }
    return .number(number)
  }

  private mutating func name() throws(LayoutProblem) -> String {
    guard let token = tokens.last, token.first.map({ $0.isLetter || $0.isNumber || $0 == "_" }) == true else {
      throw problem(tokens.last.map { "has '\($0)' where a name is expected" } ?? "ends where a name is expected")
    }
    tokens.removeLast()
    return token
  }

  private mutating func take(_ token: String) -> Bool {
    guard tokens.last == token else { return false }
    tokens.removeLast()
    return true
  }

  private mutating func expect(_ token: String) throws(LayoutProblem) {
    guard take(token) else {
      throw problem(
        tokens.last.map { "has '\($0)' where '\(token)' is expected" } ?? "ends where '\(token)' is expected")
    }
  }
}
