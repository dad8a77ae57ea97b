import Components

/// The spelling of texts in YAML.
enum ScalarText {
  /// `text` as a key.
  static func key(_ text: String) -> String {
    isPlain(text) && text != "<<" ? text : quotes(text)
  }

  /// `text` as a value that is not null; `quoted` texts stay texts, others may be flags and numbers.
  static func value(_ text: String, quoted: Bool) -> String {
    let plain = Setting(text: text)
    // A quoted word means the same without quotes; a quoted number or flag does not.
    let isTyped = plain.isNull || plain.flag != nil || plain.number != nil || plain.integer != nil
    return isPlain(text) && !(quoted && isTyped) && !looksLikeTime(text) ? text : quotes(text)
  }

  /// `text` of several lines as a block, indicator first; nil where a block would change it.
  static func block(_ text: String, indent: String) -> String? {
    guard text.contains("\n"), let first = text.unicodeScalars.first, first != " ", first != "\n",
      first != "\t"
    else { return nil }
    let endsWithBreak = text.hasSuffix("\n")
    let body = endsWithBreak ? String(text.dropLast()) : text
    guard !body.hasSuffix("\n"), body.unicodeScalars.allSatisfy({ $0 == "\n" || isPrintable($0) }) else { return nil }
    let lines = body.split(separator: "\n", omittingEmptySubsequences: false)
    // A last line of spaces would be taken for the indentation of what follows.
    guard let last = lines.last, last.contains(where: { $0 != " " }) else { return nil }
    return (endsWithBreak ? "|" : "|-") + "\n"
      + lines.map { $0.isEmpty ? "\n" : indent + $0 + "\n" }.joined()
  }

  /// Whether `text` is read back as itself without quotes, inside a flow group too.
  private static func isPlain(_ text: String) -> Bool {
    let scalars = Array(text.unicodeScalars)
    guard let first = scalars.first, let last = scalars.last, first != " ", last != " ", last != ":" else {
      return false
    }
    if text.hasPrefix("---") || text.hasPrefix("...") { return false }
    let next = scalars.count > 1 ? scalars[1] : " "
    switch first {
    case "-": if next == " " || next == "-" { return false }
    case ":", "?", "#", "&", "*", "!", "|", ">", "'", "\"", "%", "@", "`", "=": return false
    default: break
    }
    for (index, scalar) in scalars.enumerated() {
      switch scalar {
      case ",", "[", "]", "{", "}": return false
      case ":": if scalars[index + 1] == " " || scalars[index + 1] == "?" { return false }
      case "#": if scalars[index - 1] == " " { return false }
      default: if !isPrintable(scalar) || scalar == "\t" { return false }
      }
    }
    return true
  }

  /// YAML 1.1 readers take `0:24:2` for a number of sixtieths.
  private static func looksLikeTime(_ text: String) -> Bool {
    text.contains(":")
      && text.utf8.allSatisfy { $0 == UInt8(ascii: ":") || 0x30...0x39 ~= $0 || $0 == UInt8(ascii: "-") }
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x20..<0x7F: true
    case 0..<0xA0, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: false
    default: true
    }
  }

  private static func quotes(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      default:
        if isPrintable(scalar) {
          result.unicodeScalars.append(scalar)
        } else {
          let digits = String(scalar.value, radix: 16, uppercase: true)
          result += (scalar.value > 0xFF ? "\\u" : "\\x")
          result += String(repeating: "0", count: (scalar.value > 0xFF ? 4 : 2) - digits.count) + digits
        }
      }
    }
    return result + "\""
  }
}
