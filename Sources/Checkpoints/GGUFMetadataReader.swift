import Files

/// Reads the metadata of a GGUF file, key by key.
struct GGUFMetadataReader {
  private(set) var reader: ByteReader
  private(set) var keys: [String] = []
  private(set) var entries: [String: GGUFEntry] = [:]

  /// Longer strings are refused, whatever the file's size (64 MiB, as proposed in ggml-org/ggml #1516).
  static let maximumString: UInt64 = 64 << 20
  /// Longer lists are refused: the largest vocabularies have under a million entries.
  static let maximumList: UInt64 = 1 << 24
  /// Larger alignments are refused; the format names no bound.
  static let maximumAlignment: UInt32 = 1 << 20

  private static let typeNames = [
    "u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64",
  ]
  private var alignmentType: UInt32?

  init(_ reader: ByteReader) {
    self.reader = reader
  }

  mutating func readAll(_ count: UInt64) throws(FileProblem) {
    for _ in 0..<count {
      let place = reader.offset
      let key = try string("a metadata key")
      guard !key.isEmpty else { throw problem("a metadata key is empty", at: place) }
      guard entries[key] == nil else { throw problem("the metadata key '\(key)' appears twice", at: place) }
      let type = try reader.read(UInt32.self)
      if key == "general.alignment" { alignmentType = type }
      entries[key] = type == 9 ? .list(try list(key)) : .value(try scalar(type, key))
      keys.append(key)
    }
  }

  /// `general.alignment`, 32 bytes when absent.
  func alignment() throws(FileProblem) -> Int {
    guard let entry = entries["general.alignment"] else { return 32 }
    let value: GGUFValue? = if case .value(let value) = entry { value } else { nil }
    guard alignmentType == 4, let bytes = value?.integer, bytes > 0, bytes & (bytes - 1) == 0,
      bytes <= Self.maximumAlignment
    else {
      throw FileProblem(
        path: reader.name,
        sentence: "general.alignment is \(value?.json.serialized() ?? "a list"); "
          + "expected a power of two up to \(Self.maximumAlignment), as u32")
    }
    return bytes
  }

  private mutating func string(_ purpose: @autoclosure () -> String) throws(FileProblem) -> String {
    let place = reader.offset
    let length = try reader.read(UInt64.self)
    guard length <= Self.maximumString else {
      throw problem("\(purpose()) claims \(length) bytes; at most \(Self.maximumString) are read", at: place)
    }
    return try reader.string(length, for: purpose())
  }

  private mutating func scalar(_ type: UInt32, _ key: String) throws(FileProblem) -> GGUFValue {
    switch type {
    case 0: return .integer(Int(try reader.read(UInt8.self)))
    case 1: return .integer(Int(try reader.read(Int8.self)))
    case 2: return .integer(Int(try reader.read(UInt16.self)))
    case 3: return .integer(Int(try reader.read(Int16.self)))
    case 4: return .integer(Int(try reader.read(UInt32.self)))
    case 5: return .integer(Int(try reader.read(Int32.self)))
    // By way of the shortest decimal: 1e-5 in 32 bits is meant as 1e-5 in 64, not as its nearest 32-bit neighbour.
    case 6:
      let value = try reader.readFloat()
      return .number(Double(value.description) ?? Double(value))
    case 7: return .bool(try reader.read(UInt8.self) != 0)
    case 8: return .string(try string("the value of '\(key)'"))
    case 10:
      let value = try reader.read(UInt64.self)
      return Int(exactly: value).map(GGUFValue.integer) ?? .unsigned(value)
    case 11: return .integer(Int(try reader.read(Int64.self)))
    case 12: return .number(try reader.readDouble())
    default: throw reader.problem("the metadata key '\(key)' has the unknown type \(type)")
    }
  }

  // Checks a list and passes over it: a vocabulary is a hundred thousand texts, and most readers want none of them.
  private mutating func list(_ key: String) throws(FileProblem) -> GGUFList {
    let type = try reader.read(UInt32.self)
    let place = reader.offset
    let count64 = try reader.read(UInt64.self)
    guard type != 9 else { throw problem("the metadata key '\(key)' is a list of lists, which is not read", at: place) }
    guard type < Self.typeNames.count else {
      throw problem("the metadata key '\(key)' is a list of the unknown type \(type)", at: place)
    }
    // A string takes at least the 8 bytes of its length.
    let itemBytes: UInt64 = [1, 1, 2, 2, 4, 4, 4, 1, 8, 0, 8, 8, 8][Int(type)]
    guard count64 <= Self.maximumList, count64 * itemBytes <= reader.remaining else {
      throw problem(
        "the list '\(key)' claims \(count64) \(Self.typeNames[Int(type)]) items; "
          + "the file has \(reader.remaining) bytes left", at: place)
    }
    let count = Int(count64)
    let start = reader.offset
    switch type {
    case 8:
      let passed = reader.skipStrings(count, longest: Self.maximumString)
      for _ in passed..<count { _ = try string("an item of '\(key)'") }
    case 10:
      for _ in 0..<count {
        let itemPlace = reader.offset
        guard try reader.read(UInt64.self) <= UInt64(Int.max) else {
          throw problem("the list '\(key)' has an item beyond 63 bits", at: itemPlace)
        }
      }
    default: _ = try reader.bytes(count64 * itemBytes)
    }
    return GGUFList(type: type, count: count, start: start)
  }

  private func problem(_ sentence: String, at place: Int) -> FileProblem {
    FileProblem(path: reader.name, offset: place, sentence: sentence)
  }
}
