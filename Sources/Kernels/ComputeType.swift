import Formats
import CKernels

/// What matrices are multiplied in. With `f32` and `stored`, weights in f32 and f16, and gradients, always use f32.
///
/// Whoever multiplies says which: nothing stands in for it. The levels `portable` and `neon` compute `stored` in f32, and
/// so does every level without instructions for bf16 with bf16 weights; `bf16` is then computed by rounding: slower than
/// f32, but the numbers are those of bf16.
public enum ComputeType: String, Sendable, CaseIterable {
  /// In the arithmetic of the stored format where the level has kernels for it.
  ///
  /// Quantised weights: x is rounded once to int8 in blocks of 32, worth max|x| / 127 each, dots are summed exactly in
  /// int32 over a block and in f32 over blocks. bf16 weights: x is rounded to bf16 and
  /// numbers below 2⁻¹²⁶ count as zero.
  /// Against `f32` the result of random matrices differs by under 1 % (quantised) and 0.3 % (bf16) in relative L2.
  /// Over 4 × 512 tokens of WikiText-2, SmolLM2 loses 0.0003 to 0.006 nats per token by it, in any of these formats.
  case stored
  /// In f32: the weights are widened, x stays as it is.
  case f32
  /// As `stored`, and what is f32 is rounded to bf16 too (to nearest even), both sides of a matmul of more than 16 rows
  /// and those of the gradients; sums are f32. For mixed-precision training.
  ///
  /// On every level: where there are no instructions for it both sides are rounded while they are packed, and x is then
  /// also rounded for bf16 weights. Weights in f16 and quantised weights are multiplied as in `stored`.
  case bf16

  /// What the kernels call it.
  var code: Int32 {
    switch self {
    case .stored: Int32(CK_COMPUTE_STORED.rawValue)
    case .f32: Int32(CK_COMPUTE_F32.rawValue)
    case .bf16: Int32(CK_COMPUTE_BF16.rawValue)
    }
  }
}
