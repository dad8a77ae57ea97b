import Plans

/// How a model's matrices start before training, and by what rule of its width and depth they are trained.
///
/// What a component lets start as zeros, ones or other numbers of its own keeps to that.
public protocol Initialization: Component {
  /// How `tensor`, which is `part` of its model, starts.
  func start(of tensor: PlannedTensor, as part: TensorPart) -> PlannedTensor.Initialization
  /// How it is moved beside others: what its learning rate and the like are multiplied with.
  func update(of tensor: PlannedTensor, as part: TensorPart) -> UpdateScale
  /// What logits are multiplied with.
  var logitFactor: Double { get }
  /// What sublayers' results are multiplied with as they join the residual stream.
  var residualFactor: Double { get }
}

extension Initialization {
  public static var slot: Slot { .initialization }
  public func update(of tensor: PlannedTensor, as part: TensorPart) -> UpdateScale { .plain }
  public var logitFactor: Double { 1 }
  public var residualFactor: Double { 1 }
}
