/// A tensor's name with a `*` for each number that varies: the layer, then the expert.
struct TensorNamePattern: Sendable, Hashable {
  let text: String
  /// The texts between the stars: one more than there are stars.
  private let pieces: [Substring]

  init(_ text: String) {
    self.text = text
    pieces = text.split(separator: "*", omittingEmptySubsequences: false)
  }

  var starCount: Int { pieces.count - 1 }

  /// The name with `numbers` in place of the stars; further numbers are not used.
  func name(_ numbers: [Int]) -> String {
    var name = String(pieces[0])
    for (number, piece) in zip(numbers, pieces.dropFirst()) { name += String(number) + piece }
    return name
  }

  /// `name` with a star for each part between dots that is a number, and those numbers.
  static func generalizing(_ name: String) -> (pattern: String, numbers: [Int]) {
    var numbers: [Int] = []
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).map { part -> Substring in
      guard part.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = Int(part) else { return part }
      numbers.append(number)
      return "*"
    }
    return (parts.joined(separator: "."), numbers)
  }

  /// Whether `name` fits: a star stands for anything between two dots, `**` at the end for anything.
  static func matches(_ name: some StringProtocol, _ pattern: some StringProtocol) -> Bool {
    let open = pattern.hasSuffix("**")
    let wanted = pattern.dropLast(open ? 2 : 0).split(separator: ".", omittingEmptySubsequences: false)
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard open ? parts.count >= wanted.count : parts.count == wanted.count else { return false }
    for (position, (part, want)) in zip(parts, wanted).enumerated() where part != want && want != "*" {
      return open && position == wanted.count - 1 && part.hasPrefix(want)
    }
    return true
  }
}
