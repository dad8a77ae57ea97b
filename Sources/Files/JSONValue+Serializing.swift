extension JSONValue {
  /// The value as JSON text, always the same for the same value: members in their order, the shortest exact numbers.
  ///
  /// `pretty` puts each member on its own line, indented by two spaces, but keeps an array of plain values on one line.
  /// A number that JSON cannot say (NaN, infinity) becomes `null`, and with `literals` the word that Python's reader and
  /// writer of JSON have for it.
  public func serialized(pretty: Bool = false, literals: Bool = false) -> String {
    var text = ""
    write(into: &text, indent: pretty ? 0 : nil, literals)
    return text
  }

  private func write(into text: inout String, indent: Int?, _ literals: Bool) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .number(let value) where value.isFinite: text += "\(value)"
    case .number(let value):
      text += !literals ? "null" : value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
    case .string(let value): Self.write(value, into: &text)
    case .array(let items):
      let inner = items.contains { $0.array != nil || $0.object != nil } ? indent.map { $0 + 1 } : nil
      Self.write(items, between: ("[", "]"), into: &text, indent: indent, inner: inner) { item, text in
        item.write(into: &text, indent: inner, literals)
      }
    case .object(let members):
      let inner = indent.map { $0 + 1 }
      Self.write(Array(members), between: ("{", "}"), into: &text, indent: indent, inner: inner) { member, text in
        Self.write(member.0, into: &text)
        text += indent == nil ? ":" : ": "
        member.1.write(into: &text, indent: inner, literals)
      }
    }
  }

  private static func write<Item>(
    _ items: [Item], between brackets: (String, String), into text: inout String, indent: Int?, inner: Int?,
    _ writeItem: (Item, inout String) -> Void
  ) {
    text += brackets.0
    for (position, item) in items.enumerated() {
      if position > 0 { text += inner == nil && indent != nil ? ", " : "," }
      if let inner { text += "\n" + String(repeating: "  ", count: inner) }
      writeItem(item, &text)
    }
    if let indent, inner != nil, !items.isEmpty { text += "\n" + String(repeating: "  ", count: indent) }
    text += brackets.1
  }

  private static func write(_ string: String, into text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      // Read back as the same characters, and nothing that a terminal would act on stands in the text.
      case _ where scalar.controlsTerminals: text += "\\u" + String(scalar.value, radix: 16).leftPadded
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

extension String {
  /// Four digits of an escape.
  fileprivate var leftPadded: String { String(repeating: "0", count: max(0, 4 - count)) + self }
}
