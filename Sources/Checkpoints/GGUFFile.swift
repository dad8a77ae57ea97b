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
  /// The tensors in the order of the file, which is the order of their bytes; then those of the other files, where a model is
  /// in several.
  public private(set) var tensors: [StoredTensorEntry]
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

  /// Opens the file at `path` and checks everything before its tensors' bytes; with the first of several files of one model,
  /// `NAME-00001-of-00003.gguf`, all of them.
  public init(path: String) throws(FileProblem) {
    try self.init(MappedFile(path: path))
    guard let count = self["split.count"]?.integer, count > 1 else { return }
    try addParts(count)
  }

  /// Adds the tensors of the other files of a model that is in `count` files, of which this is the first.
  private mutating func addParts(_ count: Int) throws(FileProblem) {
    let path = file.path
    func problem(_ sentence: String) -> FileProblem { FileProblem(path: path, sentence: sentence) }
    guard (2...9999).contains(count), let number = self["split.no"]?.integer, (0..<count).contains(number) else {
      throw problem("split.count is \(count) and split.no \(self["split.no"]?.json.serialized() ?? "left out")")
    }
    let ending = "-of-\(Self.padded(count)).gguf"
    guard number == 0, path.hasSuffix("-\(Self.padded(1))" + ending) else {
      throw problem(
        number == 0
          ? "the file is the first of \(count); it is to be called …-\(Self.padded(1))\(ending)"
          : "the file is part \(number + 1) of \(count) of a model; name the first, …-\(Self.padded(1))\(ending)")
    }
    let beginning = path.dropLast(ending.count + 6)
    var names = Set(tensors.map(\.name))
    for index in 2...count {
      let part = "\(beginning)-\(Self.padded(index))\(ending)"
      let other = try GGUFFile(MappedFile(path: part))
      guard other["split.count"]?.integer == count, other["split.no"]?.integer == index - 1 else {
        throw FileProblem(path: part, sentence: "it is not part \(index) of \(count) of a model")
      }
      if let twice = other.tensors.first(where: { !names.insert($0.name).inserted }) {
        throw FileProblem(path: part, sentence: "the tensor '\(twice.name)' is in another part too")
      }
      tensors += other.tensors
    }
    if let all = self["split.tensors.count"]?.integer, all != tensors.count {
      throw problem("split.tensors.count is \(all); the \(count) files have \(tensors.count)")
    }
  }

  /// `value` in five digits, as names of parts have it.
  private static func padded(_ value: Int) -> String { String(String(100_000 + value).dropFirst()) }

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
