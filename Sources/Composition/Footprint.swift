import Components

/// What a plan costs: numbers learned, operations and bytes a token, by the part of the model they belong to.
public struct Footprint: Sendable {
  /// A part of a model, under the name that its tensors have.
  public struct Part: Sendable, Hashable {
    /// `embed.tokens`, `attn`, `mlp`, `norms`, `head`; `other` are sums, and what all layers share.
    public let name: String
    /// Numbers learned.
    public internal(set) var parameterCount = 0
    /// Floating-point operations for the first token of a sequence.
    public internal(set) var flopsAtStart = 0
    /// Floating-point operations for a token at the end of `Footprint.context` tokens.
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
    var parts: [String: Part] = [:]
    var order: [String] = []
    func part(_ name: String) -> String {
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
      let name = part(Self.part(of: step, in: plan))
      parts[name]?.flopsAtStart += step.operation.flops(step: step, context: 1)
      parts[name]?.flopsAtContext += step.operation.flops(step: step, context: self.context)
    }
    let ranked = order.enumerated().sorted { (Self.rank($0.element), $0.offset) < (Self.rank($1.element), $1.offset) }
    self.parts = ranked.compactMap { parts[$0.element] }.filter { $0.parameterCount + $0.flopsAtContext > 0 }
  }

  /// How many numbers are learned.
  public var parameterCount: Int { parts.reduce(0) { $0 + $1.parameterCount } }
  /// Floating-point operations for the first token of a sequence.
  public var flopsAtStart: Int { parts.reduce(0) { $0 + $1.flopsAtStart } }
  /// Floating-point operations for a token at the end of `context` tokens.
  public var flopsAtContext: Int { parts.reduce(0) { $0 + $1.flopsAtContext } }

  /// Bytes that one more token of a sequence keeps while no window is full, when states are kept in `format`.
  public func stateBytesPerToken(in format: PlannedState.Format) -> Int { plan.stateBytesPerToken(in: format) }

  /// Bytes that a sequence of `context` tokens keeps, when states are kept in `format`.
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
  public static func part(ofTensor name: String) -> String {
    let words = name.split(separator: ".").map(String.init)
    if words.contains(where: { $0 == Slot.norm.rawValue || $0.hasSuffix("_\(Slot.norm.rawValue)") }) { return "norms" }
    if words.first == "layers" { return words.count > 3 ? words[2] : "other" }
    return words.first == "embed" && words.count > 2 ? "embed.\(words[1])" : words.first ?? name
  }

  private static func part(of step: Step, in plan: Plan) -> String {
    let tensor = step.parameters.first.map { part(ofTensor: plan.parameters[$0].name) }
    if tensor == "norms" { return "norms" }
    if step.layerIndex != nil {
      return step.localScope.split(separator: ".").first.map(String.init) ?? "other"
    }
    // A tied head computes with the embedding's tensor, but in its own scope.
    if step.scope.isEmpty || step.scope == "embed" { return tensor ?? "other" }
    return step.scope.split(separator: ".").first.map(String.init) ?? step.scope
  }

  private static func rank(_ name: String) -> Int {
    if name.hasPrefix("embed") { return 0 }
    return ["norms": 2, "other": 3, "head": 4][name] ?? 1
  }
}
