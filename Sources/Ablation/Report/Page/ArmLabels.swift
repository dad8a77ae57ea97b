/// Names of arms as drawings have room for them: short, and no two alike.
///
/// `norm.type=rmsnorm, block.placement=pre` is `rmsnorm, pre` where that says which it is. What is still too long is cut at
/// the end, or in the middle where ends are what differs, and numbered where neither tells it apart.
package struct ArmLabels {
  /// A label for each name, in their order.
  package let texts: [String]

  /// Labels of at most `limit` characters for `names`; numbers come on top.
  package init(_ names: [String], limit: Int) {
    var texts = names
    if names.contains(where: { $0.count > limit }) {
      let short = names.map(Self.values)
      if Set(short).count == Set(names).count { texts = short }
    }
    for cut in [Self.cutAtEnd, Self.cutInMiddle] where texts.contains(where: { $0.count > limit }) {
      let cutTexts = texts.map { $0.count > limit ? cut($0, limit) : $0 }
      let counts = Dictionary(cutTexts.map { ($0, 1) }, uniquingKeysWith: +)
      for index in texts.indices where counts[cutTexts[index]] == 1 { texts[index] = cutTexts[index] }
    }
    for index in texts.indices where texts[index].count > limit {
      texts[index] = Self.cutAtEnd(texts[index], limit) + " #\(index)"
    }
    self.texts = texts
  }

  /// The values of `key=value, key=value`; other names as they are.
  private static func values(_ name: String) -> String {
    let parts = name.split(separator: ", ").map { part -> String in
      guard let equals = part.firstIndex(of: "="), !part[..<equals].contains(" ") else { return String(part) }
      return String(part[part.index(after: equals)...])
    }
    return parts.joined(separator: ", ")
  }

  private static func cutAtEnd(_ text: String, _ limit: Int) -> String { text.prefix(limit - 1) + "…" }

  private static func cutInMiddle(_ text: String, _ limit: Int) -> String {
    text.prefix((limit - 1) / 2) + "…" + text.suffix(limit / 2)
  }
}
