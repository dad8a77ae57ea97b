/// A normalisation form (Unicode Standard Annex 15).
///
/// It is that of Unicode 9, as huggingface/tokenizers has it (`unicode-normalization-alignments`): a character that came
/// later stays as it is, and no mark moves past it.
enum UnicodeForm: String, Sendable {
  case composed = "NFC"
  case decomposed = "NFD"
  case compatiblyComposed = "NFKC"
  case compatiblyDecomposed = "NFKD"

  private var composes: Bool { self == .composed || self == .compatiblyComposed }
  private var isCompatible: Bool { self == .compatiblyComposed || self == .compatiblyDecomposed }

  func normalized(_ text: [UInt8]) -> [UInt8] {
    // Nothing below U+0300 changes when composed, and those characters are written without bytes from 0xCC on; nothing
    // in ASCII changes in any form.
    let firstThatChanges: UInt8 = self == .composed ? 0xCC : 0x80
    guard text.contains(where: { $0 >= firstThatChanges }) else { return text }
    let table = NormalizationTable.shared
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    // A stretch begins with a character that nothing before it can reach, and goes up to the next one.
    var stretch = Stretch()
    var (start, place) = (0, 0)
    text.withUnsafeBufferPointer { text in
      guard let base = text.baseAddress else { return }
      while place < text.count {
        if text[place] < 0x80, place + 1 == text.count || text[place + 1] < firstThatChanges {
          stretch.end(text[start..<place], composes: composes, into: &result)
          result.append(text[place])
          place += 1
          start = place
          continue
        }
        let (value, length) = scalar(at: place, in: base, end: text.count)
        let entry = table.entry(of: value)
        let range = entry.map { isCompatible ? $0.compatible : $0.canonical } ?? 0..<0
        let first = range.isEmpty ? value : table.parts[range.lowerBound]
        if table.begins(first) {
          stretch.end(text[start..<place], composes: composes, into: &result)
          start = place
        }
        if !range.isEmpty {
          let isWhole = composes && entry.map { $0.isComposed && $0.canonical == range } ?? false
          stretch.append(table.parts[range], isWhole: isWhole)
        } else if !composes, Hangul.syllables ~= value {
          stretch.append(Hangul.letters(of: value)[...], isWhole: false)
        } else {
          stretch.append(value, combiningClass: entry?.combiningClass ?? 0)
        }
        place += length
      }
      stretch.end(text[start...], composes: composes, into: &result)
    }
    return result
  }
}

/// Characters, taken apart, among which marks move and pairs compose.
private struct Stretch {
  private var parts: [(value: UInt32, combiningClass: UInt8)] = []
  // Whether it is other than the text says.
  private var isChanged = false

  mutating func append(_ value: UInt32, combiningClass: UInt8) {
    if !parts.isEmpty { isChanged = true }
    parts.append((value, combiningClass))
  }

  /// `isWhole`: where nothing follows, the character comes apart for nothing.
  mutating func append(_ values: ArraySlice<UInt32>, isWhole: Bool) {
    isChanged = isChanged || !isWhole || !parts.isEmpty
    for value in values { parts.append((value, NormalizationTable.shared.entry(of: value)?.combiningClass ?? 0)) }
  }

  /// Writes the stretch, which `text` says, in its form, and begins anew.
  mutating func end(_ text: Slice<UnsafeBufferPointer<UInt8>>, composes: Bool, into result: inout [UInt8]) {
    guard isChanged else {
      result.append(contentsOf: text)
      parts.removeAll(keepingCapacity: true)
      return
    }
    order()
    if composes { compose() }
    for part in parts {
      result.append(contentsOf: UTF8.encode(Unicode.Scalar(part.value) ?? "\u{FFFD}") ?? Self.unknown)
    }
    parts.removeAll(keepingCapacity: true)
    isChanged = false
  }

  private static let unknown = UTF8.encodedReplacementCharacter

  /// Marks behind one another in the order of their classes, equal ones as they stood (the canonical ordering algorithm).
  private mutating func order() {
    for index in parts.indices where parts[index].combiningClass != 0 {
      var place = index
      while place > 0, parts[place - 1].combiningClass > parts[place].combiningClass {
        parts.swapAt(place - 1, place)
        place -= 1
      }
    }
  }

  /// Each mark goes into the last character that begins, where the two compose and nothing between them keeps them
  /// apart (the canonical composition algorithm).
  private mutating func compose() {
    var composed = parts.prefix(0)
    var beginning: Int?
    for part in parts {
      if let start = beginning {
        let isNext = composed.count - 1 == start
        let isReached = isNext || composed[composed.count - 1].combiningClass < part.combiningClass
        if isReached, let whole = NormalizationTable.shared.composed(composed[start].value, part.value) {
          composed[start].value = whole
          continue
        }
      }
      if part.combiningClass == 0 { beginning = composed.count }
      composed.append(part)
    }
    parts = Array(composed)
  }
}
