import Components
import Essentials

extension LinearAttention {
  /// The logarithm of a gate.
  ///
  ///     y = log σ(x) / temperature
  ///
  /// Computed as −softplus(−x): σ(x) of a small x is zero, and its logarithm none.
  struct LogSigmoid: Kernel {
    let name = "log sigmoid"
    let temperature: Float

    var attributes: [Attribute] { [Attribute("temperature", temperature, plain: Float(1))] }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true, isCheap: true, assignsGradients: true) }

    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      context.parallel(x.count * x.width, grain: 2048) { numbers, _ in
        for i in numbers { y.base[i] = -Softplus.value(-x.base[i]) / temperature }
      }
    }

    /// `dx += dy·σ(−x) / temperature`.
    func backward(_ context: BackwardContext) {
      guard let dx = context.inputGradient() else { return }
      let (x, dy, adding) = (context.input(), context.outputGradient(), context.addsToInputGradient())
      context.parallel(x.count * x.width, grain: 2048) { numbers, _ in
        for i in numbers { dx.base[i] = (adding ? dx.base[i] : 0) + dy.base[i] / (temperature * (1 + exp(x.base[i]))) }
      }
    }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      let y = PyTorchExpression.call("F.logsigmoid", [call.elements()])
      call.names("g")
      return temperature == 1 ? y : y / PyTorchExpression(temperature)
    }

    func flops(step: Step, context: Int) -> Int { 11 * step.outputs[0].width }
  }
}
