/// What an executor, its passes and its memory plans may go by: facts of an operator that change no result.
public struct OperatorTraits: Sendable, Hashable {
  /// Which values a backward reads, so that they must be saved for it.
  public enum Inputs: Sendable, Hashable {
    /// None.
    case none
    /// Every input.
    case all
    /// The inputs at these indices.
    case only(Set<Int>)

    /// Whether input `index` is among them.
    public func contains(_ index: Int) -> Bool {
      switch self {
      case .none: false
      case .all: true
      case .only(let indices): indices.contains(index)
      }
    }
  }

  /// Whether each row of the outputs follows from the same row of the inputs alone, wherever the row stands.
  public var isRowwise: Bool
  /// Whether the outputs may be computed a second time for backward rather than saved: it costs little beside a matrix.
  public var isCheap: Bool
  /// The input that the first output may overwrite when no step reads that input later: each row of the output is
  /// computed from that row of the input alone, or added to it.
  public var overwritableInput: Int?
  /// The inputs whose values backward reads.
  public var backwardReadsInputs: Inputs
  /// Whether backward reads the values of the outputs.
  public var backwardReadsOutputs: Bool
  /// The widths of what forward saves for backward, a row for each row of the outputs.
  public var savedWidths: [Int]
  /// Whether backward asks `addsToInputGradient` and `addsToParameterGradient`, and assigns every element of a gradient
  /// that holds nothing yet. For other operators such a gradient is filled with zeros first.
  public var assignsGradients: Bool
  /// The input whose gradient may take the memory of the first output's gradient: each element of it follows from the
  /// element in its place, which backward reads no more after writing it. Only with `assignsGradients`.
  public var overwritableGradient: Int?
  /// The input whose gradient may take the memory of its values: as above. Only with `assignsGradients`.
  public var gradientReplacesInput: Int?

  /// The traits of an operator that promises nothing unless it is said here.
  public init(
    isRowwise: Bool = false, isCheap: Bool = false, overwritableInput: Int? = nil, backwardReadsInputs: Inputs = .all,
    backwardReadsOutputs: Bool = false, savedWidths: [Int] = [], assignsGradients: Bool = false,
    overwritableGradient: Int? = nil, gradientReplacesInput: Int? = nil
  ) {
    self.isRowwise = isRowwise
    self.isCheap = isCheap
    self.overwritableInput = overwritableInput
    self.backwardReadsInputs = backwardReadsInputs
    self.backwardReadsOutputs = backwardReadsOutputs
    self.savedWidths = savedWidths
    self.assignsGradients = assignsGradients
    self.overwritableGradient = overwritableGradient
    self.gradientReplacesInput = gradientReplacesInput
  }
}
