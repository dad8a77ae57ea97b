import Formats
import Checkpoints
import Components
import Files
import Foundation
import Kernels
import Testing

/// A folder that exists while `body` runs.
func withFolder(_ body: (String) throws -> Void) throws {
  let folder = NSTemporaryDirectory() + "chimera-checkpoints-\(UUID().uuidString)"
  try makeFolder(folder)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try body(folder)
}

/// The resident memory of this process in bytes; 0 where the system does not say.
func residentBytes() -> Int {
  guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
  return (Int(text.split(separator: " ")[1]) ?? 0) * 4096
}

/// A tensor of 32-bit numbers that owns its bytes.
func tensor(_ name: String, _ shape: [Int], _ values: [Float]) throws -> StoredTensor {
  try tensor(
    name, shape, .f32, values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) })
}

/// A tensor with the given bytes.
func tensor(_ name: String, _ shape: [Int], _ format: StorageFormat, _ bytes: [UInt8]) throws -> StoredTensor {
  let file = try MappedFile(copying: bytes, name: name)
  return StoredTensor(name: name, shape: shape, format: format, bytes: file.bytes, owner: file)
}

extension StoredTensor {
  /// A copy of the bytes, taken while their owner is there.
  var contents: [UInt8] { withExtendedLifetime(owner) { Array(bytes) } }

  /// The numbers of a tensor of 32-bit numbers.
  var floats: [Float] {
    withExtendedLifetime(owner) {
      (0..<bytes.count / 4).map {
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
      }
    }
  }
}

extension MappedFile {
  /// A copy of the bytes, taken while the file is there.
  var contents: [UInt8] { withExtendedLifetime(self) { Array(bytes) } }
}

extension StoredTensorEntry {
  /// A copy of the bytes, taken while the file is there.
  var contents: [UInt8] { withExtendedLifetime(file) { Array(bytes) } }
}

extension Setting {
  /// The setting that JSON text spells; keeps tests free of a YAML reader.
  init(json text: String) throws {
    self.init(try JSONValue(parsing: text))
  }

  init(_ json: JSONValue) {
    switch json {
    case .null: self = .null
    case .bool(let value): self.init(text: value ? "true" : "false")
    case .integer(let value): self.init(text: String(value))
    case .number(let value): self.init(text: String(value))
    case .string(let value): self.init(.scalar(value, quoted: true))
    case .array(let items): self.init(.list(items.map { Setting($0) }))
    case .object(let members): self.init(.group(members.map { Entry($0.0, Setting($0.1)) }))
    }
  }
}

/// The sentences of what `body` throws, each with its hint.
func sentences(_ body: () throws(Problems) -> Void) -> [String] {
  do throws(Problems) {
    try body()
    return []
  } catch {
    return error.list.map { $0.hint == nil ? $0.sentence : "\($0.sentence); \($0.hint ?? "")" }
  }
}

/// Opens a file of `tensors` and lends its list.
func withStored(
  _ tensors: [(String, [Int], Float)], _ body: ([StoredTensorEntry]) throws -> Void
) throws {
  try withFolder { folder throws in
    try SafetensorsFile.write(
      tensors.map { name, shape, value in try tensor(name, shape, Array(repeating: value, count: shape.reduce(1, *))) },
      to: folder + "/f")
    try body(SafetensorsFile(path: folder + "/f").tensors)
  }
}
