import Components

/// An item of a layer pattern: a variant's name, or a count and a name such as `3*local`.
struct PatternItem {
  /// The variant's name.
  let name: String
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
      (name, count, place) = (text, 1, setting.place)
      return
    }
    let times = text[..<star].trimmed
    let name = text[text.index(after: star)...].trimmed
    guard let count = Int(times), count >= 1, !name.isEmpty else {
      throw Problem(
        "'\(text.prefix(40))' is not an item of a pattern", at: setting.place,
        hint: "an item is a name, or a count and a name: 3*local")
    }
    self.name = String(name)
    self.count = count
    place = setting.place
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
