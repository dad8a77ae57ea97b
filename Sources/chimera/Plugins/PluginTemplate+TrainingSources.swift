/// The component of a package that says how a run learns.
extension PluginTemplate {
  var optimizer: String {
    """
    import Components

    /// Gradient descent along the mean of recent gradients.
    ///
    ///     m ← beta·m + (1 − beta)·g;  p ← p − rate·m
    ///
    /// Source: Polyak, 1964, with the gradients' mean where he has their sum.
    /// What is kept between steps is declared, so that a run that was stopped goes on to the same bits.
    public struct \(type): ExactOptimizer {
      public static let name = "\(word)"
      public static let defaultLearningRate = 0.1

      let beta: Double

      public init(_ options: Options) {
        beta = options.number("beta", default: 0.9, in: 0...0.999999, "how much of the mean is kept in a step")
      }

      public func moments(of tensor: PlannedTensor) -> [String] { ["m"] }

      public func update(_ tensor: TensorUpdate) {
        let (p, g, m) = (tensor.parameters, tensor.gradients, tensor.moments[0])
        let (beta, rate, scale) = (Float(beta), Float(tensor.rate), Float(tensor.gradientScale))
        tensor.forEachPiece { start, count in
          for i in start..<start + count {
            m[i] = beta * m[i] + (1 - beta) * scale * g[i]
            p[i] -= rate * m[i]
          }
        }
      }

      /// What `update` is compared with.
      public func exact(
        _ p: Double, gradient g: Double, moments: inout [Double], of tensor: PlannedTensor, step: Int, rate: Double
      ) -> Double {
        moments[0] = beta * moments[0] + (1 - beta) * g
        return p - rate * moments[0]
      }
    }

    """
  }

  var schedule: String {
    """
    import Components

    /// A rate that falls with the root of the time.
    ///
    ///     factor = 1 / √(1 + strength·t)
    ///
    /// Like that of Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, over a run's length instead of its steps.
    public struct \(type): Schedule {
      public static let name = "\(word)"

      let strength: Double

      public var final: Double { factor(at: 1) }
      public let neverRises = true

      public init(_ options: Options) {
        strength = options.number("strength", default: 99, in: 0...1e6, "how far it falls")
      }

      public func factor(at progress: Double) -> Double { 1 / (1 + strength * progress).squareRoot() }
    }

    """
  }
}
