import Files

/// A piece of HTML or SVG, well-formed by construction: texts and attributes are escaped as they are put in.
package struct Markup: Sendable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
  /// The characters of the page.
  package let source: String

  private init(source: String) { self.source = source }

  /// A text.
  package init(_ text: some StringProtocol) { source = Self.escaped(text) }
  package init(stringLiteral text: String) { source = Self.escaped(text) }

  /// Nothing.
  package static let nothing = Markup(source: "")

  /// A style sheet or a script, whose text is not escaped: it is written here and holds nothing of a file's.
  package static func raw(_ name: String, _ text: String) -> Markup { Markup(source: "<\(name)>\n\(text)</\(name)>") }

  /// Pieces one after the other.
  package static func all(_ pieces: [Markup], separator: String = "") -> Markup {
    Markup(source: pieces.lazy.map(\.source).filter { !$0.isEmpty }.joined(separator: separator))
  }

  /// The element `name` with `attributes` in their order; those whose value is empty are left out.
  package static func element(_ name: String, _ attributes: KeyValuePairs<String, String>, _ children: [Markup])
    -> Markup
  {
    var text = "<\(name)"
    for (key, value) in attributes where !value.isEmpty { text += " \(key)=\"\(escaped(value))\"" }
    // Closed as in XML too, so that any parser reads a page.
    if children.isEmpty, emptyElements.contains(name) { return Markup(source: text + "/>") }
    // Lines keep a page readable in an editor and its golden file reviewable.
    let isLong = blocks.contains(name)
    let inner = children.lazy.map(\.source).filter { !$0.isEmpty }.joined(separator: isLong ? "\n" : "")
    return Markup(source: isLong ? "\(text)>\n\(inner)\n</\(name)>" : "\(text)>\(inner)</\(name)>")
  }

  /// The element `name` around one piece.
  package static func element(_ name: String, _ attributes: KeyValuePairs<String, String>, _ child: Markup) -> Markup {
    element(name, attributes, [child])
  }

  /// The element `name` around nothing.
  package static func element(_ name: String, _ attributes: KeyValuePairs<String, String>) -> Markup {
    element(name, attributes, [] as [Markup])
  }

  /// The element `name` around `children`, with nothing else to say.
  package static func element(_ name: String, _ children: [Markup]) -> Markup { element(name, [:], children) }

  /// The element `name` around one piece, with nothing else to say.
  package static func element(_ name: String, _ child: Markup) -> Markup { element(name, [:], [child]) }

  /// A name of several words, which may be broken between them alone.
  package static func name(_ name: String) -> Markup {
    var source = ""
    for character in name {
      source += escaped(String(character))
      if character == "_" || character == "." { source += "<wbr/>" }
    }
    return Markup(source: source)
  }

  private static let emptyElements: Set<String> = ["meta", "input", "br", "wbr", "rect", "path", "circle"]
  private static let blocks: Set<String> = [
    "html", "head", "body", "main", "header", "section", "article", "svg", "g", "table", "tbody", "thead", "dl", "ul",
    "ol", "div", "form", "details", "nav",
  ]

  private static func escaped(_ text: some StringProtocol) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      // A page has no other control characters than line breaks and tabs.
      case "\n", "\t": result.unicodeScalars.append(scalar)
      default: result.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? "\u{FFFD}" : scalar)
      }
    }
    return result
  }
}

/// A coordinate in a drawing, with at most one digit after the point.
func coordinate(_ value: Double) -> String {
  let tenths = Int(rounding: value * 10)
  let rest = tenths.magnitude % 10
  return (tenths < 0 ? "-" : "") + "\(tenths.magnitude / 10)" + (rest == 0 ? "" : ".\(rest)")
}
