import Components

/// Writes a `Setting` as YAML that a person would have written: block style, with short groups of plain values on one
/// line, and quotes only where a text would be read as something else.
///
/// Reading the text back gives an equivalent setting.
public struct YAMLWriter: Sendable {
  /// Whether each line says in a comment which file and line its value comes from.
  public var showsOrigins: Bool
  /// How wide a group or list on one line may be, in characters.
  public var width: Int

  /// A writer of plain text, or of text with the origin of each value.
  public init(showsOrigins: Bool = false, width: Int = 100) {
    self.showsOrigins = showsOrigins
    self.width = width
  }

  /// `setting` as a text that ends with a line break.
  public func write(_ setting: Setting) -> String {
    var text = ""
    switch setting.content {
    case .group(let entries) where !entries.isEmpty: writeGroup(entries, indent: 0, into: &text)
    case .list(let items) where !items.isEmpty: writeList(items, indent: 0, into: &text)
    default: text += flow(setting) + comment(setting, at: nil) + "\n"
    }
    return text
  }

  private func writeGroup(_ entries: [Setting.Entry], indent: Int, into text: inout String) {
    for (index, entry) in entries.enumerated() {
      if index > 0 { text += String(repeating: " ", count: indent) }
      let key = ScalarText.key(entry.key)
      text += key + ":"
      writeValue(entry.value, at: entry.place, indent: indent, used: indent + key.count + 2, into: &text)
    }
  }

  private func writeList(_ items: [Setting], indent: Int, into text: inout String) {
    for (index, item) in items.enumerated() {
      if index > 0 { text += String(repeating: " ", count: indent) }
      text += "-"
      if case .group(let entries) = item.content, !isInline(item, used: indent + 2), !entries.isEmpty {
        text += " "
        writeGroup(entries, indent: indent + 2, into: &text)
      } else {
        writeValue(item, at: nil, indent: indent, used: indent + 2, into: &text)
      }
    }
  }

  /// A value after its `key:` or `-`, up to and with the line break.
  private func writeValue(_ value: Setting, at place: Place?, indent: Int, used: Int, into text: inout String) {
    let inner = String(repeating: " ", count: indent + 2)
    switch value.content {
    case .scalar(let scalar, _):
      if let block = ScalarText.block(scalar, indent: inner) {
        text += " " + block
      } else {
        text += " " + flow(value) + comment(value, at: place) + "\n"
      }
    case .group(let entries) where !isInline(value, used: used):
      text += "\n" + inner
      writeGroup(entries, indent: indent + 2, into: &text)
    case .list(let items) where !isInline(value, used: used):
      text += "\n" + inner
      writeList(items, indent: indent + 2, into: &text)
    default: text += " " + flow(value) + comment(value, at: place) + "\n"
    }
  }

  // MARK: One line

  private func isInline(_ setting: Setting, used: Int) -> Bool {
    if setting.entries?.isEmpty ?? setting.list?.isEmpty ?? true { return true }
    var budget = width - used
    guard fits(setting, budget: &budget, depth: 0) else { return false }
    guard showsOrigins else { return true }
    // One comment must be true of the whole line.
    var origins: Set<String> = []
    collectOrigins(setting, into: &origins)
    return origins.count <= 1
  }

  /// Whether `setting` is short and shallow enough; counts down as it goes, so that a large one is left early.
  private func fits(_ setting: Setting, budget: inout Int, depth: Int) -> Bool {
    guard budget >= 0, depth <= 2 else { return false }
    switch setting.content {
    case .scalar(let text, _):
      if text.contains("\n") { return false }
      budget -= text.utf8.count + 2
    case .list(let items):
      // A list of groups reads better one to a line.
      if depth == 0, items.contains(where: { $0.entries != nil }) { return false }
      budget -= 2
      for item in items where !fits(item, budget: &budget, depth: depth + 1) { return false }
    case .group(let entries):
      budget -= 2
      for entry in entries {
        budget -= entry.key.utf8.count + 2
        guard fits(entry.value, budget: &budget, depth: depth + 1) else { return false }
      }
    }
    return budget >= 0
  }

  /// `setting` on one line.
  public func flow(_ setting: Setting) -> String {
    switch setting.content {
    case .scalar(_, let quoted):
      guard let text = setting.text else { return "null" }
      return ScalarText.value(text, quoted: quoted)
    case .list(let items): return "[" + items.map(flow).joined(separator: ", ") + "]"
    case .group(let entries):
      return "{" + entries.map { ScalarText.key($0.key) + ": " + flow($0.value) }.joined(separator: ", ") + "}"
    }
  }

  // MARK: Origins

  private func comment(_ setting: Setting, at place: Place?) -> String {
    guard showsOrigins else { return "" }
    var origins: Set<String> = []
    collectOrigins(setting, into: &origins)
    guard let origin = origins.first ?? place.map(origin) else { return "" }
    return "  # " + origin
  }

  private func collectOrigins(_ setting: Setting, into origins: inout Set<String>) {
    if origins.count > 1 { return }
    switch setting.content {
    case .scalar: if let place = setting.place { origins.insert(origin(place)) }
    case .list(let items): for item in items { collectOrigins(item, into: &origins) }
    case .group(let entries): for entry in entries { collectOrigins(entry.value, into: &origins) }
    }
  }

  private func origin(_ place: Place) -> String {
    // A comment ends with its line, whatever the file is called.
    String(String.UnicodeScalarView(place.source.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }))
      + ":\(place.line)"
  }
}
