import Kernels
import Plans

/// Every head of a row times a number of its own.
///
///     y[head h] = x[head h]·g[h]        x: [rows, heads·width], g: [rows, heads]
public struct ScaleHeads: Kernel {
  public let name = "scale heads"
  /// Heads in a row.
  public let heads: Int

  /// The product for rows of `heads` heads.
  public init(heads: Int) {
    self.heads = heads
  }

  public var attributes: [Attribute] { [Attribute("heads", heads)] }
  public var traits: OperatorTraits { OperatorTraits(isRowwise: true, overwritableInput: 0, assignsGradients: true) }

  public func forward(_ context: ForwardContext) {
    let (x, g, y) = (context.input(0), context.input(1), context.output())
    let width = x.width / heads
    context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
      for row in rows {
        for head in 0..<heads {
          let at = head * width
          multiply(x[row] + at, by: g[row][head], into: y[row] + at, count: width, accumulate: false)
        }
      }
    }
  }

  /// `dx += dy·g`, `dg[h] += Σ dy ⊙ x` over head h.
  public func backward(_ context: BackwardContext) {
    let (x, g, dy) = (context.input(0), context.input(1), context.outputGradient())
    let (dx, dg) = (context.inputGradient(0), context.inputGradient(1))
    let addingX = dx != nil && context.addsToInputGradient(0)
    let addingG = dg != nil && context.addsToInputGradient(1)
    let width = x.width / heads
    context.parallel(dy.count, grain: elementwiseGrain(2 * dy.width)) { rows, _ in
      for row in rows {
        for head in 0..<heads {
          let at = head * width
          if let dx {
            multiply(dy[row] + at, by: g[row][head], into: dx[row] + at, count: width, accumulate: addingX)
          }
          if let dg {
            dg[row][head] = (addingG ? dg[row][head] : 0) + dot(dy[row] + at, x[row] + at, count: width)
          }
        }
      }
    }
  }

  public func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
}
