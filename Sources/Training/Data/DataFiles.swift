import Files

/// A file that a run learns from, and how it is read.
struct DataFile: Sendable, Hashable {
  /// How the text or tokens lie in a file.
  enum Kind: String, Sendable {
    /// One text.
    case text
    /// A JSON object a line, each with a text.
    case jsonLines = "jsonl"
    /// Tokens of two bytes each, as nanoGPT's `prepare.py` writes them.
    case tokens = "bin"
    /// A shard of llm.c's: 256 integers of header, then tokens of two or four bytes.
    case shard
  }

  let path: String
  let kind: Kind

  /// The files that `paths` mean: files as they are, and in folders, however deep, those whose ending says what they hold.
  /// Throws for what is not there, and for a folder that holds none.
  static func find(_ paths: [String]) throws(FileProblem) -> [DataFile] {
    var files: [DataFile] = []
    for path in paths {
      switch Files.kind(ofPath: path) {
      case .nothing: throw FileProblem(path: path, sentence: "no such file or folder")
      case .file: files.append(try DataFile(path: path))
      case .other: throw FileProblem(path: path, sentence: "not a regular file")
      case .folder:
        let found = try search(path)
        if found.isEmpty {
          throw FileProblem(
            path: path, sentence: "the folder has no \(endings.map { "*." + $0 }.joined(separator: ", "))")
        }
        files += found
      }
    }
    return files
  }

  private static let endings = ["txt", "text", "md", "jsonl", "ndjson", "bin"]

  private static func search(_ folder: String) throws(FileProblem) -> [DataFile] {
    var files: [DataFile] = []
    for name in try namesInFolder(folder) where !name.hasPrefix(".") {
      let path = folder + "/" + name
      switch Files.kind(ofPath: path) {
      case .folder: files += try search(path)
      case .file where endings.contains(where: { name.hasSuffix("." + $0) }): files.append(try DataFile(path: path))
      default: break
      }
    }
    return files
  }

  private init(path: String) throws(FileProblem) {
    self.path = path
    if path.hasSuffix(".bin") {
      kind = TokenShard.isShard(try MappedFile(path: path)) ? .shard : .tokens
    } else {
      kind = path.hasSuffix(".jsonl") || path.hasSuffix(".ndjson") ? .jsonLines : .text
    }
  }

  /// Whether it holds text, which a tokenizer has to cut.
  var isText: Bool { kind == .text || kind == .jsonLines }
}

extension TokenizedData {
  /// Throws where one of `paths` is not there, or is no data that can be read.
  public static func check(_ paths: [String]) throws(FileProblem) { _ = try DataFile.find(paths) }
}
