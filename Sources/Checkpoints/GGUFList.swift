import Files

/// A value of a GGUF file's metadata, as far as opening the file reads it.
enum GGUFEntry: Sendable {
  case value(GGUFValue)
  case list(GGUFList)

  /// The value, a list's items read from the file's bytes.
  func value(in file: UnsafeRawBufferPointer) -> GGUFValue {
    switch self {
    case .value(let value): value
    case .list(let list): list.value(in: file)
    }
  }
}

/// Where a list of a GGUF file's metadata is: checked when the file is opened, its items read when somebody wants them.
struct GGUFList: Sendable {
  /// The number that the format gives the items' type.
  let type: UInt32
  let count: Int
  /// The place of the first item in the file.
  let start: Int

  /// The items, from the file's bytes.
  func value(in file: UnsafeRawBufferPointer) -> GGUFValue {
    switch type {
    case 0: .integers(numbers(UInt8.self, in: file).map(Int.init))
    case 1: .integers(numbers(Int8.self, in: file).map(Int.init))
    case 2: .integers(numbers(UInt16.self, in: file).map(Int.init))
    case 3: .integers(numbers(Int16.self, in: file).map(Int.init))
    case 4: .integers(numbers(UInt32.self, in: file).map(Int.init))
    case 5: .integers(numbers(Int32.self, in: file).map(Int.init))
    case 6: .numbers(numbers(UInt32.self, in: file).map { Double(Float(bitPattern: $0)) })
    case 7: .bools(numbers(UInt8.self, in: file).map { $0 != 0 })
    case 8: .strings(strings(in: file))
    case 10: .integers(numbers(UInt64.self, in: file).map(Int.init))
    case 11: .integers(numbers(Int64.self, in: file).map(Int.init))
    default: .numbers(numbers(UInt64.self, in: file).map { Double(bitPattern: $0) })
    }
  }

  private func numbers<T: FixedWidthInteger>(_ type: T.Type, in file: UnsafeRawBufferPointer) -> [T] {
    (0..<count).map {
      T(littleEndian: file.loadUnaligned(fromByteOffset: start + $0 * MemoryLayout<T>.size, as: T.self))
    }
  }

  private func strings(in file: UnsafeRawBufferPointer) -> [String] {
    texts(in: file).map { String(decoding: file[$0.start..<$0.start + $0.count], as: UTF8.self) }
  }

  /// Where the items of a list of strings lie: each behind its length in 64 bits.
  func texts(in file: UnsafeRawBufferPointer) -> [(start: Int, count: Int)] {
    var place = start
    return (0..<count).map { _ in
      let length = Int(UInt64(littleEndian: file.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
      defer { place += 8 + length }
      return (place + 8, length)
    }
  }
}
