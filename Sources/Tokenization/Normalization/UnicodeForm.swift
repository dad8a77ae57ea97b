import Foundation

/// A normalisation form (Unicode Standard Annex 15).
///
/// It is that of Unicode 9, as huggingface/tokenizers has it (`unicode-normalization-alignments`): a character that came
/// later stays as it is, and no mark moves past it.
///
/// Foundation's normalisation takes some microseconds for each character it changes, so it sees only the stretches that
/// can change, a base character with its marks, and each of them once.
enum UnicodeForm: String, Sendable {
  case composed = "NFC"
  case decomposed = "NFD"
  case compatiblyComposed = "NFKC"
  case compatiblyDecomposed = "NFKD"

  func normalized(_ text: [UInt8]) -> [UInt8] {
    // Nothing below U+0300 changes when composed, and those scalars are written without bytes from 0xCC on; nothing in
    // ASCII changes in any form.
    let firstThatChanges: UInt8 = self == .composed ? 0xCC : 0x80
    guard text.contains(where: { $0 >= firstThatChanges }) else { return text }
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var known: [[UInt8]: [UInt8]] = [:]
    text.withUnsafeBufferPointer { text in
      guard let base = text.baseAddress else { return }
      var place = 0
      while place < text.count {
        let start = place
        if text[place] < 0x80, place + 1 == text.count || text[place + 1] < firstThatChanges {
          result.append(text[place])
          place += 1
          continue
        }
        let (first, length) = scalar(at: place, in: base, end: text.count)
        place += length
        if ScalarCategory.isNewerThanNormalization(first) {
          result.append(contentsOf: text[start..<place])
          continue
        }
        while place < text.count {
          let (next, length) = scalar(at: place, in: base, end: text.count)
          guard !beginsStretch(next), !ScalarCategory.isNewerThanNormalization(next) else { break }
          place += length
        }
        let stretch = Array(text[start..<place])
        if place - start == length, isUnchangedAlone(first) {
          result += stretch
        } else if let changed = known[stretch] {
          result += changed
        } else {
          let changed = changed(stretch)
          result += changed
          if known.count < 1 << 13 { known[stretch] = changed }
        }
      }
    }
    return result
  }

  private func changed(_ text: [UInt8]) -> [UInt8] {
    let string = String(decoding: text, as: UTF8.self)
    let isCompatible = self == .compatiblyComposed || self == .compatiblyDecomposed
    let apart = isCompatible ? string.decomposedStringWithCompatibilityMapping : string
    // Twice: where a mark decomposes (U+0F75), Foundation leaves its parts out of their order the first time. Nor does
    // its mapping to NFKC compose all that it has decomposed.
    let ordered = apart.decomposedStringWithCanonicalMapping.decomposedStringWithCanonicalMapping
    let composes = self == .composed || self == .compatiblyComposed
    return Array((composes ? ordered.precomposedStringWithCanonicalMapping : ordered).utf8)
  }

  // Whether a character never composes with what stands before it. Too many noes cost only time. Beside marks, vowels
  // and finals of Hangul and of Kirat Rai compose to the left, and half-width forms that become such.
  private func beginsStretch(_ value: UInt32) -> Bool {
    switch value {
    case ..<0x300: true
    case 0x1160...0x11FF, 0xD7B0...0xD7FF, 0x16D63...0x16D6A: false
    case 0x3131...0x318E, 0xFF9E...0xFFDC: self == .composed || self == .decomposed
    default: ScalarCategory.of(value).isDisjoint(with: .mark)
    }
  }

  // Whether a character without marks stays as it is. Too many noes cost only time.
  private func isUnchangedAlone(_ value: UInt32) -> Bool {
    guard value >= 0x80, let scalar = Unicode.Scalar(value) else { return true }
    switch self {
    case .composed:
      // The first character that composition leaves apart is U+0340, and there is none between these two.
      return value < 0x340 || 0x2ADD..<0xF900 ~= value || !scalar.properties.isFullCompositionExclusion
    case .compatiblyComposed: return !scalar.properties.changesWhenNFKCCaseFolded
    case .decomposed, .compatiblyDecomposed: return false
    }
  }
}
