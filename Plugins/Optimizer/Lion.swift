import Components
import Kernels

/// Steps of one size in the direction of the sign of the momentum.
///
///     p ← (1 − rate·weight_decay)·p − rate·sign(β1·m + (1 − β1)·g);  m ← β2·m + (1 − β2)·g
///
/// Chen et al., 2023, https://arxiv.org/abs/2302.06675.
/// The learning rate wants to be 3 to 10 times smaller than AdamW's, and the decay as much larger.
public struct Lion: ExactOptimizer {
  public static let name = "lion"
  public static let defaultLearningRate = 1e-4

  let beta1: Double
  let beta2: Double
  let decay: WeightDecay

  public init(_ options: Options) {
    beta1 = options.number(
      "beta1", default: 0.9, in: 0...0.999999, "interpolation of gradient and momentum in the step")
    beta2 = options.number("beta2", default: 0.99, in: 0...0.999999, "decay of the momentum")
    decay = WeightDecay(options, default: 1, "decoupled weight decay, multiplied by the learning rate")
  }

  public let normalizesGradients = true

  public func moments(of tensor: PlannedTensor) -> [String] { ["m"] }

  public func update(_ tensor: TensorUpdate) {
    tensor.apply(
      LionStep(
        rate: tensor.rate, beta1: beta1, beta2: beta2, decay: decay.of(tensor.tensor),
        gradientScale: tensor.gradientScale))
  }

  public func exact(
    _ p: Double, gradient g: Double, moments: inout [Double], of tensor: PlannedTensor, step: Int, rate: Double
  ) -> Double {
    let direction = beta1 * moments[0] + (1 - beta1) * g
    moments[0] = beta2 * moments[0] + (1 - beta2) * g
    let sign: Double = direction > 0 ? 1 : direction < 0 ? -1 : 0
    return (1 - rate * decay.of(tensor)) * p - rate * sign
  }

  public func pytorch(_ tensor: PlannedTensor) -> PyTorchUpdate? {
    PyTorchUpdate(
      by: "Lion", ["betas=(\(beta1), \(beta2))"], group: ["weight_decay=\(decay.of(tensor))"],
      definition: """
        class Lion(torch.optim.Optimizer):
            \"""p ← (1 − lr·decay)·p − lr·sign(β1·m + (1 − β1)·g);  m ← β2·m + (1 − β2)·g\"""

            def __init__(self, params, lr, betas, weight_decay=0.0):
                super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

            @torch.no_grad()
            def step(self, closure=None):
                for group in self.param_groups:
                    beta1, beta2 = group["betas"]
                    for p in group["params"]:
                        if p.grad is None:
                            continue
                        state = self.state[p]
                        if not state:
                            state["m"] = torch.zeros_like(p)
                        m = state["m"]
                        p.mul_(1 - group["lr"] * group["weight_decay"])
                        p.sub_(group["lr"] * m.lerp(p.grad, 1 - beta1).sign())
                        m.lerp_(p.grad, 1 - beta2)
        """)
  }
}
