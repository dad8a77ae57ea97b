import Files

/// Byte-level pieces and the merges that make them, as `tokenizer.json` holds them.
public struct BytePairVocabulary: Sendable {
  /// The pieces by id, spelled in the byte alphabet: the marks, the 256 bytes, then what was merged.
  public private(set) var pieces: [String]
  /// What was merged, in order.
  public private(set) var merges: [(left: String, right: String)] = []
  private var ids: [String: Int32] = [:]
  private var bytes: [Int32]
  /// How many of the first pieces are marks.
  private let markCount: Int

  /// The marks, of which the first ends a text, and the bytes, in the order of the scalars that spell them.
  init(marks: [String]) {
    pieces = marks
    markCount = marks.count
    bytes = Array(repeating: 0, count: 256)
    for byte in (0..<256).sorted(by: { ByteAlphabet.scalars[$0] < ByteAlphabet.scalars[$1] }) {
      bytes[byte] = Int32(pieces.count)
      pieces.append(ByteAlphabet.encoded([UInt8(byte)]))
    }
    for (id, piece) in pieces.enumerated() { ids[piece] = Int32(id) }
  }

  func id(ofByte byte: UInt8) -> Int32 { bytes[Int(byte)] }

  /// The id of the piece that `left` and `right` make; a piece that two merges make has one.
  mutating func add(merging left: Int32, _ right: Int32) -> Int32 {
    merges.append((pieces[Int(left)], pieces[Int(right)]))
    let piece = pieces[Int(left)] + pieces[Int(right)]
    if let id = ids[piece] { return id }
    let id = Int32(pieces.count)
    pieces.append(piece)
    ids[piece] = id
    return id
  }

  /// The file `tokenizer.json`, as Hugging Face's tokenizers read it.
  public var json: String {
    var vocab = JSONObject()
    for (id, piece) in pieces.enumerated() { vocab[piece] = .integer(id) }
    let marks = pieces.prefix(markCount).enumerated().map { id, mark -> JSONValue in
      [
        "id": .integer(id), "content": .string(mark), "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true,
      ]
    }
    let byteLevel: JSONValue = [
      "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    ]
    let file: JSONValue = [
      "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": .array(marks), "normalizer": .null,
      "pre_tokenizer": byteLevel, "post_processor": .null, "decoder": byteLevel,
      "model": [
        "type": "BPE", "dropout": .null, "unk_token": .null, "continuing_subword_prefix": .null,
        "end_of_word_suffix": .null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
        "vocab": .object(vocab), "merges": .array(merges.map { [.string($0.left), .string($0.right)] }),
      ],
    ]
    return file.serialized(pretty: true) + "\n"
  }
}
