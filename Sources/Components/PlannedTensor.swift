/// A learned tensor that a plan needs: its canonical name, its shape and how it starts.
public struct PlannedTensor: Sendable, Hashable {
  /// How a tensor's numbers start before training.
  public enum Initialization: Sendable, Hashable {
    /// All zero.
    case zeros
    /// All this number.
    case constant(Double)
    /// Drawn from a normal distribution around zero with this standard deviation.
    case normal(Double)

    /// All one.
    public static let ones = Initialization.constant(1)
  }

  /// How operators read a tensor.
  public enum Use: Sendable, Hashable {
    /// As a matrix in its stored format.
    case matrix
    /// As numbers in `Float`: norms, biases.
    case vector
  }

  /// The canonical name, such as `layers.0.attn.q.weight`.
  public let name: String
  /// The lengths of the axes, outermost first: `[out, in]` for a matrix, `[n]` for a vector.
  public let shape: [Int]
  /// How operators read it.
  public let use: Use
  /// How its numbers start.
  public let initialization: Initialization

  /// How many numbers it has.
  public var count: Int { shape.reduce(1, *) }

  /// The tensor `name`; one axis makes a vector and more a matrix, unless `use` says otherwise.
  public init(name: String, shape: [Int], use: Use? = nil, initialization: Initialization) {
    self.name = name
    self.shape = shape
    self.use = use ?? (shape.count == 1 ? .vector : .matrix)
    self.initialization = initialization
  }
}

/// A learned tensor of a plan being written.
public struct ParameterReference: Sendable, Hashable {
  /// The tensor's place among the plan's tensors.
  public let index: Int
  /// The lengths of its axes.
  public let shape: [Int]
}
