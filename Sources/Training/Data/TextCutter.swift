import Files
import Kernels
import Tokenization

/// Cuts the text of a file into tokens, piece by piece, several pieces at a time.
struct TextCutter {
  let file: MappedFile
  let kind: DataFile.Kind
  let jsonKey: String
  /// Whether the end of a text gets a token of its own.
  let endsDocument: Bool

  private static let pieceBytes = 1 << 20

  /// Hands the tokens of the file to `write` in order, each time with the bytes of their text and what of it they leave out.
  func tokenize(
    with tokenizer: Tokenizer, pool: ThreadPool, _ write: ([Int], Int, LeftOut?) throws -> Void,
    progress: (Double) -> Void
  ) throws {
    let end = endsDocument ? tokenizer.endOfText.min() : nil
    var start = 0
    while start < file.bytes.count {
      var pieces: [Range<Int>] = []
      while pieces.count < pool.threads * 2, start < file.bytes.count {
        let last = try pieceEnd(from: start)
        pieces.append(start..<last)
        start = last
      }
      var results = [Result<(tokens: [Int], bytes: Int, leftOut: LeftOut?), any Error>?](
        repeating: nil, count: pieces.count)
      results.withUnsafeMutableBufferPointer { results in
        // Each piece has a position of its own, so the threads never meet.
        nonisolated(unsafe) let results = results
        pool.run(pieces.count) { range in
          for index in range { results[index] = Result { try tokens(of: pieces[index], tokenizer, end) } }
        }
      }
      for result in results {
        guard let (tokens, bytes, leftOut) = try result?.get() else { continue }
        try write(tokens, bytes, leftOut)
      }
      progress(Double(start) / Double(file.bytes.count))
    }
    if kind == .text, let end { try write([end], 0, nil) }
  }

  /// Where the piece from `start` ends: after a line that is followed by the beginning of another, so that no run of
  /// white space is cut.
  private func pieceEnd(from start: Int) throws(FileProblem) -> Int {
    let bytes = file.bytes
    var position = start + Self.pieceBytes
    while position < bytes.count {
      if bytes[position - 1] == 0x0A, kind == .jsonLines || (!isSpace(bytes[position]) && !isSpace(bytes[position - 2]))
      {
        return position
      }
      position += 1
    }
    return bytes.count
  }

  private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  private func tokens(
    of range: Range<Int>, _ tokenizer: Tokenizer, _ end: Int?
  ) throws -> (tokens: [Int], bytes: Int, leftOut: LeftOut?) {
    var (tokens, bytes) = ([Int](), 0)
    var leftOut: LeftOut?
    for text in try texts(of: range) {
      // A line of JSON without a token for its end ends in a line break.
      let text = kind == .jsonLines && end == nil ? text + "\n" : text
      do { try tokenizer.requireEncodable(text) } catch {
        throw FileProblem(path: file.path, sentence: error.description)
      }
      leftOut = LeftOut.joined(leftOut, tokenizer.leftOut(of: text))
      tokens += tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: true)
      if kind == .jsonLines, let end { tokens.append(end) }
      bytes += text.utf8.count
    }
    return (tokens, bytes, leftOut)
  }

  /// Calls `body` with every text, a piece or a line of JSON at a time.
  func forEachText(_ body: (String) throws -> Void) throws {
    var start = 0
    while start < file.bytes.count {
      let last = try pieceEnd(from: start)
      for text in try texts(of: start..<last) { try body(kind == .jsonLines ? text + "\n" : text) }
      start = last
    }
  }

  private func texts(of range: Range<Int>) throws(FileProblem) -> [String] {
    let piece = UnsafeRawBufferPointer(rebasing: file.bytes[range])
    if kind == .text {
      if let broken = firstInvalidUTF8(in: piece) {
        throw FileProblem(path: file.path, offset: range.lowerBound + broken, sentence: "the text is not UTF-8")
      }
      return [String(decoding: piece, as: UTF8.self)]
    }
    var texts: [String] = []
    for line in piece.split(separator: 0x0A) {
      let line = UnsafeRawBufferPointer(rebasing: line)
      if line.allSatisfy(isSpace) { continue }
      let offset = line.baseAddress.flatMap { base in file.bytes.baseAddress.map { base - $0 } } ?? 0
      let json: JSONValue
      do { json = try JSONValue(parsing: line, name: file.path) } catch {
        throw FileProblem(path: file.path, offset: offset + (error.offset ?? 0), sentence: error.sentence)
      }
      guard let text = json[jsonKey]?.string else {
        throw FileProblem(
          path: file.path, offset: offset, sentence: "the line has no text under '\(jsonKey)'; --json-key names another"
        )
      }
      texts.append(text)
    }
    return texts
  }
}
