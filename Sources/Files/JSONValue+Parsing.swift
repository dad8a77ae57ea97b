extension JSONValue {
  /// Reads one JSON document; `name` stands for the file in messages.
  ///
  /// Strict: a trailing comma, NaN, a duplicate key, more than 128 levels, text that is not UTF-8 and bytes after the
  /// end are errors with their place in bytes.
  /// With `literals` the words Infinity, -Infinity and NaN are numbers, as Python's json module writes them.
  public init(parsing bytes: UnsafeRawBufferPointer, name: String, literals: Bool = false) throws(FileProblem) {
    var parser = JSONParser(bytes, name: name, literals: literals)
    self = try parser.document()
  }

  /// Reads one JSON document from text.
  public init(parsing text: String, name: String = "text") throws(FileProblem) {
    let bytes = Array(text.utf8)
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(FileProblem) in try JSONValue(parsing: bytes, name: name) }
    }
    self = try result.get()
  }

  /// Reads the JSON file at `path`, which may have at most `limit` bytes (256 MiB unless said otherwise).
  public init(contentsOf path: String, limit: Int = 256 << 20, literals: Bool = false) throws(FileProblem) {
    let file = try MappedFile(path: path)
    guard file.bytes.count <= limit else {
      throw FileProblem(path: path, sentence: "the file has \(file.bytes.count) bytes; at most \(limit) are read")
    }
    self = try withExtendedLifetime(file) { () throws(FileProblem) in
      try JSONValue(parsing: file.bytes, name: path, literals: literals)
    }
  }
}
