/// The sizes of a model as the names and shapes of its tensors have them: layers are numbered, and norms are as wide as
/// the residual stream.
public struct StoredSizes: Sendable {
  /// How many layers there are.
  public let layers: Int
  /// The width of the residual stream.
  public let width: Int

  /// The sizes of `stored`; nil where no name has a layer's number.
  public init?(_ stored: [StoredTensorEntry]) {
    var counts: [Int: Int] = [:]
    var last = -1
    for entry in stored {
      if let number = TensorNamePattern.generalizing(entry.name).numbers.first { last = max(last, number) }
      if entry.shape.count == 1 { counts[entry.shape[0], default: 0] += 1 }
    }
    let common = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }
    guard last >= 0, let common else { return nil }
    (layers, width) = (last + 1, common.key)
  }
}
