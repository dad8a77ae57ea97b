import Plans

/// A rule that moves parameters against their gradients.
///
/// It keeps nothing in itself: what one step leaves to the next is in the moments, which a checkpoint saves, so that a run
/// that was stopped ends in the same bits as one that was not.
public protocol Optimizer: Component {
  /// The learning rate that suits it when nobody says otherwise.
  static var defaultLearningRate: Double { get }
  /// Whether its steps are as long whatever the size of the gradients, as Adam's are: what the rules of parametrizations such as
  /// muP for Adam hold for. Nothing is promised unless it says so.
  var normalizesGradients: Bool { get }
  /// The names of what it keeps for `tensor` between steps, each as large as the tensor and zero at first.
  func moments(of tensor: PlannedTensor) -> [String]
  /// Moves one tensor by one step, to the same bits on any number of threads; not at all at a rate of 0.
  func update(_ tensor: TensorUpdate)
  /// The same update in PyTorch; nil where it is not said.
  func pytorch(_ tensor: PlannedTensor) -> PyTorchUpdate?
}

extension Optimizer {
  public static var slot: Slot { .optimizer }
  public var normalizesGradients: Bool { false }
  public func pytorch(_ tensor: PlannedTensor) -> PyTorchUpdate? { nil }
}
