import Formats
import Components
import Composition
import Execution
import Kernels
import Specification

/// A tiny model with random weights, in which nothing is left at its start.
public struct TinyModel {
  /// What it was composed of.
  public let architecture: Architecture
  /// Its plan.
  public let plan: Plan
  /// Its weights.
  public let parameters: Parameters

  /// Some ids of the vocabulary.
  public static let tokens = [3, 1, 4, 1, 5, 9, 2, 6, 5, 12]
  /// What a sequence is given beside its text `tokens`; nothing of a model with one stack. Another stack is given the same tokens,
  /// or as many rows of numbers that follow from them.
  public func beside(_ tokens: [Int]) -> [RowAxis: AxisInput] {
    let own = plan.axes[RowAxis.tokens.index].inputWidth == nil ? [] : [RowAxis.tokens]
    return Dictionary(
      uniqueKeysWithValues: (own + plan.otherAxes).map { axis in
        (axis, plan.axes[axis.index].inputWidth.map { .rows(Self.rows(of: tokens, width: $0)) } ?? .tokens(tokens))
      })
  }

  /// Rows of numbers for `tokens`.
  static func rows(of tokens: [Int], width: Int) -> [Float] {
    tokens.flatMap { token in
      var noise = Noise(seed: UInt64(token))
      return (0..<width).map { _ in noise.next() }
    }
  }

  /// 2 layers, 16 wide, 4 heads, 13 tokens, a context of 16.
  public static func surroundings() throws -> Setting {
    try YAMLReader(source: "surroundings").read(PackageResources.Surroundings_yaml)
  }

  /// The model that `tree` describes, made of the components of `registry`; throws every problem found.
  public init(_ tree: Setting, of registry: Registry) throws {
    architecture = try SpecificationLoader(catalog: Catalog(folders: []), for: Composer(registry))
      .load(tree, named: "tiny")
    plan = try Composer(registry).compose(architecture)
    parameters = try Parameters(plan, seed: 7)
    // A weight of one or a bias of zero would hide a missing term.
    var noise = Noise(seed: 11)
    for (index, tensor) in plan.parameters.enumerated() {
      guard let numbers = parameters.mutable(index) else { continue }
      let strength: Float = tensor.use == .vector ? 0.2 : 0.3
      for i in numbers.indices { numbers[i] += strength * noise.next() }
    }
  }

  /// The logits of all `tokens`, computed `parts` tokens at a time in a sequence that is opened for `room` of them, or for
  /// no more than there are. Other stacks are given what `source` says, or else `tokens`.
  public func logits(
    _ tokens: [Int], parts: Int, threads: Int = 1, maximumRows: Int = 16, states: StorageFormat = .f32,
    room: Int? = nil,
    source: [Int]? = nil
  ) throws -> [Float] {
    let others = beside(source ?? tokens)
    let executor = try PlanExecutor(
      plan, parameters, pool: ThreadPool(threads: threads), maximumRows: maximumRows, states: states, fusing: true,
      computeType: .stored)
    let sequence = try executor.openSequence(length: room ?? tokens.count)
    var logits: [Float] = []
    for start in stride(from: 0, to: tokens.count, by: parts) {
      let part = Array(tokens[start..<min(start + parts, tokens.count)])
      var given = others
      if given[.tokens] != nil { given[.tokens] = beside(part)[.tokens] }
      try executor.forward([(sequence, part)], beside: given.isEmpty ? [] : [given], logits: .all) { _, _, row in
        logits += row
      }
    }
    return logits
  }
}
