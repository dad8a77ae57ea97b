import Components
import Composition
import Execution
import Foundation
import Kernels
import Specification
import StandardComponents

/// A tiny model with random weights, in which nothing is left at its start.
public struct TinyModel {
  /// Its plan.
  public let plan: Plan
  /// Its weights.
  public let parameters: Parameters

  /// Some ids of the vocabulary.
  public static let tokens = [3, 1, 4, 1, 5, 9, 2, 6, 5, 12]

  /// 2 layers, 16 wide, 4 heads, 13 tokens, a context of 16.
  public static let base = """
    name: tiny
    vocab_size: 13
    context_length: 16
    hidden_size: 16
    layers: {count: 2}
    position: {type: none}
    norm: {type: layernorm}
    attention: {num_heads: 4, num_kv_heads: 2}
    mlp: {intermediate_size: 24, activation: gelu}
    """

  /// The model of `base` with `patches` such as `position=rope`.
  public init(_ patches: String...) throws { try self.init(patches: patches) }

  /// The model of `base` with `patches`.
  public init(patches: [String]) throws {
    var tree = try YAMLReader(source: "base").read(TinyModel.base)
    for patch in try Overrides(patches).patches { tree = tree.merging(patch) }
    try self.init(tree)
  }

  /// The model that `tree` describes.
  public init(_ tree: Setting) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tiny-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "tiny.yaml")
    try YAMLWriter().write(tree).write(to: file, atomically: true, encoding: .utf8)
    let architecture = try SpecificationLoader(catalog: Catalog(folders: [])).load(file.path)
    plan = try Composer(try Registry(standardComponents)).compose(architecture)
    parameters = try Parameters(plan, seed: 7)
    // A weight of one or a bias of zero would hide a missing term.
    var noise = Noise(seed: 11)
    for (index, tensor) in plan.parameters.enumerated() {
      guard let numbers = parameters.mutable(index) else { continue }
      let strength: Float = tensor.use == .vector ? 0.2 : 0.3
      for i in numbers.indices { numbers[i] += strength * noise.next() }
    }
  }

  /// The logits of all `tokens`, computed `parts` tokens at a time.
  public func logits(
    _ tokens: [Int], parts: Int, threads: Int = 1, maximumRows: Int = 16, states: StorageFormat = .f32
  ) throws -> [Float] {
    let executor = try PlanExecutor(
      plan, parameters, pool: ThreadPool(threads: threads), maximumRows: maximumRows, states: states)
    let sequence = try executor.openSequence(length: tokens.count)
    var logits: [Float] = []
    for start in stride(from: 0, to: tokens.count, by: parts) {
      let part = Array(tokens[start..<min(start + parts, tokens.count)])
      try executor.forward([(sequence, part)], logits: .all) { _, _, row in logits += row }
    }
    return logits
  }
}

/// Uniform numbers between −1 and 1, the same every time.
public struct Noise {
  private var state: UInt64

  /// Numbers that start from `seed`.
  public init(seed: UInt64) { state = seed }

  /// The next number.
  public mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 23) - 1
  }
}

/// The largest difference of two equally long lists of numbers; infinite when their lengths differ.
public func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
}
