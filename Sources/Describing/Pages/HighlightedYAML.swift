import Components
import Specification

/// YAML with its keys, numbers and comments marked up. The text is that of the writer, character for character.
package struct HighlightedYAML {
  package let text: String

  /// The YAML of `setting`.
  package init(_ setting: Setting, width: Int = 76) { text = YAMLWriter(width: width).write(setting) }

  package var markup: Markup {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast(text.hasSuffix("\n") ? 1 : 0)
    return .element("pre", ["class": "yaml", "tabindex": "0"], .element("code", lines.map { .all([line($0), "\n"]) }))
  }

  private func line(_ line: Substring) -> Markup {
    var pieces: [Markup] = []
    var plain = ""
    var word = ""
    var quote: Character?
    let flushPlain = { (pieces: inout [Markup]) in
      if !plain.isEmpty { pieces.append(Markup(plain)) }
      plain = ""
    }
    let flushWord = { (isKey: Bool) in
      guard !word.isEmpty else { return }
      let kind =
        isKey ? "k" : Setting(text: word).number != nil ? "n" : ["true", "false", "null"].contains(word) ? "w" : ""
      if kind.isEmpty {
        plain += word
      } else {
        flushPlain(&pieces)
        pieces.append(.element("span", ["class": kind], Markup(word)))
      }
      word = ""
    }
    let characters = Array(line)
    for (index, character) in characters.enumerated() {
      if let open = quote {
        plain.append(character)
        if character == open { quote = nil }
      } else if character == "#", index == 0 || characters[index - 1] == " " {
        flushWord(false)
        flushPlain(&pieces)
        pieces.append(.element("span", ["class": "c"], Markup(String(characters[index...]))))
        return .all(pieces)
      } else if (character == "\"" || character == "'") && word.isEmpty {
        plain.append(character)
        quote = character
      } else if character == ":", index + 1 == characters.count || characters[index + 1] == " " {
        flushWord(true)
        plain.append(character)
      } else if " {}[],".contains(character) {
        flushWord(false)
        plain.append(character)
      } else {
        word.append(character)
      }
    }
    flushWord(false)
    flushPlain(&pieces)
    return .all(pieces)
  }
}
