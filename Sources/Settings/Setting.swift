/// What a user set: a word, a list, or a group of named settings, each with the place it was written at.
///
/// Scalars keep their text; what a text means is decided by the type that is wanted, so `1e-4` is a number wherever a
/// number is read and `no` is never a flag.
public struct Setting: Sendable, Hashable {
  /// What is set.
  public indirect enum Content: Sendable, Hashable {
    /// A text; `quoted` texts are never null, a flag or a number.
    case scalar(String, quoted: Bool)
    /// Settings in order.
    case list([Setting])
    /// Settings by key, in the order they were written; no key twice.
    case group([Entry])
  }

  /// A named setting of a group.
  public struct Entry: Sendable, Hashable {
    /// The name.
    public let key: String
    /// Where the name was written.
    public let place: Place?
    /// What it is set to.
    public var value: Setting

    /// The setting `value` under `key`.
    public init(_ key: String, _ value: Setting, at place: Place? = nil) {
      self.key = key
      self.value = value
      self.place = place
    }
  }

  /// What is set.
  public var content: Content
  /// Where it was written; nil for a setting that a program made.
  public var place: Place?

  /// A setting with `content` written at `place`.
  public init(_ content: Content, at place: Place? = nil) {
    self.content = content
    self.place = place
  }

  /// A plain text, as if written without quotes.
  public init(text: String, at place: Place? = nil) {
    self.init(.scalar(text, quoted: false), at: place)
  }

  /// The null that deletes a setting when merged.
  public static let null = Setting(text: "null")

  /// Whether this is null: nothing, `~` or `null`, unquoted.
  public var isNull: Bool {
    guard case .scalar(let text, quoted: false) = content, text.utf8.count <= 4 else { return false }
    return text.isEmpty || text == "~" || text == "null" || text == "Null" || text == "NULL"
  }

  /// The text of a scalar that is not null.
  public var text: String? {
    guard case .scalar(let text, _) = content, !isNull else { return nil }
    return text
  }

  /// The flag written: `true` or `false`.
  public var flag: Bool? {
    guard case .scalar(let text, quoted: false) = content else { return nil }
    switch text {
    case "true", "True", "TRUE": return true
    case "false", "False", "FALSE": return false
    default: return nil
    }
  }

  /// The integer written, in decimal, `0x` or `0o` digits; a number without a fraction such as `1e4` is one too.
  public var integer: Int? {
    guard case .scalar(let text, quoted: false) = content else { return nil }
    if text.hasPrefix("0x") { return Int(text.dropFirst(2), radix: 16) }
    if text.hasPrefix("0o") { return Int(text.dropFirst(2), radix: 8) }
    if let value = Int(text) { return value }
    guard let value = number, value.rounded() == value, abs(value) < 1e15 else { return nil }
    return Int(value)
  }

  /// The finite number written.
  public var number: Double? {
    guard case .scalar(let text, quoted: false) = content,
      let first = text.utf8.first, "+-.0123456789".utf8.contains(first),
      !text.utf8.contains(UInt8(ascii: "p")), !text.utf8.contains(UInt8(ascii: "P"))
    else { return nil }
    if text.hasPrefix("0x") || text.hasPrefix("0o") { return integer.map(Double.init) }
    guard let value = Double(text), value.isFinite else { return nil }
    return value
  }

  /// The settings of a list.
  public var list: [Setting]? {
    guard case .list(let items) = content else { return nil }
    return items
  }

  /// The entries of a group.
  public var entries: [Entry]? {
    guard case .group(let entries) = content else { return nil }
    return entries
  }

  /// The setting under `key` of a group; setting nil removes the key, and a scalar becomes a group.
  public subscript(key: String) -> Setting? {
    get { entries?.first { $0.key == key }?.value }
    set {
      var entries = self.entries ?? []
      let index = entries.firstIndex { $0.key == key }
      switch (index, newValue) {
      case (let index?, let value?): entries[index].value = value
      case (let index?, nil): entries.remove(at: index)
      case (nil, let value?): entries.append(Entry(key, value, at: value.place))
      case (nil, nil): break
      }
      content = .group(entries)
    }
  }

  /// The setting at a dotted path such as `attention.bias.q`.
  public subscript(path path: some StringProtocol) -> Setting? {
    get {
      path.split(separator: ".").reduce(self) { $0?[String($1)] }
    }
    set {
      guard let dot = path.firstIndex(of: ".") else {
        self[String(path)] = newValue
        return
      }
      let key = String(path[..<dot])
      var inner = self[key] ?? Setting(.group([]), at: newValue?.place)
      inner[path: path[path.index(after: dot)...]] = newValue
      self[key] = inner
    }
  }

  /// What kind of thing this is, for a sentence: "a list", "the text 'abc'", "null".
  public var kindInWords: String {
    switch content {
    case .scalar(let text, _): isNull ? "null" : "'\(text.prefix(40))'"
    case .list: "a list"
    case .group: "a group of keys"
    }
  }
}
