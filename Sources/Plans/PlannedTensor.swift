/// A learned tensor that a plan needs: its canonical name, its shape and how it starts.
///
/// Tensors of equal shape of which a token meets only some, as with experts, are one planned tensor: its name has a `*`
/// where each has its number, and its first axis counts them. So a plan stays small with thousands of experts; only a
/// checkpoint, where each is stored by itself, needs their own names.
public struct PlannedTensor: Sendable, Hashable {
  /// How a tensor's numbers start before training.
  public enum Initialization: Sendable, Hashable {
    /// All zero.
    case zeros
    /// All this number.
    case constant(Double)
    /// Drawn from a normal distribution around zero with this standard deviation.
    case normal(Double)
    /// Drawn evenly from −this to this number.
    case uniform(Double)
    /// Each its own, in order.
    case each([Double])

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

  /// The canonical name, such as `layers.0.attn.q.weight`, with a `*` for the number of each of several tensors.
  public let name: TensorName
  /// The lengths of the axes, outermost first: `[out, in]` for a matrix, `[n]` for a vector, `[tensors, out, in]` for
  /// several.
  public let shape: [Int]
  /// How operators read it.
  public let use: Use
  /// How its numbers start.
  public let initialization: Initialization

  /// How many of several tensors a token meets; nil for a single tensor.
  public let chosen: Int?

  /// Whether training leaves it as it is: it belongs to a model of which something else is learned.
  public let isFrozen: Bool

  /// How training moves it beside others.
  public let update: UpdateScale

  /// What training holds each number at, at most; nil where nothing does.
  public let most: Double?

  /// How many numbers it has.
  public var count: Int { shape.reduce(1, *) }
  /// How many of its numbers a token meets.
  public var activeCount: Int { chosen.map { count / max(1, shape[0]) * $0 } ?? count }

  /// The tensor `name`; one axis makes a vector and more a matrix, unless `use` says otherwise. `chosen` is for several.
  public init(
    name: TensorName, shape: [Int], use: Use? = nil, initialization: Initialization, chosen: Int? = nil,
    isFrozen: Bool = false, update: UpdateScale = .plain, most: Double? = nil
  ) {
    self.update = update
    self.most = most
    precondition((chosen != nil) == name.isSeveral, "'\(name)' names several tensors, or one")
    self.chosen = chosen
    self.isFrozen = isFrozen
    self.name = name
    self.shape = shape
    self.use = use ?? (shape.count == 1 ? .vector : .matrix)
    self.initialization = initialization
  }

  /// The tensors as a checkpoint names them: each of several by itself.
  public var members: [PlannedTensor] {
    guard chosen != nil else { return [self] }
    return (0..<shape[0]).map {
      PlannedTensor(
        name: name.member($0), shape: Array(shape.dropFirst()), use: use, initialization: initialization,
        isFrozen: isFrozen, update: update, most: most)
    }
  }
}

extension PlannedTensor {
  /// The same tensor, which training leaves as it is.
  public var frozen: PlannedTensor {
    PlannedTensor(
      name: name, shape: shape, use: use, initialization: initialization, chosen: chosen, isFrozen: true,
      update: update,
      most: most)
  }
}

/// A learned tensor of a plan being written.
public struct ParameterReference: Sendable, Hashable {
  /// The tensor's index among the plan's tensors.
  public let index: Int
  /// The lengths of its axes.
  public let shape: [Int]
}
