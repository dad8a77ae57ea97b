import Kernels

/// One operator of a plan, with what it reads and writes.
public struct Step: Sendable {
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
  /// What it keeps of a sequence, as indices of the plan's states.
  public let states: [Int]
  /// The widths of what its forward keeps for its backward, one row for each row of its output.
  public var kept: [Int] { operation.keptWidths }

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

/// A transformer as a flat list of steps over values, learned tensors and states. It holds no numbers.
///
/// The same list is printed, counted, run forwards and run backwards.
public struct Plan: Sendable {
  /// The model's name.
  public let name: String
  /// The model's sizes.
  public let shape: ModelShape
  /// The steps, in order.
  public let steps: [Step]
  /// The values that flow between them, by index.
  public let values: [Value]
  /// The learned tensors, by index; no name twice.
  public let parameters: [PlannedTensor]
  /// What is kept of a sequence, by index.
  public let states: [PlannedState]
  /// The logits: one row for each token whose logits are asked for.
  public let logits: Value
  /// How long a sequence can be, when anything limits it.
  public let longestSequence: Int?

  /// Whether parameters, operations and bytes for sequences of `context` tokens can be counted in an `Int`.
  ///
  /// Sizes come from a file, which may ask for anything. A builder finishes no plan that cannot be counted at the length
  /// it is made for.
  public func canCount(context: Int) -> Bool {
    var total = 0
    for tensor in parameters {
      var count = 1
      for length in tensor.shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: length)
        if overflow { return false }
        count = product
      }
      let (sum, overflow) = total.addingReportingOverflow(count)
      if overflow { return false }
      total = sum
    }
    // At most 16 bytes or operations for each number of each value with each token, and as many for each weight.
    let widths = values.reduce(0.0) { $0 + Double($1.width) } + states.reduce(0.0) { $0 + Double($1.width) }
    return 16 * (Double(total) + widths * Double(max(context, shape.contextLength))) < 0x1p62
  }

  /// The plan with other steps, and values added behind its own: what a pass makes of it.
  public func rewritten(steps: [Step], adding added: [Value] = [], logits: Value? = nil) -> Plan {
    Plan(
      name: name, shape: shape, steps: steps, values: values + added, parameters: parameters, states: states,
      logits: logits ?? self.logits, longestSequence: longestSequence)
  }

  /// The plan whose learned tensors start as `start` says, given what the steps that read each are for.
  public func starting(_ start: (PlannedTensor, Set<Step.Role>) -> PlannedTensor.Initialization) -> Plan {
    var roles = [Set<Step.Role>](repeating: [], count: parameters.count)
    for step in steps { for parameter in step.parameters { roles[parameter].insert(step.role) } }
    let tensors = zip(parameters, roles).map {
      PlannedTensor(name: $0.name, shape: $0.shape, use: $0.use, initialization: start($0, $1), chosen: $0.chosen)
    }
    return Plan(
      name: name, shape: shape, steps: steps, values: values, parameters: tensors, states: states, logits: logits,
      longestSequence: longestSequence)
  }

  /// How many numbers are learned.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// How many learned numbers a token meets: fewer, where it meets some of several experts.
  public var activeParameterCount: Int { parameters.reduce(0) { $0 + $1.activeCount } }

  /// Floating-point operations of one token's forward pass at the end of a sequence of `context` tokens.
  ///
  /// A multiplication and an addition are two. Lookups, norms and elementwise steps count what they compute.
  public func flopsPerToken(context: Int) -> Int {
    steps.reduce(0) { $0 + $1.operation.flops(step: $1, context: context) }
  }

  /// Bytes that one more token of a sequence keeps while no window is full, when states are kept in `format` where they
  /// may be.
  public func stateBytesPerToken(in format: StorageFormat) -> Int {
    states.reduce(0) { $0 + ($1.extent == .fixed ? 0 : $1.rowBytes(wanted: format)) }
  }

  /// Bytes that a sequence of `length` tokens keeps, when states are kept in `format` where they may be.
  public func stateBytes(length: Int, in format: StorageFormat) -> Int {
    states.reduce(0) { $0 + $1.rows(length: length) * $1.rowBytes(wanted: format) }
  }
}
