import Plans

/// The rows that a pass is given on an axis: an image's patches, frames of sound, vectors made elsewhere.
///
///     y[t] = given[t]        y: [rows, width]
public struct InputRows: Kernel {
  public let name = "input rows"
  /// The axis that the rows are given for.
  public let axis: RowAxis
  /// Elements in a row, as the plan's axis says.
  public let width: Int

  /// The rows of `width` elements given on `axis`.
  public init(axis: RowAxis, width: Int) {
    self.axis = axis
    self.width = width
  }

  public var attributes: [Attribute] { [Attribute("axis", axis.index), Attribute("width", width)] }
  public var traits: OperatorTraits { OperatorTraits(backwardReadsInputs: .none) }

  public func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    [ValueShape(width: width, axis: axis)]
  }

  public func forward(_ context: ForwardContext) {
    let y = context.output()
    if let given = context.batch.given { y.base.update(from: given, count: y.count * width) }
  }

  /// Nothing: no learned tensor has a part in what is given.
  public func backward(_ context: BackwardContext) {}

  public func flops(step: Step, context: Int) -> Int { 0 }
}
