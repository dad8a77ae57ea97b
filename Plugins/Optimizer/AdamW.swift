import Components
import Essentials
import Kernels

/// Adam with decoupled weight decay.
///
///     m ← β1·m + (1 − β1)·g;  v ← β2·v + (1 − β2)·g²
///     p ← (1 − rate·weight_decay)·p − rate·m̂ / (√v̂ + eps),   m̂ = m / (1 − β1ᵗ), v̂ = v / (1 − β2ᵗ)
///
/// Loshchilov and Hutter, 2017, https://arxiv.org/abs/1711.05101; Kingma and Ba, 2014, https://arxiv.org/abs/1412.6980.
/// `eps` stands outside the root and after the bias correction, as in torch. Norms and biases do not decay.
public struct AdamW: ExactOptimizer {
  public static let name = "adamw"
  public static let defaultLearningRate = 1e-3
  public static let isDefault = true

  let beta1: Double
  let beta2: Double
  let eps: Double
  let decay: WeightDecay

  public init(_ options: Options) {
    beta1 = options.number("beta1", default: 0.9, in: 0...0.999999, "decay of the mean of gradients")
    beta2 = options.number("beta2", default: 0.95, in: 0...0.999999, "decay of the mean of squared gradients")
    eps = options.number("eps", default: 1e-8, in: 1e-30...1, "added to the root")
    decay = WeightDecay(options, default: 0.1, "decoupled weight decay, multiplied by the learning rate")
  }

  public let normalizesGradients = true

  public func moments(of tensor: PlannedTensor) -> [String] { ["m", "v"] }

  public func update(_ tensor: TensorUpdate) {
    let step = AdamWStep(
      step: tensor.step, rate: tensor.rate, beta1: beta1, beta2: beta2, eps: eps * tensor.tensor.update.epsilon,
      decay: decay.of(tensor.tensor), gradientScale: tensor.gradientScale)
    tensor.forEachPiece { start, count in
      step.apply(
        to: tensor.parameters + start, gradient: tensor.gradients + start, m: tensor.moments[0] + start,
        v: tensor.moments[1] + start, count: count)
    }
  }

  public func exact(
    _ p: Double, gradient g: Double, moments: inout [Double], of tensor: PlannedTensor, step: Int, rate: Double
  ) -> Double {
    moments[0] = beta1 * moments[0] + (1 - beta1) * g
    moments[1] = beta2 * moments[1] + (1 - beta2) * g * g
    let (m, v) = (moments[0] / (1 - pow(beta1, Double(step))), moments[1] / (1 - pow(beta2, Double(step))))
    return (1 - rate * decay.of(tensor)) * p - rate * m / (v.squareRoot() + eps * tensor.update.epsilon)
  }

  public func pytorch(_ tensor: PlannedTensor) -> PyTorchUpdate? {
    let own = tensor.update.epsilon == 1 ? [] : ["eps=\(eps * tensor.update.epsilon)"]
    return PyTorchUpdate(
      by: "torch.optim.AdamW", ["betas=(\(beta1), \(beta2))", "eps=\(eps)"],
      group: ["weight_decay=\(decay.of(tensor))"] + own)
  }
}
