import Files

/// Tokens as other programs store them.
///
/// nanoGPT: nothing but tokens of 16 bits. llm.c (`dev/data/data_common.py`): 256 integers of 32 bits, of which the first
/// are 20240520 for GPT-2's tokens, of 16 bits, or 20240801 for Llama 3's, of 32; a version; and how many tokens follow.
package enum TokenShard {
  private static let headerBytes = 1024
  private static let widths: [UInt32: Int] = [20_240_520: 2, 20_240_801: 4]

  static func isShard(_ file: MappedFile) -> Bool {
    file.bytes.count >= headerBytes && widths[word(0, of: file)] != nil
  }

  static func tokens(_ file: MappedFile) throws(FileProblem) -> TokenText.Part {
    guard let width = widths[word(0, of: file)] else {
      throw FileProblem(path: file.path, offset: 0, sentence: "not a shard of tokens")
    }
    let count = Int(word(2, of: file))
    guard file.bytes.count == headerBytes + count * width else {
      throw FileProblem(
        path: file.path,
        sentence:
          "the header declares \(count) tokens of \(width) bytes, and \(file.bytes.count - headerBytes) bytes follow it"
      )
    }
    return TokenText.Part(file: file, offset: headerBytes, width: width, count: count)
  }

  package static func rawTokens(_ file: MappedFile) throws(FileProblem) -> TokenText.Part {
    guard file.bytes.count % 2 == 0 else {
      throw FileProblem(path: file.path, sentence: "\(file.bytes.count) bytes are not a number of tokens of two bytes")
    }
    return TokenText.Part(file: file, offset: 0, width: 2, count: file.bytes.count / 2)
  }

  private static func word(_ index: Int, of file: MappedFile) -> UInt32 {
    UInt32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
  }
}
