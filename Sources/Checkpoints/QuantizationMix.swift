import Formats

/// How the tensors of a GGUF file are stored, by the name that llama.cpp gives the whole: `Q4_K_M`, `Q8_0`, `BF16`.
///
/// Matrices are mostly of one format. The output, values and the last matrix of an MLP, which suffer most, have more bits in
/// some mixes; norms, biases, positions and what chooses experts stay f32. The choices are those that `llama-quantize` makes
/// without an importance matrix (ggml-org/llama.cpp `src/llama-quant.cpp`, 2026), but for its exceptions by architecture.
public enum QuantizationMix: String, Sendable, CaseIterable {
  // The names as llama.cpp spells them.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K_S, Q4_K_M, Q5_K_S, Q5_K_M, Q6_K

  /// The format of most matrices.
  public var format: StorageFormat {
    switch self {
    case .F32: .f32
    case .F16: .f16
    case .BF16: .bf16
    case .Q8_0: .q8_0
    case .Q4_0: .q4_0
    case .Q4_1: .q4_1
    case .Q5_0: .q5_0
    case .Q5_1: .q5_1
    case .Q4_K_S, .Q4_K_M: .q4_k
    case .Q5_K_S, .Q5_K_M: .q5_k
    case .Q6_K: .q6_k
    }
  }

  /// The number of the mix under `general.file_type`: `enum llama_ftype`.
  public var number: Int {
    switch self {
    case .F32: 0
    case .F16: 1
    case .Q4_0: 2
    case .Q4_1: 3
    case .Q8_0: 7
    case .Q5_0: 8
    case .Q5_1: 9
    case .Q4_K_S: 14
    case .Q4_K_M: 15
    case .Q5_K_S: 16
    case .Q5_K_M: 17
    case .Q6_K: 18
    case .BF16: 32
    }
  }

  /// The mix that a file of tensors in `format` is called.
  public init?(_ format: StorageFormat) {
    guard let mix = Self.allCases.first(where: { $0.format == format }) else { return nil }
    self = mix
  }

  /// The formats of `tensors`, names of a GGUF file with their shapes, in order; `experts` is how many a layer has.
  public func formats(of tensors: [(name: String, shape: [Int])], experts: Int) -> [StorageFormat] {
    let isTied = !tensors.contains { $0.name == "output.weight" }
    // Values and keys that are one tensor count with the values.
    let values = tensors.count { Self.isValue($0.name) }
    let downs = tensors.count { $0.name.contains("ffn_down") && Self.isQuantized($0.name, $0.shape) }
    var (value, down) = (0, 0)
    return tensors.map { tensor in
      guard Self.isQuantized(tensor.name, tensor.shape) else { return .f32 }
      var format = self.format
      if format.elementsPerBlock > 1 {
        if tensor.name == "output.weight" || (isTied && tensor.name == "token_embd.weight") {
          if (tensor.shape.last ?? 1) % format.elementsPerBlock != 0 {
            format = .q8_0
          } else if format != .q8_0 {
            format = .q6_k
          }
        } else if Self.isValue(tensor.name) {
          format = experts == 8 ? .q8_0 : valueFormat(value, of: values)
          value += 1
        } else if tensor.name.contains("attn_k.weight"), experts == 8 {
          format = .q8_0
        } else if tensor.name.contains("ffn_down") {
          format = downFormat(experts > 1 ? Self.layer(of: tensor.name) ?? down : down, of: downs)
          down += 1
        } else if tensor.name.contains("attn_output.weight"), experts == 8, self == .Q4_K_S || self == .Q4_K_M {
          format = .q5_k
        }
      }
      return Self.fitting(format, tensor.shape.last ?? 1)
    }
  }

  private func valueFormat(_ index: Int, of count: Int) -> StorageFormat {
    switch self {
    case .Q4_K_M, .Q5_K_M: Self.takesMoreBits(index, of: count) ? .q6_k : format
    case .Q4_K_S: index < 4 ? .q5_k : format
    default: format
    }
  }

  private func downFormat(_ index: Int, of count: Int) -> StorageFormat {
    switch self {
    case .Q4_K_M, .Q5_K_M: Self.takesMoreBits(index, of: count) ? .q6_k : format
    case .Q4_K_S: index < count / 8 ? .q5_k : format
    default: format
    }
  }

  /// The first and the last eighth of the layers, and every third between.
  private static func takesMoreBits(_ index: Int, of count: Int) -> Bool {
    index < count / 8 || index >= 7 * count / 8 || (index - count / 8) % 3 == 2
  }

  private static func isValue(_ name: String) -> Bool {
    ["attn_v.weight", "attn_qkv.weight", "attn_kv_b.weight"].contains { name.contains($0) }
  }

  private static func layer(of name: String) -> Int? {
    let words = name.split(separator: ".")
    return words.count > 1 && words[0] == "blk" ? Int(words[1]) : nil
  }

  /// Whether the numbers of a tensor may be other than f32.
  static func isQuantized(_ name: String, _ shape: [Int]) -> Bool {
    shape.count > 1 && name.hasSuffix("weight") && !name.hasSuffix("_norm.weight")
      && ![
        "ffn_gate_inp.weight", "position_embd", "token_types", "ssm_conv1d", "shortconv.conv", "rope_f", "attn_rel_b",
      ]
      .contains { name.contains($0) }
  }

  /// `format`, or one of shorter blocks where rows are no whole blocks of it.
  private static func fitting(_ format: StorageFormat, _ columns: Int) -> StorageFormat {
    if columns % format.elementsPerBlock == 0 { return format }
    let other: StorageFormat =
      switch format {
      case .q4_k: .q5_0
      case .q5_k: .q5_1
      case .q6_k: .q8_0
      default: .f16
      }
    return columns % other.elementsPerBlock == 0 ? other : .f16
  }
}
