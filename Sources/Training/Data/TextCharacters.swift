import Files

/// The characters of texts.
public enum TextCharacters {
  /// Every character that the texts at `paths` use, in the order of their numbers; throws for what cannot be read, and for
  /// files of tokens, which have no characters.
  public static func all(in paths: [String], jsonKey: String) throws -> [Unicode.Scalar] {
    // One flag a character of Unicode.
    var used = [Bool](repeating: false, count: 0x11_0000)
    try DataTexts.forEach(in: paths, jsonKey: jsonKey) { text in
      for scalar in text.unicodeScalars { used[Int(scalar.value)] = true }
    }
    return used.indices.lazy.filter { used[$0] }.compactMap { Unicode.Scalar(UInt32($0)) }
  }
}

/// The texts of data files, in pieces.
public enum DataTexts {
  /// Calls `body` with every piece of text of the files that `paths` mean, each of some 1 MiB and ending with a line.
  public static func forEach(in paths: [String], jsonKey: String, _ body: (String) throws -> Void) throws {
    for file in try DataFile.find(paths) {
      guard file.isText else { throw FileProblem(path: file.path, sentence: "it holds tokens, not text") }
      let cutter = TextCutter(
        file: try MappedFile(path: file.path), kind: file.kind, jsonKey: jsonKey, endsDocument: false)
      try cutter.forEachText(body)
    }
  }
}
