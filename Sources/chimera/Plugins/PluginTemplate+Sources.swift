/// The component of each kind of package: small, whole, and conformant, so that what is changed is all that can be wrong.
extension PluginTemplate {
  /// The component's file.
  var source: String {
    switch kind {
    case .normalization: normalization
    case .position: position
    case .activation: activation
    case .mixer: mixer
    case .feedForward: feedForward
    case .residual: residual
    case .optimizer: optimizer
    case .schedule: schedule
    }
  }

  private var normalization: String {
    """
    import Components
    import Kernels

    /// A normalization by the mean size of a vector's numbers.
    ///
    ///     y = x·r ⊙ w,   r = 1 / (mean(|x|) + eps)
    ///
    /// Source: a template; say here who thought of it, when and where.
    /// Then say what a careful reader would get wrong.
    public struct \(type): Normalization {
      public static let name = "\(word)"

      let eps: Float

      public init(_ options: Options) {
        eps = Float(options.number("eps", default: 1e-6, in: 1e-12...1, "added to the mean"))
      }

      public func write(_ x: Value, named name: String, over span: NormSpan, into plan: inout PlanBuilder) -> Value {
        let parts = NormParts(width: x.width, span: span)
        let weight = plan.parameter("\\(name).weight", shape: parts.weightShape, starts: .ones, use: .vector)
        return plan.apply(Normalize(parts: parts, eps: eps), to: x, parameters: [weight])
      }

      struct Normalize: Kernel {
        let name = "\(word)"
        let parts: NormParts
        let eps: Float

        private func scale(_ x: UnsafePointer<Float>) -> Float {
          var sum: Float = 0
          for i in 0..<parts.width { sum += abs(x[i]) }
          return 1 / (sum / Float(parts.width) + eps)
        }

        var attributes: [Attribute] { parts.attributes + [Attribute("eps", eps)] }
        var traits: OperatorTraits { OperatorTraits(isRowwise: true) }

        func forward(_ context: ForwardContext) {
          let (x, y, w) = (context.input(), context.output(), context.parameter().vector)
          let n = parts.width
          context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
            for row in rows {
              for part in 0..<parts.count {
                let (xs, ys, ws) = (x[row] + part * n, y[row] + part * n, w + parts.weightOffset(part))
                let r = scale(xs)
                for i in 0..<n { ys[i] = xs[i] * r * ws[i] }
              }
            }
          }
        }

        /// With g = dy ⊙ w: `dx += r·g − r²·mean(g ⊙ x)·sign(x)`, `dw += dy ⊙ x·r`.
        func backward(_ context: BackwardContext) {
          let (x, dy, w) = (context.input(), context.outputGradient(), context.parameter().vector)
          let (dx, dw) = (context.inputGradient(), context.parameterGradient())
          let n = parts.width
          for row in 0..<dy.count {
            for part in 0..<parts.count {
              let (xs, dys) = (x[row] + part * n, dy[row] + part * n)
              let offset = parts.weightOffset(part)
              let r = scale(xs)
              var mean: Float = 0
              for i in 0..<n { mean += dys[i] * w[offset + i] * xs[i] / Float(n) }
              for i in 0..<n {
                if let dx { dx[row][part * n + i] += r * dys[i] * w[offset + i] - r * r * mean * (xs[i] < 0 ? -1 : 1) }
                if let dw { dw[offset + i] += dys[i] * xs[i] * r }
              }
            }
          }
        }

        func flops(step: Step, context: Int) -> Int { 4 * step.inputs[0].width }
      }
    }

    """
  }

  private var position: String {
    """
    import Components
    import Foundation

    /// A penalty on attention scores that grows with the logarithm of the distance.
    ///
    ///     s(q, k) −= strength·log(1 + |q − k|)
    ///
    /// Chi et al., 2022, https://arxiv.org/abs/2205.09921, with one strength for all heads, which is not learned.
    public struct \(type): PositionEncoding {
      public static let name = "\(word)"

      let strength: Double

      public init(_ options: Options) {
        strength = options.number("strength", default: 1, in: 0...100, "the factor of the logarithm")
      }

      public func scoreBias(heads: Int, scale: Float) -> (any ScoreBias)? { Penalty(strength: Float(strength)) }

      struct Penalty: ScoreBias {
        let name = "penalty"
        let strength: Float

        // Whatever changes a result is an attribute.
        var attributes: [Attribute] { [Attribute("strength", strength)] }
        // By distance, so that it is right for keys on either side of the query.
        var keys: ScoreBiasKeys { .anywhere }

        func add(to scores: UnsafeMutablePointer<Float>, count: Int, head: Int, query: Int, firstKey: Int) {
          for i in 0..<count { scores[i] -= strength * log(1 + Float(abs(query - firstKey - i))) }
        }
      }
    }

    """
  }

  private var activation: String {
    """
    import Components

    /// A smooth step between −1 and 1.
    ///
    ///     y = x / (1 + |x|)
    ///
    /// Source: a template; say here who thought of it, when and where.
    public struct \(type): ElementwiseActivation {
      public static let name = "\(word)"
      public let flopsPerNumber = 3

      public init(_ options: Options) {}

      public func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
        for i in 0..<count { y[i] = x[i] / (1 + abs(x[i])) }
      }

      public func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
        // f′(x) = 1 / (1 + |x|)²
        for i in 0..<count {
          let size = 1 + abs(x[i])
          slope[i] = 1 / (size * size)
        }
      }

      /// What `apply` is compared with.
      public func exact(_ x: Double) -> Double? { x / (1 + abs(x)) }
    }

    """
  }

  private var mixer: String {
    """
    import Components

    /// A mixture of each token with the one before it.
    ///
    ///     y[t] = (x[t] + m ⊙ (x[t−1] − x[t]))·Woᵀ        x[−1] = 0, m learned
    ///
    /// The token shift of RWKV: Peng et al., 2023, https://arxiv.org/abs/2305.13048.
    /// It keeps the last token of a sequence as its state, and nothing that grows.
    public struct \(type): Mixer {
      public static let name = "\(word)"

      public init(_ options: Options) {}

      public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
        let mix = plan.parameter("mix", shape: [x.width], starts: .constant(0.5))
        let last = plan.state("last", width: x.width, extent: .fixed)
        let mixed = plan.apply(Shift(), to: x, parameters: [mix], states: [last])
        return plan.linear(mixed, to: plan.shape.hiddenSize, named: "o", bias: false)
      }

      struct Shift: Kernel {
        let name = "\(word)"

        func forward(_ context: ForwardContext) {
          let (x, y, m) = (context.input(), context.output(), context.parameter().vector)
          for (index, sequence) in context.sequences.enumerated() {
            // Nil in training, where sequences begin and end in one pass.
            let last = context.state(0, of: index)
            for row in sequence.rows {
              let before = row > sequence.rows.lowerBound ? x[row - 1] : sequence.start > 0 ? last.map { UnsafePointer($0) } : nil
              for i in 0..<x.width { y[row][i] = x[row][i] + m[i] * ((before?[i] ?? 0) - x[row][i]) }
            }
            if let end = sequence.rows.last { last?.update(from: x[end], count: x.width) }
          }
        }

        /// `dx[t] += dy[t] ⊙ (1 − m) + dy[t+1] ⊙ m`, `dm += Σ dy[t] ⊙ (x[t−1] − x[t])`.
        func backward(_ context: BackwardContext) {
          let (x, dy, m) = (context.input(), context.outputGradient(), context.parameter().vector)
          let (dx, dm) = (context.inputGradient(), context.parameterGradient())
          for sequence in context.sequences {
            for row in sequence.rows {
              let isFirst = row == sequence.rows.lowerBound
              for i in 0..<dy.width {
                if let dx { dx[row][i] += dy[row][i] * (1 - m[i]) }
                if let dx, !isFirst { dx[row - 1][i] += dy[row][i] * m[i] }
                if let dm { dm[i] += dy[row][i] * ((isFirst ? 0 : x[row - 1][i]) - x[row][i]) }
              }
            }
          }
        }

        func flops(step: Step, context: Int) -> Int { 3 * step.outputs[0].width }
      }
    }

    """
  }

  private var feedForward: String {
    """
    import Components

    /// A feed-forward whose only nonlinearity is a product.
    ///
    ///     y = (x·Wgateᵀ ⊙ x·Wupᵀ)·Wdownᵀ
    ///
    /// The bilinear layer of Shazeer, 2020, https://arxiv.org/abs/2002.05202.
    public struct \(type): FeedForward {
      public static let name = "\(word)"

      let width: Int

      public init(_ options: Options) {
        let inner = 4 * options.shape.hiddenSize
        width = options.integer("intermediate_size", default: inner, "the inner width; 4 × hidden_size by default")
      }

      public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
        // One step of the plan a statement. Operators that are there already need no backward of ours.
        let gate = plan.linear(x, to: width, named: "gate", bias: false)
        let up = plan.linear(x, to: width, named: "up", bias: false)
        let inner = plan.multiply(gate, up)
        return plan.linear(inner, to: plan.shape.hiddenSize, named: "down", bias: false)
      }
    }

    """
  }

  private var residual: String {
    """
    import Components

    /// A sum that takes a fixed part of what a sublayer gives.
    ///
    ///     x ← α·x + β·strength·y
    ///
    /// Source: a template; say here who thought of it, when and where.
    public struct \(type): Residual {
      public static let name = "\(word)"

      let strength: Double

      public init(_ options: Options) {
        strength = options.number("strength", default: 0.5, in: 0...100, "what a result is multiplied by")
      }

      public func join(
        _ stream: Value, _ result: Value, alpha: Double, beta: Double, named name: String, into plan: inout PlanBuilder
      ) -> Value {
        plan.add(stream, result, alpha: alpha, beta: beta * strength)
      }
    }

    """
  }
}
