import Files

/// A safetensors file: a JSON header that lists the tensors, then their bytes, mapped and not copied.
///
/// Layout: 8 bytes with the header's length, little endian; the header; the data to the end of the file. Everything is
/// checked before any tensor is touched: the data must be covered exactly, without holes, overlaps or bytes left over.
/// Source: huggingface/safetensors, `README.md` §Format and `safetensors/src/tensor.rs`. The reference reader lets a
/// duplicate key pass although the format forbids it; this one refuses it.
public struct SafetensorsFile: Sendable {
  /// The tensors in the order of their bytes.
  public let tensors: [StoredTensorEntry]
  /// The texts under `__metadata__`, such as `format: pt`.
  public let metadata: [String: String]
  /// The file.
  public let file: MappedFile

  /// A longer header is refused, as the reference reader does.
  static let maximumHeader = 100_000_000

  /// Opens the file at `path` and checks its header.
  public init(path: String) throws(FileProblem) {
    try self.init(MappedFile(path: path))
  }

  /// Reads the header of a mapped file.
  public init(_ file: MappedFile) throws(FileProblem) {
    var reader = ByteReader(file.bytes, name: file.path)
    guard reader.remaining >= 8 else {
      throw reader.problem("a safetensors file begins with 8 bytes of header length; this one has \(reader.remaining)")
    }
    let length = try reader.read(UInt64.self)
    guard length <= Self.maximumHeader else {
      throw FileProblem(
        path: file.path, offset: 0,
        sentence: "the header claims \(length) bytes; at most \(Self.maximumHeader) are allowed. Is this safetensors?")
    }
    let header = try reader.bytes(length, for: "the header")
    let json: JSONValue
    do {
      json = try JSONValue(parsing: header, name: file.path)
    } catch {
      throw FileProblem(
        path: file.path, offset: error.offset.map { $0 + 8 }, sentence: "in the header: \(error.sentence)")
    }
    guard let members = json.object else {
      throw FileProblem(path: file.path, offset: 8, sentence: "the header is \(json.kind); expected an object")
    }
    var parser = SafetensorsHeader(file: file, dataStart: reader.offset)
    for (name, value) in members { try parser.read(name, value) }
    tensors = try parser.coveringTensors()
    metadata = parser.metadata
    self.file = file
  }
}

/// The header's members, checked one by one and then as a whole.
private struct SafetensorsHeader {
  let file: MappedFile
  let dataStart: Int
  var metadata: [String: String] = [:]
  private var tensors: [StoredTensorEntry] = []

  init(file: MappedFile, dataStart: Int) {
    self.file = file
    self.dataStart = dataStart
  }

  private func problem(_ sentence: String) -> FileProblem {
    FileProblem(path: file.path, sentence: sentence)
  }

  mutating func read(_ name: String, _ value: JSONValue) throws(FileProblem) {
    guard let members = value.object else {
      throw problem("the header's '\(name)' is \(value.kind); expected an object")
    }
    if name == "__metadata__" {
      for (key, value) in members {
        guard let text = value.string else {
          throw problem("the metadata '\(key)' is \(value.kind); only strings are allowed")
        }
        metadata[key] = text
      }
      return
    }
    for key in members.keys where !["dtype", "shape", "data_offsets"].contains(key) {
      throw problem("tensor '\(name)' has an unknown key '\(key)'")
    }
    guard let typeName = members["dtype"]?.string else { throw problem("tensor '\(name)' has no dtype") }
    guard let type = SafetensorsType(rawValue: typeName) else {
      throw problem("tensor '\(name)' has the unknown dtype '\(typeName)'")
    }
    let shape = try sizes(members["shape"], "shape", of: name)
    let offsets = try sizes(members["data_offsets"], "data_offsets", of: name)
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw problem("tensor '\(name)' has data_offsets \(offsets); expected a begin and an end")
    }
    guard let elements = checkedProduct(shape), let bytes = type.byteCount(elements: elements) else {
      throw problem("tensor '\(name)' of \(typeName) with shape \(shape) has no whole, countable number of bytes")
    }
    guard offsets[1] - offsets[0] == bytes else {
      throw problem(
        "tensor '\(name)' of \(typeName) with shape \(shape) needs \(bytes) bytes; "
          + "its data_offsets span \(offsets[1] - offsets[0])")
    }
    guard offsets[1] <= file.bytes.count - dataStart else {
      throw problem(
        "tensor '\(name)' ends at byte \(offsets[1]) of the data, which has \(file.bytes.count - dataStart)")
    }
    tensors.append(
      StoredTensorEntry(
        name: name, typeName: typeName, format: type.format, shape: shape,
        range: dataStart + offsets[0]..<dataStart + offsets[1], file: file))
  }

  private func sizes(_ value: JSONValue?, _ key: String, of name: String) throws(FileProblem) -> [Int] {
    guard let items = value?.array else { throw problem("tensor '\(name)' has no list '\(key)'") }
    var sizes: [Int] = []
    for item in items {
      guard case .integer(let size) = item, size >= 0 else {
        throw problem("tensor '\(name)' has a '\(key)' with \(item.serialized()); expected sizes")
      }
      sizes.append(size)
    }
    return sizes
  }

  /// The tensors by place; throws unless each begins where the one before ended and the last ends with the file.
  func coveringTensors() throws(FileProblem) -> [StoredTensorEntry] {
    let sorted = tensors.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = dataStart
    for tensor in sorted {
      guard tensor.range.lowerBound == end else {
        throw problem(
          "tensor '\(tensor.name)' begins at byte \(tensor.range.lowerBound - dataStart) of the data; "
            + "the one before ends at \(end - dataStart)")
      }
      end = tensor.range.upperBound
    }
    guard end == file.bytes.count else {
      throw problem("\(file.bytes.count - end) bytes after the last tensor belong to nothing")
    }
    return sorted
  }
}
