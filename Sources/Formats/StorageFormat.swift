/// How the numbers of a weight are stored: plain floating point, or blocks that share scales as GGUF defines them.
///
/// Source of the block layouts: ggml's `ggml-common.h`; `docs/gguf.md` in ggml-org/ggml names the types.
/// A block is a run of neighbours in one row, so a row's length is a multiple of `elementsPerBlock`.
public enum StorageFormat: String, Sendable, CaseIterable {
  // The formats' own names, as ggml spells them.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q4_k, q5_k, q6_k

  /// The number of elements that share one block: 1 for plain numbers, 32, or 256 for the K-quants.
  public var elementsPerBlock: Int {
    switch self {
    case .f32, .f16, .bf16: 1
    case .q8_0, .q4_0, .q4_1, .q5_0, .q5_1: 32
    case .q4_k, .q5_k, .q6_k: 256
    }
  }

  /// The bytes one block takes, scales included.
  public var bytesPerBlock: Int {
    switch self {
    case .f32: 4
    case .f16, .bf16: 2
    case .q8_0: 34
    case .q4_0: 18
    case .q4_1: 20
    case .q5_0: 22
    case .q5_1: 24
    case .q4_k: 144
    case .q5_k: 176
    case .q6_k: 210
    }
  }

  /// The bytes that `elements` numbers take; nil when negative, not whole blocks, or too many for `Int`.
  public func byteCount(elements: Int) -> Int? {
    guard elements >= 0, elements % elementsPerBlock == 0 else { return nil }
    let (bytes, overflow) = (elements / elementsPerBlock).multipliedReportingOverflow(by: bytesPerBlock)
    return overflow ? nil : bytes
  }
}
