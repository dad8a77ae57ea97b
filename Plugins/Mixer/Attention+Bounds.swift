import Components
import Kernels

/// A number that stays between two learned ones.
///
///     y = min(max(x, l), h)        l, h: [1]
struct LearnedClamp: Kernel {
  let name = "learned clamp"

  var traits: OperatorTraits { OperatorTraits(isRowwise: true, overwritableInput: 0) }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    let (low, high) = (context.parameter(0).vector[0], context.parameter(1).vector[0])
    context.parallel(y.count, grain: elementwiseGrain(y.width)) { rows, _ in
      for row in rows {
        for i in 0..<y.width { y[row][i] = min(max(x[row][i], low), high) }
      }
    }
  }

  /// `dx += dy` within the limits, `dl += Σ dy` below them, `dh += Σ dy` above them.
  func backward(_ context: BackwardContext) {
    let (x, dy) = (context.input(), context.outputGradient())
    let (low, high) = (context.parameter(0).vector[0], context.parameter(1).vector[0])
    let dx = context.inputGradient()
    var (below, above) = (0.0, 0.0)
    for row in 0..<dy.count {
      for i in 0..<dy.width {
        let slope = dy[row][i]
        if x[row][i] > high {
          above += Double(slope)
        } else if x[row][i] < low {
          below += Double(slope)
        } else if let dx {
          dx[row][i] += slope
        }
      }
    }
    context.parameterGradient(0)?[0] += Float(below)
    context.parameterGradient(1)?[0] += Float(above)
  }

  func flops(step: Step, context: Int) -> Int { 2 * step.outputs[0].width }
}

extension PlanBuilder {
  /// Writes a matrix to `width` numbers a row, named `name`; `bounded`, its input and its result stay within limits stored beside it.
  mutating func linear(_ x: Value, to width: Int, named name: String, bias: Bool, bounded: Bool) -> Value {
    guard bounded else { return linear(x, to: width, named: name, bias: bias) }
    let given = clamp(x, within: "\(name).input")
    return clamp(linear(given, to: width, named: name, bias: bias), within: "\(name).output")
  }

  private mutating func clamp(_ x: Value, within name: String) -> Value {
    let low = parameter("\(name)_min", shape: [1], starts: .constant(-1e30), use: .vector)
    let high = parameter("\(name)_max", shape: [1], starts: .constant(1e30), use: .vector)
    return apply(LearnedClamp(), to: x, parameters: [low, high])
  }
}
