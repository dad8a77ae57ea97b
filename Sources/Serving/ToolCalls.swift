import Files

/// How a family of models writes that it calls a tool.
public enum ToolCallForm: Sendable {
  /// `<tool_call>{"name": …, "arguments": {…}}</tool_call>`, as Hermes and Qwen write it; text may stand around calls.
  case tagged
  /// `[TOOL_CALLS]` and a list of calls, or a name with `[ARGS]` and arguments, as Mistral writes it, to the end of the answer.
  case marked
  /// An answer that is `{"name": …, "parameters": {…}}` and nothing else, as Llama 3 writes it.
  case whole

  /// The form that the chat template `source` asks of a model; nil where it names none of them.
  public init?(template source: String) {
    if source.contains("<tool_call>") {
      self = .tagged
    } else if source.contains("[TOOL_CALLS]") {
      self = .marked
    } else if source.contains("\"parameters\":") || source.contains("<|python_tag|>") {
      self = .whole
    } else {
      return nil
    }
  }
}

/// Takes the calls of tools out of a text as it comes.
///
/// What may be the beginning of a call is held back till it is known. A careful reader's mistake: what does not read as a call
/// in the end was text, and is given as that, all of it.
public struct ToolCallReader: Sendable {
  /// A part of an answer.
  public enum Piece: Hashable, Sendable {
    case text(String)
    /// A call of a tool, with its arguments as JSON.
    case call(name: String, arguments: String)
  }

  private let form: ToolCallForm
  private let tools: Set<String>
  private var held = ""
  /// White space that belongs to the text only where more of it follows.
  private var blank = ""
  private var hasText = false
  private var hasCalls = false

  /// A reader of calls of `tools`, written in `form`.
  public init(_ form: ToolCallForm, tools: Set<String>) { (self.form, self.tools) = (form, tools) }

  private static let (opening, closing) = ("<tool_call>", "</tool_call>")
  private static let (mark, python) = ("[TOOL_CALLS]", "<|python_tag|>")

  /// Takes `text`, and gives what is known with it.
  public mutating func take(_ text: String) -> [Piece] {
    held += text
    var pieces: [Piece] = []
    switch form {
    case .whole:
      // Whether it is a call is known when it ends; that it is none, by what it begins with.
      if !hasText, mayBeCall(held.drop { $0.isWhitespace }) { return [] }
      release(upTo: held.endIndex, &pieces)
    case .marked: releaseText(before: Self.mark, &pieces)
    case .tagged:
      releaseText(before: Self.opening, &pieces)
      while held.hasPrefix(Self.opening), let end = held.firstRange(of: Self.closing) {
        let inner = held[held.index(held.startIndex, offsetBy: Self.opening.count)..<end.lowerBound]
        if let calls = calls(String(inner)) {
          add(calls, &pieces)
          held.removeSubrange(..<end.upperBound)
        } else {
          release(upTo: end.upperBound, &pieces)
        }
        releaseText(before: Self.opening, &pieces)
      }
    }
    return pieces
  }

  private func mayBeCall(_ text: Substring) -> Bool {
    text.isEmpty || text.first == "{" || text.first == "[" || text.hasPrefix(Self.python) || Self.python.hasPrefix(text)
  }

  /// What was held back, now that no more text comes: a call whose end was the answer's, or text.
  public mutating func finish() -> [Piece] {
    var pieces: [Piece] = []
    var inner = String(held.drop { $0.isWhitespace })
    let start = form == .tagged ? Self.opening : form == .marked ? Self.mark : Self.python
    let isMarked = inner.hasPrefix(start)
    if isMarked { inner.removeFirst(start.count) }
    if isMarked || form == .whole, !hasText || form != .whole, let calls = calls(inner) {
      add(calls, &pieces)
      held = ""
    }
    release(upTo: held.endIndex, &pieces)
    if !hasCalls, !blank.isEmpty { pieces.append(.text(blank)) }
    blank = ""
    return pieces
  }

  private mutating func add(_ calls: [Piece], _ pieces: inout [Piece]) {
    (hasCalls, blank) = (true, "")
    pieces += calls
  }

  /// Gives the text before the first `mark`, or before what may be its beginning.
  private mutating func releaseText(before mark: String, _ pieces: inout [Piece]) {
    if let place = held.firstRange(of: mark) { return release(upTo: place.lowerBound, &pieces) }
    release(upTo: held.index(held.endIndex, offsetBy: -Self.overlap(held, mark)), &pieces)
  }

  private mutating func release(upTo end: String.Index, _ pieces: inout [Piece]) {
    let text = blank + held[..<end]
    held.removeSubrange(..<end)
    let kept = text.reversed().prefix { $0.isWhitespace }.count
    blank = String(text.suffix(kept))
    guard kept < text.count else { return }
    hasText = true
    pieces.append(.text(String(text.dropLast(kept))))
  }

  /// How many characters at the end of `text` may begin `mark`.
  private static func overlap(_ text: String, _ mark: String) -> Int {
    var count = min(text.count, mark.count - 1)
    while count > 0, !mark.hasPrefix(text.suffix(count)) { count -= 1 }
    return count
  }

  /// The calls that `text` is: one object or a list of them, or a name with `[ARGS]`; nil where it is something else.
  private func calls(_ text: String) -> [Piece]? {
    let text = text.trimmed
    if let arguments = text.firstRange(of: "[ARGS]") {
      let name = String(text[..<arguments.lowerBound]).trimmed
      let rest = String(text[arguments.upperBound...]).trimmed
      guard !name.isEmpty, let json = try? JSONValue(parsing: rest), json.object != nil else { return nil }
      return [.call(name: name, arguments: json.serialized())]
    }
    guard let json = try? JSONValue(parsing: text) else { return nil }
    let list = json.array ?? [json]
    let calls = list.compactMap { entry -> Piece? in
      // A JSON answer that looks like one is a call only of a tool that there is.
      guard let name = entry["name"]?.string, form == .whole ? tools.contains(name) : !name.isEmpty else { return nil }
      let arguments = entry["arguments"] ?? entry["parameters"] ?? .object(JSONObject())
      // Some write the arguments as a text that is JSON.
      if let text = arguments.string { return .call(name: name, arguments: text) }
      return arguments.object == nil ? nil : .call(name: name, arguments: arguments.serialized())
    }
    return calls.isEmpty || calls.count < list.count ? nil : calls
  }
}
