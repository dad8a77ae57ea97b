import Files
import Foundation
import Tokenization

/// Reads a GGUF file's vocabulary, as far as these tests need it; files of the test data only, so a broken one may
/// trap.
struct GGUFVocabulary {
  private let data: [UInt8]
  private var at = 0
  private var values: [String: Any] = [:]

  static func table(_ path: String) throws -> VocabularyTable {
    // The metadata stands at the front of the file; of a model the weights are not read.
    let file = try require(FileHandle(forReadingAtPath: path), path)
    var reader = GGUFVocabulary(data: Array(try file.read(upToCount: 16 << 20) ?? Data()))
    reader.readMetadata()
    func value<T>(_ key: String, _ type: T.Type) -> T? { reader.values["tokenizer.ggml." + key] as? T }
    var table = VocabularyTable(
      path: path, model: value("model", String.self) ?? "", pieces: TextList(value("tokens", [String].self) ?? []))
    table.preTokenizer = value("pre", String.self)
    table.scores = value("scores", [Double].self)?.map { Float($0) }
    table.kinds = value("token_type", [Int].self)
    table.merges = value("merges", [String].self).map { TextList($0) }
    table.beginningOfText = value("bos_token_id", Int.self)
    table.endOfText = value("eos_token_id", Int.self).map { [$0] } ?? []
    table.unknown = value("unknown_token_id", Int.self)
    table.addsBeginning = value("add_bos_token", Bool.self)
    table.addsEnd = value("add_eos_token", Bool.self)
    table.addsSpacePrefix = value("add_space_prefix", Bool.self)
    return table
  }

  private init(data: [UInt8]) { self.data = data }

  private mutating func integer(_ size: Int) -> UInt64 {
    defer { at += size }
    return (0..<size).reduce(0) { $0 | UInt64(data[at + $1]) << UInt64($1 * 8) }
  }

  private mutating func string() -> String {
    let count = Int(integer(8))
    defer { at += count }
    return String(decoding: data[at..<at + count], as: UTF8.self)
  }

  private mutating func value(_ type: UInt64) -> Any {
    switch type {
    case 0: return Int(integer(1))
    case 1: return Int(Int8(truncatingIfNeeded: integer(1)))
    case 2: return Int(integer(2))
    case 3: return Int(Int16(truncatingIfNeeded: integer(2)))
    case 4: return Int(integer(4))
    case 5: return Int(Int32(truncatingIfNeeded: integer(4)))
    case 6: return Double(Float(bitPattern: UInt32(integer(4))))
    case 7: return integer(1) != 0
    case 8: return string()
    case 9:
      let inner = integer(4)
      let count = Int(integer(8))
      if inner == 8 { return (0..<count).map { _ in string() } }
      if inner == 6 { return (0..<count).map { _ in Double(Float(bitPattern: UInt32(integer(4)))) } }
      return (0..<count).compactMap { _ in value(inner) as? Int }
    case 12: return Double(bitPattern: integer(8))
    default: return Int(truncatingIfNeeded: integer(8))
    }
  }

  private mutating func readMetadata() {
    at = 16
    let count = integer(8)
    for _ in 0..<count {
      let key = string()
      let type = integer(4)
      values[key] = value(type)
    }
  }
}

/// The value, or an error that says what is missing.
func require<T>(_ value: T?, _ what: String) throws -> T {
  guard let value else { throw Missing(what: what) }
  return value
}

struct Missing: Error { let what: String }
