/// One character, one id.
final class CharacterModel: Sendable {
  let vocabulary: Vocabulary
  private let unknown: Int32?

  /// Characters without an id become `unknown`, or are left out without it.
  init(vocabulary: Vocabulary, unknown: Int?) {
    self.vocabulary = vocabulary
    self.unknown = unknown.map { Int32(truncatingIfNeeded: $0) }
  }

  func append(_ text: UnsafePointer<UInt8>, _ count: Int, to output: inout IDBuffer) {
    var place = 0
    while place < count {
      let length = characterLength(at: place, in: text, end: count)
      let id = length == 1 ? vocabulary.singles.base[Int(text[place])] : vocabulary.table.id(of: text + place, length)
      if id >= 0 { output.append(id) } else if let unknown { output.append(unknown) }
      place += length
    }
  }

  /// The place of the first character that has no id and nothing that stands for it.
  func firstLost(in text: UnsafeBufferPointer<UInt8>) -> Int? {
    guard unknown == nil, let base = text.baseAddress else { return nil }
    var place = 0
    while place < text.count {
      let length = characterLength(at: place, in: base, end: text.count)
      guard vocabulary.table.id(of: base + place, length) >= 0 else { return place }
      place += length
    }
    return nil
  }
}
