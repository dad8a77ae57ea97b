import Kernels
import Plans

/// The parts of every head of a row, each part of all heads as a value of its own.
///
///     (y_1, y_2, …) = x, head by head
public struct Split: Kernel {
  public let name = "split"
  /// Heads in a row.
  public let heads: Int
  /// Numbers of a head in each part.
  public let widths: [Int]

  /// Parts of `widths` numbers of each of `heads` heads.
  public init(heads: Int, widths: [Int]) {
    self.heads = heads
    self.widths = widths
  }

  public var attributes: [Attribute] { [Attribute("heads", heads, plain: 1), Attribute("widths", widths)] }
  public var traits: OperatorTraits {
    OperatorTraits(
      isRowwise: true, backwardReadsInputs: .none, assignsGradients: true)
  }
  public func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    widths.map { inputs[0].with(width: heads * $0) }
  }

  public func forward(_ context: ForwardContext) {
    let x = context.input()
    context.parallel(x.count, grain: elementwiseGrain(x.width)) { rows, _ in
      var before = 0
      for (index, width) in widths.enumerated() {
        let (y, stride) = (context.output(index), x.width / heads)
        for row in rows {
          for head in 0..<heads {
            (y[row] + head * width).update(from: x[row] + head * stride + before, count: width)
          }
        }
        before += width
      }
    }
  }

  /// `dx = (dy_1, dy_2, …)` of every head.
  public func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let adding = context.addsToInputGradient()
    context.parallel(dx.count, grain: elementwiseGrain(dx.width)) { rows, _ in
      var before = 0
      for (index, width) in widths.enumerated() {
        let (dy, stride) = (context.outputGradient(index), dx.width / heads)
        for row in rows {
          for head in 0..<heads {
            multiply(
              dy[row] + head * width, by: 1, into: dx[row] + head * stride + before, count: width, accumulate: adding)
          }
        }
        before += width
      }
    }
  }

  public func flops(step: Step, context: Int) -> Int { 0 }
}

extension PlanBuilder {
  /// Writes the parts of `widths` numbers of each of `heads` heads of `x`.
  public mutating func split(_ x: Value, into widths: [Int], heads: Int = 1) -> [Value] {
    apply(Split(heads: heads, widths: widths), to: [x])
  }
}
