import Essentials

/// Reads turns: with line editing on a terminal where the system has a library for it, else line by line.
///
/// A line that ends with a backslash goes on in the next; a line that begins with three quotes begins a turn that ends with
/// three quotes.
struct LineReader {
  private let editor: LineEditor?
  /// Whether a person types.
  let isInteractive: Bool

  /// A reader that completes the words `completing`.
  init(completing words: [String]) {
    isInteractive = StandardInput.isTerminal
    editor = isInteractive && Console.isTerminal ? LineEditor(completing: words) : nil
  }

  /// The next turn; nil at the end of input.
  func next(prompt: String) -> String? {
    guard var text = line(prompt) else { return nil }
    let quotes = "\"\"\""
    if text.hasPrefix(quotes) {
      text.removeFirst(quotes.count)
      while !text.hasSuffix(quotes) {
        guard let more = line(". ") else { return text.isEmpty ? nil : text }
        text += (text.isEmpty ? "" : "\n") + more
      }
      text.removeLast(quotes.count)
      return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
    while text.hasSuffix("\\") {
      text.removeLast()
      guard let more = line(". ") else { break }
      text += "\n" + more
    }
    return text
  }

  private func line(_ prompt: String) -> String? {
    defer { ChatSignals.lineCame() }
    if let editor { return editor.line(prompt) }
    if isInteractive { Console.prompt(prompt) }
    return readLine(strippingNewline: true)
  }
}
