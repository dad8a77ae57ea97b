import Foundation

/// A checkpoint of one layer, 8 wide, in the two formats, which tests break in one place each.
enum TinyCheckpoint {
  static let config = """
    {"model_type": "llama", "vocab_size": 16, "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1,
     "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 32, "rms_norm_eps": 1e-5,
     "tie_word_embeddings": true}
    """

  /// The tensors of a safetensors file: names and shapes.
  static let tensors: [(name: String, shape: [Int])] = [
    ("model.embed_tokens.weight", [16, 8]), ("model.norm.weight", [8]),
    ("model.layers.0.input_layernorm.weight", [8]), ("model.layers.0.post_attention_layernorm.weight", [8]),
    ("model.layers.0.self_attn.q_proj.weight", [8, 8]), ("model.layers.0.self_attn.k_proj.weight", [4, 8]),
    ("model.layers.0.self_attn.v_proj.weight", [4, 8]), ("model.layers.0.self_attn.o_proj.weight", [8, 8]),
    ("model.layers.0.mlp.gate_proj.weight", [16, 8]), ("model.layers.0.mlp.up_proj.weight", [16, 8]),
    ("model.layers.0.mlp.down_proj.weight", [8, 16]),
  ]

  /// A header that lists `tensors` one after the other, and how many bytes they take.
  static func header(_ tensors: [(name: String, shape: [Int])] = tensors) -> (text: String, byteCount: Int) {
    var end = 0
    let entries = tensors.map { tensor in
      let begin = end
      end += tensor.shape.reduce(4, *)
      return "\"\(tensor.name)\":{\"dtype\":\"F32\",\"shape\":\(tensor.shape),\"data_offsets\":[\(begin),\(end)]}"
    }
    return ("{" + entries.joined(separator: ",") + "}", end)
  }

  /// A safetensors file; `length` is what it says of its header, and `data` how many bytes follow.
  static func safetensors(_ header: String = header().text, length: UInt64? = nil, data: Int = header().byteCount)
    -> Data
  {
    var bytes = Data()
    bytes.append(length ?? UInt64(header.utf8.count))
    bytes.append(contentsOf: header.utf8)
    bytes.append(contentsOf: [UInt8](repeating: 0, count: data))
    return bytes
  }

  /// The same model as a GGUF file.
  struct GGUF {
    /// A value of the metadata.
    enum Value {
      case integer(UInt32)
      case number(Float)
      case text(String)
      /// A type's number, and bytes that need not fit it.
      case raw(UInt32, [UInt64])
    }

    var version: UInt32 = 3
    /// What the file says of its counts, when that is not the truth.
    var tensorCount: UInt64?
    var keyCount: UInt64?
    var keys: [(name: String, value: Value)] = [
      ("general.architecture", .text("llama")), ("llama.context_length", .integer(32)),
      ("llama.embedding_length", .integer(8)), ("llama.block_count", .integer(1)),
      ("llama.feed_forward_length", .integer(16)), ("llama.attention.head_count", .integer(2)),
      ("llama.attention.head_count_kv", .integer(1)), ("llama.attention.layer_norm_rms_epsilon", .number(1e-5)),
    ]
    /// Names and axes, the fastest first; each tensor begins where the one before ends.
    var tensors: [(name: String, axes: [UInt64], type: UInt32)] = [
      ("token_embd.weight", [8, 16], 0), ("output_norm.weight", [8], 0), ("blk.0.attn_norm.weight", [8], 0),
      ("blk.0.ffn_norm.weight", [8], 0), ("blk.0.attn_q.weight", [8, 8], 0), ("blk.0.attn_k.weight", [8, 4], 0),
      ("blk.0.attn_v.weight", [8, 4], 0), ("blk.0.attn_output.weight", [8, 8], 0),
      ("blk.0.ffn_gate.weight", [8, 16], 0), ("blk.0.ffn_up.weight", [8, 16], 0),
      ("blk.0.ffn_down.weight", [16, 8], 0),
    ]
    /// What is added to the offset of the tensor of this index.
    var shift: (index: Int, by: UInt64)?
    /// Only so many bytes are written.
    var end: Int?

    /// The file.
    var data: Data {
      var bytes = Data("GGUF".utf8)
      bytes.append(version)
      bytes.append(tensorCount ?? UInt64(tensors.count))
      bytes.append(keyCount ?? UInt64(keys.count))
      for key in keys {
        bytes.append(text: key.name)
        switch key.value {
        case .integer(let value):
          bytes.append(UInt32(4))
          bytes.append(value)
        case .number(let value):
          bytes.append(UInt32(6))
          bytes.append(value.bitPattern)
        case .text(let value):
          bytes.append(UInt32(8))
          bytes.append(text: value)
        case .raw(let type, let words):
          bytes.append(type)
          for word in words { bytes.append(word) }
        }
      }
      var offset: UInt64 = 0
      for (index, tensor) in tensors.enumerated() {
        bytes.append(text: tensor.name)
        bytes.append(UInt32(tensor.axes.count))
        for axis in tensor.axes { bytes.append(axis) }
        bytes.append(tensor.type)
        bytes.append(shift?.index == index ? offset &+ (shift?.by ?? 0) : offset)
        offset &+= tensor.axes.reduce(4, &*)
      }
      let count = (bytes.count + 31) / 32 * 32 - bytes.count + Int(clamping: min(offset, 1 << 20))
      bytes.append(contentsOf: [UInt8](repeating: 0, count: count))
      return end.map { bytes.prefix($0) } ?? bytes
    }
  }
}

extension Data {
  /// An integer, little endian.
  fileprivate mutating func append(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// A text as GGUF writes it.
  fileprivate mutating func append(text: String) {
    append(UInt64(text.utf8.count))
    append(contentsOf: text.utf8)
  }
}
