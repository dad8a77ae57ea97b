import CKernels

/// How products are computed. With `exact` and `stored`, weights in f32 and f16, and gradients, always use f32.
///
/// The environment variable `CHIMERA_ARITHMETIC` may say `exact`, `stored` or `bf16` for a whole process; `stored` unless it
/// does. Without instructions for it (see `KernelLevel`) a level computes `stored` in f32, and `bf16` by rounding: slower than
/// f32, but the numbers are those of bf16.
public enum Arithmetic: String, Sendable, CaseIterable {
  /// In the arithmetic of the stored format where the processor has instructions for it.
  ///
  /// Quantised weights: x is rounded once to int8 in blocks of 32, worth max|x| / 127 each, dots are summed exactly in
  /// int32 over a block and in f32 over blocks. bf16 weights: x is rounded to bf16 and
  /// numbers below 2⁻¹²⁶ count as zero.
  /// Against `exact` the result of random products differs by under 1 % (quantised) and 0.3 % (bf16) in relative L2.
  /// Over 4 × 512 tokens of WikiText-2, SmolLM2 loses 0.0003 to 0.006 nats per token by it, in any of these formats.
  case stored
  /// In f32: the weights are widened, x stays as it is.
  case exact
  /// As `stored`, and what is f32 is rounded to bf16 too (to nearest even), both sides of a product of more than 16 rows
  /// and those of the gradients; sums are f32. For mixed-precision training.
  ///
  /// On every level: where there are no instructions for it both sides are rounded while they are packed, and x is then
  /// also rounded for bf16 weights. Weights in f16 and quantised weights are multiplied as in `stored`.
  case bf16

  /// The arithmetic in force on this thread.
  public static var current: Arithmetic { allCases.first { $0.code == ck_arithmetic() } ?? .exact }

  private var code: Int32 {
    switch self {
    case .stored: Int32(CK_STORED.rawValue)
    case .exact: Int32(CK_EXACT.rawValue)
    case .bf16: Int32(CK_ROUNDED.rawValue)
    }
  }

  /// Runs `body` with this arithmetic in force for what this thread calls, products on a thread pool included.
  public func perform<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = ck_ask_arithmetic(code)
    defer { _ = ck_ask_arithmetic(before) }
    return try body()
  }
}
