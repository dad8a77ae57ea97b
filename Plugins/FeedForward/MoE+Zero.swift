import Components
import Kernels

extension MoE {
  /// What of a row's weights falls to experts that give back what they read, and the choice without them.
  ///
  ///     share[t] = Σ_j w[t, j] over the e[t, j] ≥ experts;   e'[t, j] = e[t, j], or −1 for those
  struct ZeroExperts: Kernel {
    let name = "zero experts"
    /// How many experts compute something.
    let experts: Int

    var attributes: [Attribute] { [Attribute("experts", experts)] }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true, backwardReadsInputs: .only([1])) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
      [inputs[0].with(width: 1), inputs[1]]
    }

    func forward(_ context: ForwardContext) {
      let (w, choice, share, real) = (context.input(0), context.input(1), context.output(0), context.output(1))
      for row in 0..<w.count {
        var sum: Float = 0
        for j in 0..<w.width {
          let isZero = Int(choice[row][j]) >= experts
          if isZero { sum += w[row][j] }
          real[row][j] = isZero ? -1 : choice[row][j]
        }
        share[row][0] = sum
      }
    }

    /// `dw_j += dshare` for the experts that compute nothing.
    func backward(_ context: BackwardContext) {
      guard let dw = context.inputGradient(0) else { return }
      let (choice, dshare) = (context.input(1), context.outputGradient(0))
      for row in 0..<dw.count {
        for j in 0..<dw.width where Int(choice[row][j]) >= experts { dw[row][j] += dshare[row][0] }
      }
    }

    func flops(step: Step, context: Int) -> Int { step.inputs[0].width }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.output(1, is: .own)
      call.names("share", "choice")
      call.define(
        "zero_experts",
        """
        def zero_experts(weights, choice, experts):
            \"""What falls to experts that give back what they read, and the choice with −1 in their places.\"""
            zero = choice >= experts
            return (weights * zero).sum(-1, keepdim=True), choice.masked_fill(zero, -1)
        """)
      return .call("zero_experts", [call.input(0), call.input(1, as: .own), PyTorchExpression(experts)])
    }
  }
}
