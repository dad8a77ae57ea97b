/// Python's two ways of filling a format: `"%s" % x` and `"{}".format(x)`.
struct Formatting {
  let evaluator: Evaluator

  init(_ evaluator: Evaluator) { self.evaluator = evaluator }

  /// How one value is written.
  struct Form {
    var fill: Character = " "
    var align: Character?
    var sign: Character?
    var isAlternate = false
    var isZeroPadded = false
    var width = 0
    var groups: Character?
    var precision: Int?
    var type: Character?
  }

  /// `format % values`: a tuple gives its items in order, a mapping its members by name, anything else is the only value.
  func percent(_ format: String, _ values: TemplateValue) throws(TemplateFault) -> String {
    var items: [TemplateValue] = [values]
    if case .tuple(let tuple) = values { items = tuple.list }
    var (next, usesNames) = (0, false)
    func value() throws(TemplateFault) -> TemplateValue {
      guard next < items.count else { throw TemplateFault("the format asks for more values than there are") }
      next += 1
      return items[next - 1]
    }
    var result = ""
    var text = Substring(format)
    while let character = text.popFirst() {
      guard character == "%" else {
        result.append(character)
        continue
      }
      var name: String?
      if text.first == "(" {
        guard let end = text.firstIndex(of: ")") else { throw TemplateFault("a name in the format is not closed") }
        name = String(text[text.index(after: text.startIndex)..<end])
        text = text[text.index(after: end)...]
      }
      var form = Form()
      while let flag = text.first, "-+ #0".contains(flag) {
        switch flag {
        case "-": form.align = "<"
        case "+": form.sign = "+"
        case " ": form.sign = form.sign ?? " "
        case "#": form.isAlternate = true
        default: form.isZeroPadded = true
        }
        text.removeFirst()
      }
      func number() throws(TemplateFault) -> Int? {
        if text.first == "*" {
          text.removeFirst()
          return try Optional(try value()).integer(or: 0, of: "the format")
        }
        return try digits(&text)
      }
      if let width = try number() {
        form.width = abs(width)
        if width < 0 { form.align = "<" }
      }
      if text.first == "." {
        text.removeFirst()
        form.precision = try number() ?? 0
      }
      while let mark = text.first, "hlL".contains(mark) { text.removeFirst() }
      guard let type = text.popFirst() else { throw TemplateFault("the format ends within a field") }
      if type == "%" {
        result += "%"
        continue
      }
      let item: TemplateValue
      if let name {
        guard case .mapping(let mapping) = values else { throw TemplateFault("the format needs a mapping") }
        guard let found = mapping.value(of: name) else {
          throw TemplateFault("the format finds no '\(name.prefix(60))'")
        }
        (item, usesNames) = (found, true)
      } else {
        item = try value()
      }
      form.type = type
      result += try field(item, form)
    }
    if case .tuple = values, next < items.count { throw TemplateFault("the format does not take all of its values") }
    switch values {
    case .tuple, .mapping, .list: break
    default: if next == 0, !usesNames { throw TemplateFault("the format does not take all of its values") }
    }
    try evaluator.budget.write(result.utf8.count)
    return result
  }

  private func field(_ value: TemplateValue, _ form: Form) throws(TemplateFault) -> String {
    var form = form
    switch form.type {
    case "s": return try padded(cut(try evaluator.string(of: value), form), form, right: form.align != "<")
    case "r", "a":
      return try padded(cut(try ValueText.repr(of: value, evaluator.budget), form), form, right: form.align != "<")
    case "c":
      let text =
        value.text ?? value.integer.flatMap { UnicodeScalar(UInt32(clamping: $0)) }.map { String(Character($0)) }
      guard let text, text.unicodeScalars.count == 1 else { throw TemplateFault("'%c' takes one character") }
      return try padded(text, form, right: form.align != "<")
    case "d", "i", "u":
      guard let number = value.number, let whole = value.integer ?? Int(exactly: number.rounded(.towardZero)) else {
        throw TemplateFault("'%\(form.type ?? "d")' takes a number, not a value of the type '\(value.type)'")
      }
      form.type = "d"
      return try self.number(.int(whole), form, right: form.align != "<")
    case "x", "X", "o":
      guard value.integer != nil else { throw TemplateFault("'%\(form.type ?? "x")' takes an integer") }
      return try number(value, form, right: form.align != "<")
    case "e", "E", "f", "F", "g", "G":
      guard let found = value.number else { throw TemplateFault("'%\(form.type ?? "f")' takes a number") }
      return try number(.float(found), form, right: form.align != "<")
    default: throw TemplateFault("the format has no field '%\(form.type ?? "?")'")
    }
  }

  func cut(_ text: String, _ form: Form) -> String {
    form.precision.map { String(text.unicodeScalars.prefix(max(0, $0))) } ?? text
  }

  func digits(_ text: inout Substring) throws(TemplateFault) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    if digits.isEmpty { return nil }
    text = text.dropFirst(digits.count)
    guard let number = Int(digits), number <= 100_000 else { throw TemplateFault("a width in the format is too large") }
    return number
  }

  private func padded(_ text: String, _ form: Form, right: Bool) throws(TemplateFault) -> String {
    try Methods.padded(text, to: form.width, form.fill, right ? .right : .left, evaluator)
  }

  /// A number with its sign, groups and padding.
  func number(_ value: TemplateValue, _ form: Form, right: Bool) throws(TemplateFault) -> String {
    let isNegative: Bool
    var digits: String
    var mark = ""
    if let whole = value.integer, !"eEfFgG%".contains(form.type ?? "d") {
      isNegative = whole < 0
      let radix = ["x": 16, "X": 16, "o": 8, "b": 2][form.type ?? "d"] ?? 10
      digits = String(whole.magnitude, radix: radix, uppercase: form.type == "X")
      if form.isAlternate, radix != 10 { mark = "0" + String(form.type ?? "x") }
      if let precision = form.precision { digits = try Methods.padded(digits, to: precision, "0", .right, evaluator) }
    } else {
      let number = value.number ?? 0
      isNegative = number.sign == .minus && !number.isNaN
      digits = try real(number.magnitude, form)
    }
    if let groups = form.groups { digits = grouped(digits, groups) }
    let sign = (isNegative ? "-" : form.sign.map(String.init) ?? "") + mark
    let room = form.width - sign.count
    let align = form.align
    if form.isZeroPadded, align == nil || align == "=" {
      return sign + (try Methods.padded(digits, to: room, "0", .right, evaluator))
    }
    if align == "=" { return sign + (try Methods.padded(digits, to: room, form.fill, .right, evaluator)) }
    let side: Methods.Side = align == "^" ? .center : align == "<" || !right && align == nil ? .left : .right
    return try Methods.padded(sign + digits, to: form.width, form.fill, side, evaluator)
  }

  private func real(_ number: Double, _ form: Form) throws(TemplateFault) -> String {
    let type = form.type ?? "r"
    let precision = form.precision ?? 6
    guard precision <= 800 else { throw TemplateFault("a precision in the format is too large") }
    if !number.isFinite {
      let text = number.isNaN ? "nan" : "inf"
      return (type.isUppercase ? text.uppercased() : text) + (type == "%" ? "%" : "")
    }
    if type == "%" { return PythonNumber.printed(number * 100, digits: precision) + "%" }
    if type == "r" {
      guard let precision = form.precision else { return number.pythonRepr }
      let text = PythonNumber.printed(number, digits: max(1, precision), format: "g")
      return text.contains(".") || text.contains("e") || text.contains("n") ? text : text + ".0"
    }
    return PythonNumber.printed(number, digits: precision, format: type)
  }

  private func grouped(_ digits: String, _ mark: Character) -> String {
    let whole = digits.prefix { $0.isNumber }
    var result = ""
    for (place, digit) in whole.enumerated() {
      if place > 0, (whole.count - place) % 3 == 0 { result.append(mark) }
      result.append(digit)
    }
    return result + digits.dropFirst(whole.count)
  }
}
