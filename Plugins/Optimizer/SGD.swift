import Components
import Kernels

/// Gradient descent with momentum.
///
///     g ← g + weight_decay·p;  m ← momentum·m + g;  p ← p − rate·m,   or rate·(g + momentum·m) with `nesterov`
///
/// Robbins and Monro, 1951; Polyak, 1964; Sutskever et al., 2013, https://proceedings.mlr.press/v28/sutskever13.html.
/// The decay is added to the gradient, and so to the momentum, as in torch.
public struct SGD: ExactOptimizer {
  public static let name = "sgd"
  public static let defaultLearningRate = 0.1

  let momentum: Double
  let nesterov: Bool
  let decay: WeightDecay

  public init(_ options: Options) {
    momentum = options.number("momentum", default: 0.9, in: 0...0.999999, "momentum")
    nesterov = options.flag("nesterov", default: false, "Nesterov momentum")
    decay = WeightDecay(options, default: 0, "weight decay, added to the gradient")
  }

  public func moments(of tensor: PlannedTensor) -> [String] { ["m"] }

  public func update(_ tensor: TensorUpdate) {
    tensor.apply(
      MomentumStep(
        rate: tensor.rate, momentum: momentum, nesterov: nesterov, decay: decay.of(tensor.tensor),
        gradientScale: tensor.gradientScale))
  }

  public func exact(
    _ p: Double, gradient g: Double, moments: inout [Double], of tensor: PlannedTensor, step: Int, rate: Double
  ) -> Double {
    let g = g + decay.of(tensor) * p
    moments[0] = momentum * moments[0] + g
    return p - rate * (nesterov ? g + momentum * moments[0] : moments[0])
  }

  public func pytorch(_ tensor: PlannedTensor) -> PyTorchUpdate? {
    PyTorchUpdate(
      by: "torch.optim.SGD", ["momentum=\(momentum)", "nesterov=\(nesterov && momentum > 0 ? "True" : "False")"],
      group: ["weight_decay=\(decay.of(tensor))"])
  }
}
