extension Filters {
  /// The filters of texts; nil for another's name.
  static func text(_ name: String, _ value: TemplateValue, _ given: Arguments, _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue?
  {
    let what = "the filter '\(name)'"
    func text() throws(TemplateFault) -> String {
      let text = try evaluator.string(of: value)
      try evaluator.budget.write(text.utf8.count)
      return text
    }
    func none() throws(TemplateFault) { _ = try given.bound(of: what) }
    switch name {
    case "upper":
      try none()
      return value.like(try text().uppercased())
    case "lower":
      try none()
      return value.like(try text().pythonLowercased)
    case "capitalize":
      try none()
      return value.like(try text().pythonCapitalized)
    case "title":
      try none()
      return .string(titled(try text()))
    case "string":
      try none()
      return value.like(try text())
    case "trim":
      let characters = try given.bound(to: "chars", of: what)[0]
      if case .some(.none) = characters { return value.like(try text().pythonTrimmed()) }
      let set = try characters.map { value throws(TemplateFault) in try Optional(value).text(or: "", of: what) }
      return value.like(try text().pythonTrimmed(set))
    case "safe":
      try none()
      return .markup(try text())
    case "e", "escape":
      try none()
      if case .markup = value { return value }
      return .markup(try text().htmlEscaped)
    case "forceescape":
      try none()
      return .markup(try text().htmlEscaped)
    case "replace":
      let found = try given.bound(to: "old", "new", "count", required: 2, of: what)
      let (old, new) = (try evaluator.string(of: found[0] ?? .none), try evaluator.string(of: found[1] ?? .none))
      var limit = -1
      if let count = found[2] { if case .none = count {} else { limit = try found[2].integer(or: -1, of: what) } }
      return .string(
        try replaced(try text(), old, new, limit < 0 ? .max : limit, evaluator))
    case "center":
      let width = try given.bound(to: "width", of: what)[0].integer(or: 80, of: what)
      return value.like(try Methods.padded(try text(), to: width, " ", .center, evaluator))
    case "indent": return try indented(value, try given.bound(to: "width", "first", "blank", of: what), evaluator)
    case "wordcount":
      try none()
      return .int(words(try text()))
    case "truncate":
      return try truncated(
        value, try given.bound(to: "length", "killwords", "end", "leeway", of: what), evaluator)
    case "striptags":
      try none()
      return .string(withoutTags(try text()))
    case "urlencode":
      try none()
      return .string(try urlEncoded(value, evaluator))
    case "format":
      guard given.positional.isEmpty || given.named.isEmpty else {
        throw TemplateFault("\(what) takes arguments by place or by name, not both")
      }
      var mapping = TemplateMapping()
      for (name, value) in given.named { try mapping.set(.string(name), value) }
      return value.like(
        try Formatting(evaluator).percent(
          try text(), given.named.isEmpty ? try .tuple(of: given.positional) : .mapping(mapping)))
    default: return nil
    }
  }

  /// `old` replaced by `new`, with room for it.
  static func replaced(_ text: String, _ old: String, _ new: String, _ limit: Int, _ evaluator: Evaluator)
    throws(TemplateFault) -> String
  {
    let most = min(limit, old.isEmpty ? text.utf8.count + 1 : text.utf8.count / old.utf8.count)
    // What is surely not written need not fit.
    if most > 0, new.utf8.count > old.utf8.count {
      let count = old.isEmpty ? most : min(limit, text.pythonSplit(old).count - 1)
      try evaluator.budget.write(new.utf8.count, times: count)
    }
    try evaluator.budget.write(text.utf8.count)
    return text.pythonReplacing(old, with: new, limit: limit)
  }

  /// As `jinja2.filters.do_title`: a word begins behind a space, a dash, a bracket or the like.
  private static func titled(_ text: String) -> String {
    var result = ""
    var begins = true
    var tail = ""
    for scalar in text.unicodeScalars {
      if scalar.isPythonSpace || "-({[<".unicodeScalars.contains(scalar) {
        result += tail.pythonLowercased
        tail = ""
        result.unicodeScalars.append(scalar)
        begins = true
      } else if begins {
        result += String(Character(scalar)).uppercased()
        begins = false
      } else {
        tail.unicodeScalars.append(scalar)
      }
    }
    return result + tail.pythonLowercased
  }

  private static func indented(_ value: TemplateValue, _ given: [TemplateValue?], _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue
  {
    let what = "the filter 'indent'"
    guard let text = value.text else { throw evaluator.wrong(value, for: "indent") }
    let width = given[0]?.text ?? ""
    let count = given[0]?.text == nil ? try given[0].integer(or: 4, of: what) : 0
    try evaluator.budget.write(1, times: count)
    let indent = given[0]?.text == nil ? String(repeating: " ", count: max(0, count)) : width
    let (first, blank) = (given[1]?.truth ?? false, given[2]?.truth ?? false)
    let lines = (text + "\n").pythonLines()
    try evaluator.budget.write(text.utf8.count)
    try evaluator.budget.write(indent.utf8.count, times: lines.count)
    var result = first ? indent : ""
    for (place, line) in lines.enumerated() {
      if place > 0 { result += "\n" + (blank || !line.isEmpty ? indent : "") }
      result += line
    }
    return value.like(result)
  }

  /// Runs of letters, digits and underscores.
  private static func words(_ text: String) -> Int {
    var (count, isInside) = (0, false)
    for scalar in text.unicodeScalars {
      let isPart =
        scalar.properties.isAlphabetic && scalar.properties.generalCategory != .nonspacingMark
        || scalar.properties.numericType != nil || scalar == "_"
      if isPart, !isInside { count += 1 }
      isInside = isPart
    }
    return count
  }

  private static func truncated(_ value: TemplateValue, _ given: [TemplateValue?], _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue
  {
    let what = "the filter 'truncate'"
    guard let text = value.isUndefined ? "" : value.text else { throw evaluator.wrong(value, for: "truncate") }
    let length = try given[0].integer(or: 255, of: what)
    let end = try given[2].text(or: "...", of: what)
    var leeway = 5
    if let given = given[3] { if case .none = given {} else { leeway = try Optional(given).integer(or: 5, of: what) } }
    let scalars = Array(text.unicodeScalars)
    guard length >= end.unicodeScalars.count, leeway >= 0 else {
      throw TemplateFault("\(what) takes a length of at least \(end.unicodeScalars.count), and no leeway below 0")
    }
    if scalars.count <= length + leeway { return value }
    let kept = String(scalars.prefix(length - end.unicodeScalars.count))
    if given[1]?.truth == true { return value.like(kept + end) }
    return value.like((kept.pythonSplitFromEnd(" ", limit: 1).first ?? "") + end)
  }

  /// As MarkupSafe's `striptags`: comments and tags go, white space becomes one space.
  private static func withoutTags(_ text: String) -> String {
    var text = text
    for (begin, end) in [("<!--", "-->"), ("<", ">")] {
      while let start = text.range(ofText: begin, from: text.startIndex),
        let stop = text.range(ofText: end, from: start.upperBound)
      { text.removeSubrange(start.lowerBound..<stop.upperBound) }
    }
    let plain = text.pythonWords().joined(separator: " ")
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&#34;", "\""), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    return entities.reduce(plain) { $0.pythonReplacing($1.0, with: $1.1) }
  }

  private static func urlEncoded(_ value: TemplateValue, _ evaluator: Evaluator) throws(TemplateFault) -> String {
    func quoted(_ value: TemplateValue, inQuery: Bool) throws(TemplateFault) -> String {
      let text = try evaluator.string(of: value)
      try evaluator.budget.write(text.utf8.count, times: 3)
      var result = ""
      for byte in text.utf8 {
        let isPlain =
          0x30...0x39 ~= byte || 0x61...0x7A ~= byte | 0x20 && byte < 0x80 || "_.-~".utf8.contains(byte)
          || byte == 0x2F && !inQuery
        if isPlain {
          result.unicodeScalars.append(UnicodeScalar(byte))
        } else if byte == 0x20, inQuery {
          result += "+"
        } else {
          let digits = String(byte, radix: 16, uppercase: true)
          result += "%" + (digits.count == 1 ? "0" : "") + digits
        }
      }
      return result
    }
    if value.text != nil || value.number != nil { return try quoted(value, inQuery: false) }
    if case .none = value { return "None" }
    var parts: [String] = []
    let pairs: [TemplateValue]
    if case .mapping(let mapping) = value {
      pairs = try mapping.items()
    } else {
      pairs = try value.items(evaluator.budget)
    }
    for pair in pairs {
      let items = try pair.items(evaluator.budget)
      guard items.count == 2 else { throw TemplateFault("the filter 'urlencode' takes pairs") }
      parts.append(try quoted(items[0], inQuery: true) + "=" + (try quoted(items[1], inQuery: true)))
    }
    return parts.joined(separator: "&")
  }
}

extension String {
  /// Where `text` stands at or behind `start`.
  fileprivate func range(ofText text: String, from start: Index) -> Range<Index>? {
    self[start...].firstRange(of: text)
  }
}
