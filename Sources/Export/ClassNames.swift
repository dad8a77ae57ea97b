/// Names the classes of a file by what they are: a noun, before it what tells one from another, in the end a number.
struct ClassNames {
  let names: [String]

  /// The names of `classes`, of which those that others are made of come first; none is one of `taken`.
  init(_ classes: [WrittenClass], besides taken: Set<String>) {
    var names = [String](repeating: "", count: classes.count)
    var groups: [String: [Int]] = [:]
    for (index, written) in classes.enumerated() where !written.isLeftOut {
      groups[written.noun, default: []].append(index)
    }
    // A class whose parts are named already is told apart by them; so the deepest first.
    let order = groups.values.sorted { (Self.depth(classes[$0[0]]), $1[0]) > (Self.depth(classes[$1[0]]), $0[0]) }
    var used = taken
    for group in order {
      let words = group.map { index in
        classes[index].path.isEmpty
          ? classes[index].parts.map { classes[$0.number].told.isEmpty ? names[$0.number] : $0.noun }
          : classes[index].adjectives
      }
      let common = words.dropFirst().reduce(Set(words.first ?? [])) { $0.intersection($1) }
      for (index, own) in zip(group, words) {
        let name = own.filter { !common.contains($0) }.joined() + classes[index].noun
        var unique = name
        var number = 2
        while !used.insert(unique).inserted { (unique, number) = ("\(name)\(number)", number + 1) }
        names[index] = unique
      }
    }
    self.names = names
  }

  private static func depth(_ written: WrittenClass) -> Int { written.path.count }

  /// `text` with what each class is told where it is made.
  func tell(_ text: String, _ classes: [WrittenClass]) -> String {
    var result = ""
    for (index, piece) in text.split(separator: "⟪", omittingEmptySubsequences: false).enumerated() {
      guard index > 0, let end = piece.firstIndex(of: "⟫") else {
        result += piece
        continue
      }
      // A value is `{{name|value}}`, which has a bar of its own.
      let words = piece[..<end].replacing("|", with: "\n").replacing(/\{\{(\w+)\n/) { "{{\($0.output.1)|" }
      let parts = words.split(separator: "\n")
      let told = parts.first.flatMap { Int($0) }.map { classes[$0].told } ?? []
      for part in parts.dropFirst() where told.contains(String(part.prefix { $0 != "=" })) { result += ", \(part)" }
      result += piece[piece.index(after: end)...]
    }
    return result
  }

  /// `text` with the names in the places of numbers.
  func fill(_ text: String) -> String {
    names.indices.reduce(text) { $0.replacing("⟦\($1)⟧", with: names[$1]) }
  }
}
