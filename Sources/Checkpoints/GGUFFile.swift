import Files
import Kernels

/// A GGUF file: typed metadata, the list of tensors, and their bytes, mapped and not copied.
///
/// Versions 2 and 3, little endian. Every count, length and offset is compared with the size of the file before anything
/// is allocated for it. Source: ggml-org/ggml, `docs/gguf.md`, and where that is looser, what `src/gguf.cpp` enforces.
/// The file lists axes fastest first; `shape` here is outermost first, as everywhere in this package.
public struct GGUFFile: Sendable {
  /// The version the file says it is.
  public let version: Int
  /// The metadata's keys in the order of the file.
  public let keys: [String]
  /// The tensors in the order of the file, which is the order of their bytes.
  public let tensors: [StoredTensorEntry]
  /// Tensors begin at multiples of this many bytes.
  public let alignment: Int
  /// The file.
  public let file: MappedFile

  private let metadata: [String: GGUFEntry]

  /// The metadata under `key`; a list's items are read at each call.
  public subscript(key: String) -> GGUFValue? { metadata[key]?.value(in: file.bytes) }

  /// The list of strings under `key`, none of them copied; nil when there is none.
  public func texts(_ key: String) -> TextList? {
    guard case .list(let list)? = metadata[key], list.type == 8 else { return nil }
    return TextList(in: file, at: list.texts(in: file.bytes))
  }

  /// Opens the file at `path` and checks everything before its tensors' bytes.
  public init(path: String) throws(FileProblem) {
    try self.init(MappedFile(path: path))
  }

  /// Whether a file that begins with `bytes` says it is GGUF.
  public static func isGGUF(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.prefix(4).elementsEqual("GGUF".utf8)
  }

  /// Reads everything before the tensors' bytes of a mapped file.
  public init(_ file: MappedFile) throws(FileProblem) {
    var reader = ByteReader(file.bytes, name: file.path)
    guard Self.isGGUF(file.bytes) else {
      throw reader.problem("a GGUF file begins with the bytes GGUF; this one does not")
    }
    _ = try reader.bytes(4)
    let version = try reader.read(UInt32.self)
    if version & 0xFFFF == 0 {
      throw FileProblem(
        path: file.path, offset: 4, sentence: "the version reads \(version): the file is big endian, which is not read")
    }
    guard version == 2 || version == 3 else {
      throw FileProblem(path: file.path, offset: 4, sentence: "GGUF version \(version); only 2 and 3 are read")
    }
    let tensorCount = try reader.read(UInt64.self)
    let keyCount = try reader.read(UInt64.self)
    // A tensor's entry takes at least 24 bytes and a key's at least 13, so a file cannot claim more than it has room
    // for.
    guard tensorCount <= reader.remaining / 24 else {
      throw FileProblem(
        path: file.path, offset: 8, sentence: "the file claims \(tensorCount) tensors and has no room to list them")
    }
    guard keyCount <= reader.remaining / 13 else {
      throw FileProblem(
        path: file.path, offset: 16, sentence: "the file claims \(keyCount) metadata keys and has no room for them")
    }

    var metadataReader = GGUFMetadataReader(reader)
    try metadataReader.readAll(keyCount)
    reader = metadataReader.reader
    let alignment = try metadataReader.alignment()

    var tensorReader = GGUFTensorReader(reader, alignment: alignment, file: file)
    tensors = try tensorReader.readAll(tensorCount)
    self.version = Int(version)
    self.alignment = alignment
    self.file = file
    keys = metadataReader.keys
    metadata = metadataReader.entries
  }
}
