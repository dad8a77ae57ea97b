import Foundation

/// A normalisation form (Unicode Standard Annex 15).
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
    let string = String(decoding: text, as: UTF8.self)
    let result =
      switch self {
      case .composed: string.precomposedStringWithCanonicalMapping
      case .decomposed: string.decomposedStringWithCanonicalMapping
      case .compatiblyComposed: string.precomposedStringWithCompatibilityMapping
      case .compatiblyDecomposed: string.decomposedStringWithCompatibilityMapping
      }
    return Array(result.utf8)
  }
}
