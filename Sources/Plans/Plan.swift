import Formats

/// A transformer as a flat list of steps over values, learned tensors and states. It holds no numbers.
///
/// The same list is printed, counted, run forwards and run backwards.
public struct Plan: Sendable, Hashable {
  /// The model's name.
  public let name: String
  /// The model's sizes.
  public let shape: ModelShape
  /// What rows of values stand for, by index of axis.
  public let axes: [PlannedAxis]
  /// The steps, in order.
  public let steps: [Step]
  /// The values that flow between them, by index.
  public let values: [Value]
  /// The learned tensors, by index; no name twice.
  public let parameters: [PlannedTensor]
  /// The cached states of a sequence, by index.
  public let states: [PlannedState]
  /// The logits: one row for each token whose logits are asked for.
  public let logits: Value
  /// What stands for each row at the end, before anything is predicted from it: the rows of `logits` where nothing is.
  public let finalStates: Value?
  /// What the logits say.
  public let prediction: Prediction
  /// How long a sequence can be, when anything limits it.
  public let longestSequence: Int?
  /// How long a text its position encodings are made for, where they say more than the model's context length.
  public let extendedContext: Int?
  /// The token with which a text is filled up to the longest, where the model is made for texts of one length; nil elsewhere.
  public internal(set) var filling: Int?

  /// How many tokens of a text the model is made for.
  public var longestText: Int {
    min(longestSequence ?? Int.max, max(shape.contextLength, extendedContext ?? 0))
  }

  /// `ids` of a text, filled up to `length` where the model is made for texts of one length.
  public func filled(_ ids: [Int], to length: Int) -> [Int] {
    guard let filling, ids.count < length else { return ids }
    return ids + Array(repeating: filling, count: length - ids.count)
  }

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
    let rows = axes.reduce(max(context, shape.contextLength)) { max($0, $1.context ?? 0) }
    return 16 * (Double(total) + widths * Double(rows)) < 0x1p62
  }

  /// The plan with other steps, and values added behind its own: what a pass makes of it. A value has the shape with which
  /// the steps write it. `parameters` take the place of the plan's, whose indices they keep.
  public func rewritten(
    steps: [Step], adding added: [Value] = [], parameters: [PlannedTensor]? = nil, logits: Value? = nil
  ) -> Plan {
    var values = self.values + added
    for output in steps.lazy.flatMap(\.outputs) where values.indices.contains(output.index) {
      values[output.index] = output
    }
    return Plan(
      name: name, shape: shape, axes: axes, steps: steps, values: values, parameters: parameters ?? self.parameters,
      states: states, logits: logits ?? self.logits, finalStates: finalStates, prediction: prediction,
      longestSequence: longestSequence, extendedContext: extendedContext, filling: filling)
  }

  /// The plan of those steps alone that `states` needs, followed by `steps`, which add values behind the plan's own: its logits
  /// are the last step's output, and they predict nothing.
  public func ending(in states: Value, with added: [Step]) -> Plan {
    var needed: Set<Int> = [states.index]
    var kept: [Step] = []
    for step in steps.reversed() where step.outputs.contains(where: { needed.contains($0.index) }) {
      kept.append(step)
      needed.formUnion(step.inputs.map(\.index))
    }
    let logits = added.last?.outputs.first ?? states
    return Plan(
      name: name, shape: shape, axes: axes, steps: kept.reversed() + added, values: values + added.flatMap(\.outputs),
      parameters: parameters, states: self.states, logits: logits, finalStates: states, prediction: .states,
      longestSequence: longestSequence, extendedContext: extendedContext)
  }

  /// The plan whose learned tensors start as `start` says and are moved as `update` says, given what each is in the model.
  public func starting(
    _ start: (PlannedTensor, TensorPart) -> PlannedTensor.Initialization,
    moving update: (PlannedTensor, TensorPart) -> UpdateScale
  ) -> Plan {
    var readers = [[Step]](repeating: [], count: parameters.count)
    for step in steps { for parameter in step.parameters { readers[parameter].append(step) } }
    let tensors = zip(parameters, readers).map { tensor, steps in
      let part = TensorPart(tensor, read: steps, logits: logits)
      return PlannedTensor(
        name: tensor.name, shape: tensor.shape, use: tensor.use, initialization: start(tensor, part),
        chosen: tensor.chosen, isFrozen: tensor.isFrozen, update: update(tensor, part), most: tensor.most)
    }
    return Plan(
      name: name, shape: shape, axes: axes, steps: steps, values: values, parameters: tensors, states: states,
      logits: logits, finalStates: finalStates, prediction: prediction,
      longestSequence: longestSequence, extendedContext: extendedContext, filling: filling)
  }

  /// What the logits of a plan say.
  public enum Prediction: Sendable, Hashable {
    /// How likely each token of the vocabulary is.
    case tokens
    /// Nothing: they are the final states.
    case states
    /// How likely each class of a text is, in the row of its first token.
    case classes
    /// How near a text is to what another stack reads: a vector of each, side by side, whose product tells.
    case pairs
  }

  /// How many elements are learned.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// How many learned elements a token meets: fewer, where it meets some of several experts.
  public var activeParameterCount: Int { parameters.reduce(0) { $0 + $1.activeCount } }

  /// Floating-point operations of one token's forward pass at the end of a sequence of `context` tokens.
  ///
  /// A multiplication and an addition are two. Lookups, norms and elementwise steps count what they compute.
  public func flopsPerToken(context: Int) -> Int {
    steps.reduce(0) { $1.axis.isOfText ? $0 + flops(of: $1, context: context) : $0 }
  }

  /// Floating-point operations of `step` for one of its own rows at the end of a text of `context` tokens; other stacks have as
  /// many rows as they are made for.
  public func flops(of step: Step, context: Int) -> Int {
    step.operation.flops(step: step, context: length(of: step, context: context))
  }

  /// Bytes that one more token of a sequence adds to its states while no window is full, when states are stored in `format` where they
  /// may be.
  public func stateBytesPerToken(in format: StorageFormat) -> Int {
    states.reduce(0) { $0 + ($1.extent == .fixed || !$1.axis.isOfText ? 0 : $1.rowBytes(wanted: format)) }
  }

  /// Bytes of the states of a sequence of `length` tokens, when they are stored in `format` where they may be; of other stacks
  /// it has as many rows as they are made for.
  public func stateBytes(length: Int, in format: StorageFormat) -> Int {
    states.reduce(0) { sum, state in
      let rows = state.axis.isOfText ? length : axes[state.axis.index].context ?? length
      return sum + state.rows(length: rows) * state.rowBytes(wanted: format)
    }
  }
}
