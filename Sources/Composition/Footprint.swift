import Components

/// What a plan costs: numbers learned, operations and bytes a token, by the part of the model they belong to.
public struct Footprint: Sendable {
  /// What a part is called: `embed.tokens`, `attn`, `mlp`, `norms`, `head`; `other` are sums, and what all layers share. Those of
  /// another stack have its name before that.
  public struct PartName: Sendable, Hashable, CustomStringConvertible {
    /// The word by which it belongs to a slot or a kind: `embed`.
    public let scope: String
    /// The word that tells it from others of its scope: `tokens`.
    public let detail: String?
    /// The stack; nil for the text's.
    public internal(set) var stack: String?

    /// Norms, wherever they stand.
    static let norms = PartName("norms")
    /// What belongs to no part.
    static let other = PartName("other")

    init(_ scope: String, _ detail: String? = nil) {
      self.scope = scope
      self.detail = detail
    }

    /// The whole name.
    public var description: String { [stack, scope, detail].compactMap(\.self).joined(separator: ".") }

    func of(_ stack: String?) -> PartName {
      var name = self
      name.stack = stack
      return name
    }
  }

  /// A part of a model, under the name that its tensors have.
  public struct Part: Sendable, Hashable {
    /// What it is called.
    public let name: PartName
    /// Numbers learned.
    public internal(set) var parameterCount = 0
    /// Floating-point operations for the first token of a sequence; of another stack, for one of its rows.
    public internal(set) var flopsAtStart = 0
    /// Floating-point operations for a token at the end of `Footprint.context` tokens; of another stack, for one of its rows.
    public internal(set) var flopsAtContext = 0
  }

  /// The length of the sequence that `flopsAtContext` and `stateBytes` are for, in tokens.
  public let context: Int
  /// The parts that learn or compute anything, in the order of the plan.
  public let parts: [Part]
  private let plan: Plan

  /// What `plan` costs with sequences of `context` tokens; the length the model is made for when nil.
  public init(_ plan: Plan, context: Int? = nil) {
    self.plan = plan
    self.context = context ?? min(plan.shape.contextLength, plan.longestSequence ?? Int.max)
    var parts: [PartName: Part] = [:]
    var order: [PartName] = []
    func part(_ name: PartName) -> PartName {
      if parts[name] == nil {
        parts[name] = Part(name: name)
        order.append(name)
      }
      return name
    }
    for tensor in plan.parameters {
      parts[part(Self.part(ofTensor: tensor.name))]?.parameterCount += tensor.count
    }
    for step in plan.steps {
      // What the text's layers compute for each row of another stack is done once, with that stack.
      let stack = step.scope.stack ?? (step.axis.isOfText ? nil : plan.axes[step.axis.index].name)
      let name = part(Self.part(of: step, in: plan).of(stack))
      parts[name]?.flopsAtStart += plan.flops(of: step, context: 1)
      parts[name]?.flopsAtContext += plan.flops(of: step, context: self.context)
    }
    let stacks = plan.stacks.map(\.name)
    func rank(_ name: PartName) -> Int {
      name.stack.map { (stacks.firstIndex(of: $0) ?? 0) * 10 } ?? stacks.count * 10
    }
    let ranked = order.enumerated().sorted {
      (rank($0.element) + Self.rank($0.element), $0.offset) < (rank($1.element) + Self.rank($1.element), $1.offset)
    }
    self.parts = ranked.compactMap { parts[$0.element] }.filter { $0.parameterCount + $0.flopsAtContext > 0 }
  }

  /// How many numbers are learned.
  public var parameterCount: Int { parts.reduce(0) { $0 + $1.parameterCount } }
  /// Floating-point operations for the first token of a sequence.
  public var flopsAtStart: Int { parts.reduce(0) { $1.name.stack == nil ? $0 + $1.flopsAtStart : $0 } }
  /// Floating-point operations for a token at the end of `context` tokens.
  public var flopsAtContext: Int { parts.reduce(0) { $1.name.stack == nil ? $0 + $1.flopsAtContext : $0 } }
  /// For each stack beside the text's, operations for one of its rows among as many as it is made for, those included that the
  /// text's layers do for it once.
  public var flopsOfStacks: [(name: String, rows: Int, flops: Int)] {
    plan.otherAxes.map { axis in
      let name = plan.axes[axis.index].name
      // Stacks that go on with its rows are computed for each row too.
      let names = Set(plan.stacks.lazy.filter { plan.axes[$0.axis.index].name == name }.map(\.name) + [name])
      return (
        name, plan.longestInput(on: axis),
        parts.reduce(0) { $1.name.stack.map(names.contains) ?? false ? $0 + $1.flopsAtContext : $0 }
      )
    }
  }

  /// Bytes that one more token of a sequence adds to its states while no window is full, when they are stored in `format`.
  public func stateBytesPerToken(in format: PlannedState.Format) -> Int { plan.stateBytesPerToken(in: format) }

  /// Bytes of the states of a sequence of `context` tokens, when they are stored in `format`.
  public func stateBytes(in format: PlannedState.Format) -> Int { plan.stateBytes(length: context, in: format) }

  /// Bytes of the learned tensors when matrices are stored in blocks of `elements` numbers and `bytes` bytes.
  ///
  /// Vectors stay in 4 bytes a number unless a number has its own bytes, and rows that do not divide into blocks in 2.
  public func weightBytes(elementsPerBlock elements: Int, bytesPerBlock bytes: Int) -> Int {
    plan.parameters.reduce(0) { sum, tensor in
      let size: Int
      if elements == 1 {
        size = tensor.count * bytes
      } else if tensor.use == .vector {
        size = tensor.count * 4
      } else {
        size = (tensor.shape.last ?? 1) % elements == 0 ? tensor.count / elements * bytes : tensor.count * 2
      }
      return sum + size
    }
  }

  /// The part that the tensor `name` belongs to. Norms of all places are one part, wherever they stand.
  public static func part(ofTensor name: TensorName) -> PartName {
    let norm = Slot.norm.rawValue
    if name.path.contains(where: { $0 == norm || $0.hasSuffix("_\(norm)") }) { return .norms.of(name.stack) }
    guard let first = name.path.first, name.layer == nil || name.path.count > 1 else { return .other.of(name.stack) }
    if name.layer == nil, Slot(scope: first) == .embedding, name.path.count > 2 {
      return PartName(first, name.path[1]).of(name.stack)
    }
    return PartName(first).of(name.stack)
  }

  private static func part(of step: Step, in plan: Plan) -> PartName {
    let tensor = step.parameters.first.map { part(ofTensor: plan.parameters[$0].name) }
    if tensor?.of(nil) == .norms { return .norms }
    guard let first = step.scope.path.first else { return step.scope.layer == nil ? tensor ?? .other : .other }
    // A tied head computes with the embedding's tensor, but in its own scope.
    if step.scope.layer == nil, Slot(scope: first) == .embedding { return tensor ?? .other }
    return PartName(first)
  }

  private static func rank(_ name: PartName) -> Int {
    switch Slot(scope: name.scope) {
    case .embedding: 0
    case .head: 4
    default: name == .norms ? 2 : name == .other ? 3 : 1
    }
  }
}

extension Plan {
  /// The stacks beside the text's, in the order in which they are written, and the axis of each one's rows.
  public var stacks: [(name: String, axis: RowAxis)] {
    var found: [(name: String, axis: RowAxis)] = []
    for step in steps {
      guard let name = step.scope.stack, !found.contains(where: { $0.name == name }) else { continue }
      found.append((name, step.axis))
    }
    return found
  }
}
