extension Methods {
  /// Methods that give parts of a string; nil for another's name.
  static func splitting(
    _ name: String, _ text: String, _ object: TemplateValue, _ given: Arguments, _ evaluator: Evaluator
  ) throws(TemplateFault) -> TemplateValue? {
    let what = "'\(name)'"
    func list(_ parts: [String]) throws(TemplateFault) -> TemplateValue {
      try evaluator.budget.write(text.utf8.count)
      try evaluator.budget.write(16, times: parts.count)
      return try .list(of: parts.map(object.like))
    }
    switch name {
    case "split", "rsplit":
      let found = try given.bound(to: "sep", "maxsplit", of: what)
      let limit = try found[1].integer(or: -1, of: what)
      let most = limit < 0 ? Int.max : limit
      guard let separator = found[0], case let separator? = separator.text else {
        if let other = found[0] { if case .none = other {} else { throw TemplateFault("\(what) takes a string") } }
        return try list(text.pythonWords(limit: most, fromEnd: name == "rsplit"))
      }
      if separator.isEmpty { throw TemplateFault("\(what) takes no empty separator") }
      return try list(
        name == "split" ? text.pythonSplit(separator, limit: most) : text.pythonSplitFromEnd(separator, limit: most))
    case "splitlines":
      let keeps = try given.bound(to: "keepends", of: what)[0]?.truth ?? false
      return try list(text.pythonLines(keepsEnds: keeps))
    case "partition", "rpartition":
      let separator = try given.bound(to: "sep", required: 1, of: what)[0].text(or: "", of: what)
      if separator.isEmpty { throw TemplateFault("\(what) takes no empty separator") }
      try evaluator.budget.write(text.utf8.count)
      let parts =
        name == "partition" ? text.pythonSplit(separator, limit: 1) : text.pythonSplitFromEnd(separator, limit: 1)
      let three =
        parts.count == 2 ? [parts[0], separator, parts[1]] : name == "partition" ? [text, "", ""] : ["", "", text]
      return try .tuple(of: three.map(object.like))
    default: return nil
    }
  }

  /// Methods that look for something in a string; nil for another's name.
  static func searching(_ name: String, _ text: String, _ given: Arguments, _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue?
  {
    let what = "'\(name)'"
    guard ["startswith", "endswith", "find", "rfind", "index", "rindex", "count"].contains(name) else { return nil }
    let found = try given.bound(to: "sub", "start", "end", required: 1, of: what)
    let scalars = Array(text.unicodeScalars)
    func bound(_ place: Int, or fallback: Int) throws(TemplateFault) -> Int {
      guard let value = found[place] else { return fallback }
      if case .none = value { return fallback }
      let bound = try found[place].integer(or: 0, of: what)
      return bound < 0 ? max(0, bound + scalars.count) : bound
    }
    let start = try bound(1, or: 0)
    let end = min(scalars.count, try bound(2, or: scalars.count))
    if name == "startswith" || name == "endswith" {
      var options: [TemplateValue] = [found[0] ?? .none]
      if case .tuple(let items)? = found[0] { options = items.list }
      for option in options {
        let part = Array(try Optional(option).text(or: "", of: what).unicodeScalars)
        guard start <= end, part.count <= end - start, start <= scalars.count else { continue }
        let first = name == "startswith" ? start : end - part.count
        if scalars[first..<first + part.count].elementsEqual(part) { return .bool(true) }
      }
      return .bool(false)
    }
    let part = Array(try found[0].text(or: "", of: what).unicodeScalars)
    guard start <= end, start <= scalars.count else { return try missed(name) }
    try evaluator.budget.spend(1 + (end - start) >> 4)
    let last = end - part.count
    func stands(_ at: Int) -> Bool { scalars[at..<at + part.count].elementsEqual(part) }
    if name == "count" {
      if part.isEmpty { return .int(end - start + 1) }
      var (count, at) = (0, start)
      while at <= last {
        if stands(at) {
          count += 1
          at += part.count
        } else {
          at += 1
        }
      }
      return .int(count)
    }
    guard last >= start else { return try missed(name) }
    let place = name.hasPrefix("r") ? (start...last).last(where: stands) : (start...last).first(where: stands)
    if let place { return .int(place) }
    return try missed(name)
  }

  private static func missed(_ name: String) throws(TemplateFault) -> TemplateValue {
    if name.hasSuffix("index") { throw TemplateFault("'\(name)' does not find the text") }
    return .int(name == "count" ? 0 : -1)
  }

  /// Methods that give another string; nil for another's name.
  static func changing(
    _ name: String, _ text: String, _ object: TemplateValue, _ given: Arguments, _ evaluator: Evaluator
  ) throws(TemplateFault) -> TemplateValue? {
    let what = "'\(name)'"
    func plain(_ result: String) throws(TemplateFault) -> TemplateValue {
      _ = try given.bound(of: what)
      try evaluator.budget.write(result.utf8.count)
      return object.like(result)
    }
    switch name {
    case "strip", "lstrip", "rstrip":
      let characters = try given.bound(to: "chars", of: what)[0]
      var set: String?
      if let characters { if case .none = characters {} else { set = try Optional(characters).text(or: "", of: what) } }
      try evaluator.budget.write(text.utf8.count)
      return object.like(text.pythonTrimmed(start: name != "rstrip", end: name != "lstrip", set))
    case "upper": return try plain(text.uppercased())
    case "lower": return try plain(text.pythonLowercased)
    case "title": return try plain(text.pythonTitled)
    case "capitalize": return try plain(text.pythonCapitalized)
    case "casefold": return try plain(text.pythonReplacing("ß", with: "ss").lowercased())
    case "swapcase":
      let swapped = text.unicodeScalars.map { scalar in
        scalar.properties.isUppercase
          ? scalar.properties.lowercaseMapping
          : scalar.properties.isLowercase ? scalar.properties.uppercaseMapping : String(Character(scalar))
      }
      return try plain(swapped.joined())
    case "replace":
      let found = try given.bound(to: "old", "new", "count", required: 2, of: what)
      let limit = try found[2].integer(or: -1, of: what)
      return object.like(
        try Filters.replaced(
          text, try found[0].text(or: "", of: what), try found[1].text(or: "", of: what), limit < 0 ? .max : limit,
          evaluator))
    case "removeprefix", "removesuffix":
      let part = try given.bound(to: "part", required: 1, of: what)[0].text(or: "", of: what)
      let bytes = Array(text.utf8)
      if name == "removeprefix", bytes.starts(with: part.utf8) {
        return object.like(String(decoding: bytes.dropFirst(part.utf8.count), as: UTF8.self))
      }
      if name == "removesuffix", bytes.reversed().starts(with: part.utf8.reversed()) {
        return object.like(String(decoding: bytes.dropLast(part.utf8.count), as: UTF8.self))
      }
      return object
    case "join":
      let items = try (try given.bound(to: "iterable", required: 1, of: what)[0] ?? .none).items(evaluator.budget)
      var parts: [String] = []
      for item in items {
        guard let part = item.text else {
          throw TemplateFault("'join' takes strings, and an item is of the type '\(item.type)'")
        }
        parts.append(part)
      }
      try evaluator.budget.write(text.utf8.count, times: parts.count)
      try evaluator.budget.write(parts.reduce(0) { $0 + $1.utf8.count })
      return object.like(parts.joined(separator: text))
    case "ljust", "rjust", "center":
      let found = try given.bound(to: "width", "fillchar", required: 1, of: what)
      let fill = try found[1].text(or: " ", of: what)
      guard fill.unicodeScalars.count == 1, let character = fill.first else {
        throw TemplateFault("\(what) fills with one character")
      }
      let side = name == "ljust" ? Side.left : name == "rjust" ? .right : .center
      return object.like(try padded(text, to: try found[0].integer(or: 0, of: what), character, side, evaluator))
    case "zfill":
      let width = try given.bound(to: "width", required: 1, of: what)[0].integer(or: 0, of: what)
      let sign = text.hasPrefix("-") || text.hasPrefix("+") ? String(text.prefix(1)) : ""
      let digits = String(text.dropFirst(sign.count))
      return object.like(sign + (try padded(digits, to: width - sign.count, "0", .right, evaluator)))
    case "expandtabs":
      let size = try given.bound(to: "tabsize", of: what)[0].integer(or: 8, of: what)
      return object.like(try expanded(text, size, evaluator))
    case "format": return object.like(try Formatting(evaluator).braces(text, given))
    default: return nil
    }
  }

  private static func expanded(_ text: String, _ size: Int, _ evaluator: Evaluator) throws(TemplateFault) -> String {
    var result = ""
    var column = 0
    for scalar in text.unicodeScalars {
      if scalar == "\t" {
        let count = size > 0 ? size - column % size : 0
        try evaluator.budget.write(1, times: count)
        result += String(repeating: " ", count: count)
        column += count
      } else {
        result.unicodeScalars.append(scalar)
        column = scalar == "\n" || scalar == "\r" ? 0 : column + 1
      }
    }
    return result
  }

  /// The methods that ask what a string is made of.
  static func holds(_ name: String, _ text: String) -> Bool {
    let scalars = text.unicodeScalars
    func all(_ test: (Unicode.Scalar) -> Bool) -> Bool { !scalars.isEmpty && scalars.allSatisfy(test) }
    func isAlpha(_ scalar: Unicode.Scalar) -> Bool {
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
      default: false
      }
    }
    func isDecimal(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .decimalNumber }
    func isDigit(_ scalar: Unicode.Scalar) -> Bool {
      scalar.properties.numericType == .decimal || scalar.properties.numericType == .digit
    }
    switch name {
    case "isalpha": return all(isAlpha)
    case "isdecimal": return all(isDecimal)
    case "isdigit": return all(isDigit)
    case "isnumeric": return all { $0.properties.numericType != nil }
    case "isalnum": return all { isAlpha($0) || $0.properties.numericType != nil }
    case "isascii": return scalars.allSatisfy(\.isASCII)
    case "isspace": return all(\.isPythonSpace)
    case "isprintable": return scalars.allSatisfy(\.isPythonPrintable)
    case "islower": return text.isPythonLower
    case "isupper": return text.isPythonUpper
    case "isidentifier":
      guard let first = scalars.first, first == "_" || first.properties.isXIDStart else { return false }
      return scalars.allSatisfy(\.properties.isXIDContinue)
    case "istitle":
      var (wasCased, found) = (false, false)
      for scalar in scalars {
        let properties = scalar.properties
        if properties.isUppercase || properties.generalCategory == .titlecaseLetter {
          if wasCased { return false }
          (wasCased, found) = (true, true)
        } else if properties.isLowercase {
          if !wasCased { return false }
        } else {
          wasCased = false
        }
      }
      return found
    default: return false
    }
  }
}
