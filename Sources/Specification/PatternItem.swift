import Components

/// An item of a layer pattern: a variant's name, or a count and a name such as `3*local`. `dense+local` names two
/// variants, of which the second lies over the first.
struct PatternItem {
  /// The variants' names.
  let names: [String]
  /// How many layers in a row take it.
  let count: Int
  /// Where the name was written.
  let place: Place?

  /// The item that `setting` writes.
  init(_ setting: Setting) throws(Problem) {
    guard let text = setting.text else {
      throw Problem("a pattern is a list of variants, not \(setting.kindInWords)", at: setting.place, hint: "3*local")
    }
    guard let star = text.firstIndex(of: "*") else {
      (names, count, place) = (Self.names(in: text[...]), 1, setting.place)
      return
    }
    let times = text[..<star].trimmed
    let name = text[text.index(after: star)...].trimmed
    guard let count = Int(times), count >= 1, !name.isEmpty else {
      throw Problem(
        "'\(text.prefix(40))' is not an item of a pattern", at: setting.place,
        hint: "an item is a name, or a count and a name: 3*local")
    }
    names = Self.names(in: name)
    self.count = count
    place = setting.place
  }

  private static func names(in text: Substring) -> [String] {
    text.split(separator: "+", omittingEmptySubsequences: false).map { String($0.trimmed) }
  }
}

extension Substring {
  /// Without the spaces around it.
  var trimmed: Substring {
    var text = self
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return text
  }
}
