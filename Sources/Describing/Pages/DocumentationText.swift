/// A doc comment as a page shows it: paragraphs, equations, code and links.
struct DocumentationText {
  let text: String

  var markup: Markup {
    var blocks: [[Substring]] = [[]]
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.allSatisfy({ $0 == " " }) { blocks.append([]) } else { blocks[blocks.count - 1].append(line) }
    }
    return .all(
      blocks.filter { !$0.isEmpty }.map { lines in
        // Indented by four, as equations are.
        if lines.allSatisfy({ $0.hasPrefix("    ") }) {
          let rows = lines.map { $0.dropFirst(4) }.joined(separator: "\n")
          return .element("pre", ["class": "equation", "tabindex": "0"], Markup(rows))
        }
        return .element("p", inline(lines.joined(separator: " ")))
      })
  }

  /// Code between backticks, and addresses as links.
  private func inline(_ text: String) -> [Markup] {
    text.split(separator: "`", omittingEmptySubsequences: false).enumerated().flatMap { index, piece -> [Markup] in
      if index % 2 == 1 { return [.element("code", Markup(piece))] }
      return piece.split(separator: " ", omittingEmptySubsequences: false).enumerated().flatMap {
        place, word -> [Markup] in
        let space: [Markup] = place > 0 ? [" "] : []
        guard word.hasPrefix("https://") else { return space + [Markup(word)] }
        let end = word.lastIndex { !".,;:)".contains($0) } ?? word.startIndex
        let address = String(word[...end])
        return space + [FactSheet.linked(address), Markup(word[word.index(after: end)...])]
      }
    }
  }
}
