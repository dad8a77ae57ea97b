import Components
import Specification

/// The components of an architecture, made: what each of them read, and what they write together.
public struct Assembly: Sendable {
  /// What was composed.
  public let architecture: Architecture
  /// The components with the options that take effect.
  public let choices: ArchitectureChoices

  private let text: StackAssembly
  private let head: any Head
  private let others: [Other]

  /// A stack beside the text's.
  struct Other: Sendable {
    let assembly: StackAssembly
    let output: any Output
  }

  /// The components of `architecture`: those of the text's stack, which ends in `head`, and of `others`, in order.
  init(architecture: Architecture, text: StackAssembly, head: any Head, others: [Other]) {
    self.architecture = architecture
    self.text = text
    self.head = head
    self.others = others
    choices = text.choices(
      stacks: others.map {
        ArchitectureChoices.StackChoices(
          name: $0.assembly.stack.name, shape: $0.assembly.stack.shape, choices: $0.assembly.choices())
      })
  }

  /// The plan; throws what components find wrong as they write.
  public func plan() throws(Problems) -> Plan { try plan { Array($0.stack.layerKinds.indices) } }

  /// The plan with each distinct layer once: enough to draw and to count it.
  public func sketch() throws(Problems) -> Plan { try plan(\.firstOfKinds) }

  /// How many numbers are learned, given its `sketch`.
  public func parameterCount(sketch plan: Plan) throws(Problems) -> Int {
    var copies: [TensorName: Int] = [:]
    for assembly in [text] + others.map(\.assembly) {
      let stack = assembly.stack
      let name = assembly.stack.name == text.stack.name ? nil : stack.name
      for first in assembly.firstOfKinds {
        copies[TensorName(stack: name, layer: first)] = assembly.copies(of: first)
      }
    }
    var total = 0
    for tensor in plan.parameters {
      let place = TensorName(stack: tensor.name.stack, layer: tensor.name.layer)
      let (product, isLarge) = tensor.count.multipliedReportingOverflow(by: copies[place] ?? 1)
      let (sum, isTooLarge) = total.addingReportingOverflow(product)
      if isLarge || isTooLarge {
        throw Problems([Problem("the model is too large to count", at: architecture.resolved["hidden_size"]?.place)])
      }
      total = sum
    }
    return total
  }

  /// The plan with only the `layers` of each stack.
  private func plan(_ layers: (StackAssembly) -> [Int]) throws(Problems) -> Plan {
    var plan = PlanBuilder(
      shape: architecture.shape, inputWidth: text.embedding.inputWidth, patches: text.embedding.patches)
    var given: [StackStates] = []
    for other in others {
      let stack = other.assembly.stack
      let source = other.assembly.embedding.source
      let axis =
        given.first { $0.name == source }?.states.axis
        ?? plan.axis(
          stack.name, inputWidth: other.assembly.embedding.inputWidth, vocabSize: stack.shape.vocabSize,
          context: stack.shape.contextLength, patches: other.assembly.embedding.patches)
      let states = plan.stack(stack.name, shape: stack.shape, rows: axis) { plan in
        writing(other.assembly, layers(other.assembly), logitFactor: 1, into: &plan) { plan in
          let (hidden, normIsDue) = other.assembly.write(layers(other.assembly), reading: given, into: &plan)
          return other.output.write(hidden, norm: other.assembly.norm, normIsDue: normIsDue, into: &plan)
        }
      }
      given.append(StackStates(name: stack.name, states: states))
    }
    let logits = writing(text, layers(text), logitFactor: text.initialization?.logitFactor ?? 1, into: &plan) { plan in
      let (hidden, normIsDue) = text.write(layers(text), reading: given, into: &plan)
      return head.write(
        hidden[hidden.count - 1], norm: text.norm, normIsDue: normIsDue, reading: given, into: &plan)
    }
    if plan.noted.isEmpty {
      for (stack, other) in zip(given, others) where !plan.isRead(stack.states) {
        plan.fail(
          "nothing reads the stack '\(stack.name)'", at: other.assembly.stack.place,
          hint:
            "give the layers of the text a \(Slot.crossAttention.rawValue), or its embedding 'replace', or a head that compares both, or leave the stack out"
        )
      }
    }
    let finished: Plan
    do {
      finished = try plan.finish(name: architecture.name, logits: logits)
    } catch {
      // What no single setting is to blame for is told at the model's width.
      let place = architecture.resolved["hidden_size"]?.place
      throw Problems(error.list.map { Problem($0.sentence, at: $0.place ?? place, hint: $0.hint) })
    }
    guard architecture.initialization != nil else { return finished }
    func initialization(of tensor: PlannedTensor) -> (any Initialization)? {
      let stack = others.first { $0.assembly.stack.name == tensor.name.stack }?.assembly ?? text
      return stack.initialization
    }
    return finished.starting { tensor, part in
      guard case .normal = tensor.initialization else { return tensor.initialization }
      return initialization(of: tensor)?.start(of: tensor, as: part) ?? tensor.initialization
    } moving: { tensor, part in
      initialization(of: tensor)?.update(of: tensor, as: part) ?? .plain
    }
  }

  /// What `body` writes of `stack`, which multiplies as its initialization says; a problem where nobody does.
  private func writing(
    _ stack: StackAssembly, _ layers: [Int], logitFactor: Double, into plan: inout PlanBuilder,
    _ body: (inout PlanBuilder) -> Value
  ) -> Value {
    guard let initialization = stack.initialization else { return body(&plan) }
    plan.multiply(logits: logitFactor, residual: initialization.residualFactor)
    let value = body(&plan)
    if let left = plan.factorsLeft.first, !layers.isEmpty {
      plan.fail(
        "the model cannot be of the parametrization '\(type(of: initialization).name)': \(left)",
        at: architecture.initialization?.place)
    }
    return value
  }
}
