/// One differentiable operation as data: what it is called, what it is set to, and what follows for the plan.
///
/// Two operators are equal when their names and attributes are. So whatever decides a number is an attribute: listings,
/// drawings, equality of plans, fusion and the writers of other formats read nothing else. What computes it on the
/// processor is its `Kernel`, which stands in the same file.
///
/// A careful reader's mistake: an option kept in a property that no attribute tells makes two models that compute
/// differently look the same.
public protocol Operator: Sendable, Hashable {
  /// The word that stands for it in listings and profiles.
  var name: String { get }
  /// What it is set to: everything that decides its result, in the order listings show it.
  var attributes: [Attribute] { get }
  /// The shapes of its outputs, from those of its inputs and of the tensors it reads. By default one output, shaped as
  /// the first input.
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape]
  /// Why it cannot be applied to inputs of these shapes, as the end of a sentence about the step; nil where it can.
  func fault(_ inputs: [ValueShape]) -> String?
  /// What an executor may go by.
  var traits: OperatorTraits { get }
  /// How its rows go by the length of the text that they are part of; it follows from the attributes.
  var lengthUse: LengthUse { get }
  /// Which tokens it lets see each other, where others see those before them alone.
  var together: TokensTogether { get }
  /// Whether it goes by where tokens stand in time, down and across, as those of pictures do.
  var readsPlaces: Bool { get }
  /// Floating-point operations for one token at the end of a sequence of `context` tokens.
  func flops(step: Step, context: Int) -> Int

  /// The expression of its output in PyTorch, of several outputs a tuple; nil where the operator has none. It stands beside
  /// the kernel, which the conformance kit compares it with.
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression?

  // What passes over a plan may do with it. They change no result beyond rounding.

  /// An operator that does this one and `other`, which reads the same inputs, in one step: its tensors and outputs are
  /// this one's and then the other's. Nil when there is none.
  func joined(with other: any Operator) -> (any Operator)?
  /// An operator that does this one and then `next`, which alone reads this one's only output, as its input `index`. Its
  /// inputs are this one's and then `next`'s others, its tensors this one's and then `next`'s. Nil when there is none.
  func followed(by next: any Operator, readingAt index: Int) -> (any Operator)?
}

extension Operator {
  public var attributes: [Attribute] { [] }
  public var traits: OperatorTraits { OperatorTraits() }
  public var lengthUse: LengthUse { .none }
  public var together: TokensTogether { .none }
  public var readsPlaces: Bool { false }
  public func fault(_ inputs: [ValueShape]) -> String? { nil }
  public func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] { Array(inputs.prefix(1)) }
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? { nil }
  public func joined(with other: any Operator) -> (any Operator)? { nil }
  public func followed(by next: any Operator, readingAt index: Int) -> (any Operator)? { nil }

  /// Equal in name and attributes.
  public static func == (a: Self, b: Self) -> Bool { a.name == b.name && a.attributes == b.attributes }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(attributes)
  }

  /// Whether `other` is the same operation, set to the same.
  public func isEqual(to other: any Operator) -> Bool { name == other.name && attributes == other.attributes }
}
