/// How a stored tensor is built from canonical ones, which are `[out, in]` matrices or vectors.
///
/// A layout names the stored axes from the outermost: a plain name, a concatenation `(a|b|c)`, or `(n (a|b|c))`: n
/// groups, each with 1/n of the rows of every part. n is a number or a name such as `h`, whose count the model knows;
/// `f` means groups of one row of each part. A leading `e`, alone or folded into the next axis as in `(e out) in`,
/// holds the experts.
///
/// The parts are the rows of the canonical tensors. Where they stand on the second axis, as in `m (q|k|v)`, the stored
/// tensor is transposed. A layout of two plain axes is written only for a tensor that is transposed (`m f`, `in out`);
/// `out in` says that it is not, for use after `e`. The careful reader's mistake: for a matrix, the other plain names
/// mean nothing; `m f` and `f m` are the same layout.
///
/// An axis `1` has one entry and changes nothing but the shape: `out 1 in` is a convolution's `[channels, 1, kernel]`.
///
/// More plain axes after `out` are those that a row of the matrix is stored in: `out c p p` is a convolution's `[out, channels,
/// height, width]`, whose axes `axes` counts.
///
/// For a vector, such as the bias that belongs to a matrix, only the axis of the outputs counts; but `g out` stores it as
/// rows, of which `axes` counts g, and `scalar` stores one number without an axis.
public struct TensorLayout: Sendable, Hashable {
  /// How many groups the parts are interleaved in.
  public enum Groups: Sendable, Hashable {
    case one
    case number(Int)
    case named(String)
  }

  /// The layout as it was written.
  public let text: String
  /// The names of the parts in stored order; empty when the stored tensor is one canonical tensor.
  public let parts: [String]
  /// How the parts are interleaved.
  public let groups: Groups
  /// Whether the stored tensor holds every expert, outermost.
  public let hasExperts: Bool
  /// Whether the experts share an axis with the rows that follow, so that no axis is their own.
  public let foldsExperts: Bool
  /// Whether stored matrices are `[in, out]`.
  public let isTransposed: Bool
  /// The number of axes without the experts' and those of one entry.
  public let axisCount: Int
  /// The places of the axes of one entry among a matrix's axes.
  public let unitAxes: [Int]
  /// The axes that a row is stored in, where they are several.
  public let inputAxes: [String]
  /// The axis before the outputs', in `g out`: a vector is stored as that many rows.
  public let rowAxis: String?

  /// The layout of one number without an axis.
  static let scalar = "scalar"

  /// The tensor as it is: `[out, in]`, or a vector.
  public static let plain = TensorLayout(
    text: "", parts: [], groups: .one, hasExperts: false, foldsExperts: false, isTransposed: false, axisCount: 0,
    unitAxes: [], inputAxes: [], rowAxis: nil)
}

/// Why a layout cannot be read or cannot be applied, as one sentence.
public struct LayoutProblem: Error, Sendable, Equatable {
  /// The sentence.
  public let sentence: String
}
