/// One operator of a plan, with what it reads and writes.
public struct Step: Sendable, Hashable {
  /// Where it stands, such as `layers.0.attn`.
  public let scope: TensorName
  /// The operator.
  public let operation: any Operator
  /// What it is for, as who wrote it says.
  public internal(set) var role: Role
  /// The input that is what a sublayer gives, on its way into the residual stream; nil where none is.
  public internal(set) var result: Int?
  /// The part of its component that drawings show it in; empty for none of its own.
  public let part: String
  /// The values it reads.
  public let inputs: [Value]
  /// The values it writes.
  public let outputs: [Value]
  /// The tensors it reads, as indices of the plan's tensors.
  public let parameters: [Int]
  /// What it carries of a sequence from pass to pass, as indices of the plan's states.
  public let states: [Int]
  /// What the rows of its outputs stand for.
  public var axis: RowAxis { outputs.first?.axis ?? .tokens }
  /// The widths of what its forward saves for its backward, one row for each row of its output.
  public var saved: [Int] { operation.traits.savedWidths }

  /// A step of these parts.
  public init(
    scope: TensorName, operation: any Operator, inputs: [Value], outputs: [Value], parameters: [Int] = [],
    states: [Int] = [], part: String = "", role: Role = .other, result: Int? = nil
  ) {
    self.scope = scope
    self.role = role
    self.result = result
    self.part = part
    self.operation = operation
    self.inputs = inputs
    self.outputs = outputs
    self.parameters = parameters
    self.states = states
  }

  /// The same step with some of its parts replaced: what a pass makes of it.
  public func with(
    operation: (any Operator)? = nil, inputs: [Value]? = nil, outputs: [Value]? = nil, parameters: [Int]? = nil
  ) -> Step {
    Step(
      scope: scope, operation: operation ?? self.operation, inputs: inputs ?? self.inputs,
      outputs: outputs ?? self.outputs, parameters: parameters ?? self.parameters, states: states, part: part,
      role: role, result: result)
  }

  /// Equal where operator, wiring and place are.
  public static func == (a: Step, b: Step) -> Bool {
    a.scope == b.scope && a.part == b.part && a.role == b.role && a.result == b.result
      && a.operation.isEqual(to: b.operation) && a.inputs == b.inputs
      && a.outputs == b.outputs && a.parameters == b.parameters && a.states == b.states
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(scope)
    hasher.combine(operation)
    hasher.combine(inputs)
    hasher.combine(outputs)
  }
}

extension Step {
  /// What a step is for.
  public enum Role: Sendable, Hashable {
    /// Nothing of what follows: a norm, a part of a sublayer, the head.
    case other
    /// It gives the residual stream's first value, or a part of it: tokens' vectors, positions, their norm.
    case embedding
    /// It multiplies by a matrix whose product is what a sublayer gives to the residual stream.
    case streamWriter
    /// It gives the residual stream's next value.
    case residualAdd
    /// It adds two values anywhere else.
    case sum
  }
}
