import Files

/// Reads the list of tensors of a GGUF file and places them in its data.
struct GGUFTensorReader {
  private var reader: ByteReader
  private let alignment: Int
  private let file: MappedFile

  /// Longer names are refused, as ggml does (`GGML_MAX_NAME` is 64 with its final zero).
  static let maximumName: UInt64 = 63

  private struct Info {
    let name: String
    let type: GGMLType
    let shape: [Int]
    let byteCount: Int
    let offset: UInt64
    let place: Int
  }

  init(_ reader: ByteReader, alignment: Int, file: MappedFile) {
    self.reader = reader
    self.alignment = alignment
    self.file = file
  }

  mutating func readAll(_ count: UInt64) throws(FileProblem) -> [StoredTensorEntry] {
    var infos: [Info] = []
    var names: Set<String> = []
    for _ in 0..<count {
      let info = try info()
      guard names.insert(info.name).inserted else {
        throw problem("two tensors are named '\(info.name)'", at: info.place)
      }
      infos.append(info)
    }
    guard !infos.isEmpty else { return [] }
    // The data begins at the next multiple of the alignment; at most 1 MiB further, so this sum cannot overflow.
    let dataStart = (reader.offset + alignment - 1) / alignment * alignment
    var next = 0
    var entries: [StoredTensorEntry] = []
    for info in infos {
      guard info.offset == UInt64(next) else {
        throw problem(
          "tensor '\(info.name)' is at \(info.offset) of the data; after the tensors before it \(next) is expected",
          at: info.place)
      }
      let room = file.bytes.count - dataStart - next
      guard info.byteCount <= room else {
        throw problem(
          "tensor '\(info.name)' of \(info.type.name) with shape \(info.shape) needs \(info.byteCount) bytes; "
            + "the file has \(max(0, room)) left for it", at: info.place)
      }
      let start = dataStart + next
      entries.append(
        StoredTensorEntry(
          name: info.name, typeName: info.type.name, format: info.type.format, shape: info.shape,
          range: start..<start + info.byteCount, file: file))
      // Both are at most the file's size here, so neither sum can overflow.
      next = (next + info.byteCount + alignment - 1) / alignment * alignment
    }
    return entries
  }

  private mutating func info() throws(FileProblem) -> Info {
    let place = reader.offset
    let length = try reader.read(UInt64.self)
    guard length <= Self.maximumName else {
      throw problem("a tensor's name claims \(length) bytes; at most \(Self.maximumName) are allowed", at: place)
    }
    let name = try reader.string(length, for: "a tensor's name")
    let axes = try reader.read(UInt32.self)
    guard axes <= 4 else { throw problem("tensor '\(name)' has \(axes) axes; at most 4 are allowed", at: place) }
    var lengths: [Int] = []
    for _ in 0..<axes {
      let length = try reader.read(Int64.self)
      guard length >= 0 else { throw problem("tensor '\(name)' has an axis of length \(length)", at: place) }
      lengths.append(Int(length))
    }
    let typeNumber = try reader.read(UInt32.self)
    let offset = try reader.read(UInt64.self)
    guard let type = GGMLType(number: typeNumber) else {
      throw problem("tensor '\(name)' has the unknown type \(typeNumber)", at: place)
    }
    let shape = Array(lengths.reversed())
    // Without axes there is one element.
    let rowLength = lengths.first ?? 1
    guard rowLength % type.elementsPerBlock == 0 else {
      throw problem(
        "tensor '\(name)' of \(type.name) has rows of \(rowLength); "
          + "whole blocks of \(type.elementsPerBlock) are needed",
        at: place)
    }
    guard let elements = checkedProduct(shape) else {
      throw problem("tensor '\(name)' with shape \(shape) has more elements than can be counted", at: place)
    }
    let (bytes, overflow) = (elements / type.elementsPerBlock).multipliedReportingOverflow(by: type.bytesPerBlock)
    guard !overflow else {
      throw problem("tensor '\(name)' with shape \(shape) has more bytes than can be counted", at: place)
    }
    return Info(name: name, type: type, shape: shape, byteCount: bytes, offset: offset, place: place)
  }

  private func problem(_ sentence: String, at place: Int) -> FileProblem {
    FileProblem(path: file.path, offset: place, sentence: sentence)
  }
}
