import Components
import Files
import Formats
import Kernels

extension GGUFFile {
  /// Writes `tensors` and `metadata` to `path` as GGUF version 3, whole or not at all.
  ///
  /// Tensors keep their order and their storage format; integers are written as u32 where they fit and as i64
  /// otherwise, other numbers as f32, in lists as i32 and f32, which is what readers of this format expect. Throws for
  /// a name or key given twice, a name beyond 63 bytes, a shape of more than 4 axes, and when the system cannot write.
  public static func write(
    _ tensors: [StoredTensor], metadata: [(key: String, value: GGUFValue)], to path: String
  ) throws {
    try write(
      making: tensors.map { tensor in
        GGUFTensor(name: tensor.name, shape: tensor.shape, format: tensor.format) { tensor }
      },
      metadata: metadata, to: path)
  }

  /// The same of tensors that are made one after the other, as they are written.
  public static func write(
    making tensors: [GGUFTensor], metadata: [(key: String, value: GGUFValue)], to path: String
  ) throws {
    let alignment = 32
    if let key = firstRepeated(metadata.map(\.key)) {
      throw FileProblem(path: path, sentence: "two metadata values have the key '\(key)'")
    }
    if let name = firstRepeated(tensors.map(\.name)) {
      throw FileProblem(path: path, sentence: "two tensors are named '\(name)'")
    }
    for tensor in tensors { try check(tensor, path) }

    try writeAtomically(to: path) { writer in
      try writer.write("GGUF")
      try writer.write(UInt32(3))
      try writer.write(UInt64(tensors.count))
      try writer.write(UInt64(metadata.count))
      for (key, value) in metadata {
        try writer.writeGGUF(key)
        try writer.writeGGUF(value)
      }
      var offset = 0
      for tensor in tensors {
        try writer.writeGGUF(tensor.name)
        try writer.write(UInt32(tensor.shape.count))
        for length in tensor.shape.reversed() { try writer.write(Int64(length)) }
        try writer.write(GGMLType.number(of: tensor.format) ?? 0)
        try writer.write(UInt64(offset))
        offset = (offset + tensor.byteCount + alignment - 1) / alignment * alignment
      }
      for tensor in tensors {
        try writer.pad(to: alignment)
        let made = try tensor.make()
        guard made.shape == tensor.shape, made.format == tensor.format, made.bytes.count == tensor.byteCount else {
          throw FileProblem(path: path, sentence: "tensor '\(tensor.name)' was not made as it was announced")
        }
        try withExtendedLifetime(made.owner) { try writer.write(made.bytes) }
      }
      try writer.pad(to: alignment)
    }
  }

  /// The metadata that a configuration spells: the paths to its values as keys.
  public static func metadata(of configuration: JSONValue) -> [(key: String, value: GGUFValue)] {
    flattened(configuration, "")
  }

  private static func flattened(_ json: JSONValue, _ path: String) -> [(key: String, value: GGUFValue)] {
    if let members = json.object {
      return members.flatMap { flattened($0.1, path.isEmpty ? $0.0 : path + "." + $0.0) }
    }
    return GGUFValue(json).map { [(path, $0)] } ?? []
  }

  private static func firstRepeated(_ names: [String]) -> String? {
    var seen: Set<String> = []
    return names.first { !seen.insert($0).inserted }
  }

  private static func check(_ tensor: GGUFTensor, _ path: String) throws(FileProblem) {
    guard tensor.name.utf8.count <= GGUFTensorReader.maximumName, tensor.shape.count <= 4 else {
      throw FileProblem(
        path: path, sentence: "tensor '\(tensor.name)' \(tensor.shape) has too long a name or too many axes for GGUF")
    }
    let row = tensor.shape.last ?? 1
    guard row % tensor.format.elementsPerBlock == 0, tensor.byteCount >= 0 else {
      throw FileProblem(
        path: path,
        sentence: "tensor '\(tensor.name)' \(tensor.shape) has no whole blocks of \(tensor.format.rawValue)")
    }
  }
}

/// A tensor that will be written into a GGUF file.
public struct GGUFTensor {
  /// Its name there, its shape, outermost first, and how it is stored.
  public let name: String
  public let shape: [Int]
  public let format: StorageFormat
  let make: () throws -> StoredTensor

  /// A tensor that `make` makes when it is its turn.
  public init(name: String, shape: [Int], format: StorageFormat, make: @escaping () throws -> StoredTensor) {
    (self.name, self.shape, self.format, self.make) = (name, shape, format, make)
  }

  /// Its bytes; −1 where they cannot be counted.
  public var byteCount: Int { checkedProduct(shape).flatMap { format.byteCount(elements: $0) } ?? -1 }
}

extension GGUFValue {
  /// The value that JSON spells; nil for null, objects, and lists of unlike or nested values.
  public init?(_ json: JSONValue) {
    switch json {
    case .null, .object: return nil
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .number(value)
    case .string(let value): self = .string(value)
    case .array(let items):
      if let values = items.all(\.string) {
        self = .strings(values)
      } else if let values = items.all(\.bool) {
        self = .bools(values)
      } else if let values = items.all(\.integer) {
        self = .integers(values)
      } else if let values = items.all(\.number) {
        self = .numbers(values)
      } else {
        return nil
      }
    }
  }
}

extension [JSONValue] {
  fileprivate func all<Value>(_ value: (JSONValue) -> Value?) -> [Value]? {
    let values = compactMap(value)
    return values.count == count ? values : nil
  }
}

extension FileWriter {
  fileprivate func writeGGUF(_ text: String) throws(FileProblem) {
    try write(UInt64(text.utf8.count))
    try write(text)
  }

  /// The type's number, then the value.
  fileprivate func writeGGUF(_ value: GGUFValue) throws(FileProblem) {
    switch value {
    case .integer(let value):
      if let small = UInt32(exactly: value) {
        try write(UInt32(4))
        try write(small)
      } else {
        try write(UInt32(11))
        try write(Int64(value))
      }
    case .unsigned(let value):
      try write(UInt32(10))
      try write(value)
    case .number(let value):
      try write(UInt32(6))
      try write(Float(value).bitPattern)
    case .bool(let value):
      try write(UInt32(7))
      try write(UInt8(value ? 1 : 0))
    case .string(let value):
      try write(UInt32(8))
      try writeGGUF(value)
    case .integers(let values):
      let isSmall = values.allSatisfy { Int32(exactly: $0) != nil }
      try list(isSmall ? 5 : 11, values) { (writer, value) throws(FileProblem) in
        if isSmall { try writer.write(Int32(truncatingIfNeeded: value)) } else { try writer.write(Int64(value)) }
      }
    case .numbers(let values):
      try list(6, values) { (writer, value) throws(FileProblem) in try writer.write(Float(value).bitPattern) }
    case .bools(let values):
      try list(7, values) { (writer, value) throws(FileProblem) in try writer.write(UInt8(value ? 1 : 0)) }
    case .strings(let values):
      try list(8, values) { (writer, value) throws(FileProblem) in try writer.writeGGUF(value) }
    }
  }

  private func list<Item>(
    _ type: UInt32, _ items: [Item], _ writeItem: (FileWriter, Item) throws(FileProblem) -> Void
  ) throws(FileProblem) {
    try write(UInt32(9))
    try write(type)
    try write(UInt64(items.count))
    for item in items { try writeItem(self, item) }
  }
}
