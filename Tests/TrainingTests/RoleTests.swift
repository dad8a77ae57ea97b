import Components
import Conformance
import Execution
import Kernels
import StandardComponents
import TestSupport
import Testing
import Training

/// What steps are for, in every model that the conformance kit tries: each component of a model with each of its examples,
/// flags and choices.
@Suite("roles of steps") struct RoleTests {
  /// The cases of components that stand in a model of one text: the only ones that are trained.
  static let cases = Standard.cases.filter {
    $0.component.slot.isOfModel && ![.crossAttention, .output].contains($0.component.slot)
      // An embedding of another stack's rows is no text's, and a head that compares two stacks not of one.
      && (![.embedding, .head].contains($0.component.slot) || $0.setting["from"] == nil)
  }

  private func model(_ sample: ConformanceCase, starting: String) throws -> TinyModel {
    var tree = try TinyModel.surroundings()
    let slot = sample.component.slot
    tree[path: slot.optionPath ?? slot.rawValue] = sample.setting
    tree["init"] = Setting(text: starting)
    return try TinyModel(tree, of: Standard.kit.registry)
  }

  /// Where the sums of a layer stand: in the layer itself, or where it has its sublayers twice in each of its parts.
  private func containers(of layer: Int, in plan: Plan) -> Set<[String]> {
    Set(plan.steps.lazy.filter { $0.scope.layer == layer && $0.role == .residualAdd }.map(\.scope.path))
  }

  /// The scopes of a layer's sublayers: the words of what stands in one, up to the first behind a container. What predicts and
  /// corrects several residual streams is none.
  private func sublayers(of layer: Int, in plan: Plan) -> Set<[String]> {
    let containers = containers(of: layer, in: plan)
    return Set(
      plan.steps.lazy.filter { $0.scope.layer == layer && $0.scope.path.first != "altup" }.compactMap { step in
        let path = step.scope.path
        let container = containers.filter { path.starts(with: $0) }.map(\.count).max() ?? 0
        return path.count > container ? Array(path.prefix(container + 1)) : nil
      })
  }

  /// With zeros in every matrix that starts smaller by depth, and in its bias, sublayers give nothing: so nothing else in
  /// them reaches the logits. A matrix that was missed would.
  @Test("every matrix that writes to the residual stream starts smaller by depth, and no other", arguments: cases)
  func depthScaled(sample: ConformanceCase) throws {
    let model = try model(sample, starting: "depth_scaled")
    let plain = try self.model(sample, starting: "normal").plan
    let plan = model.plan
    var writers: Set<Int> = []
    for step in plan.steps where step.role == .streamWriter { writers.formUnion(step.parameters) }
    // A vector that is added to the sum of several experts is the bias of all their last matrices.
    let shifts = Set(plan.steps.filter { $0.operation is LearnedShift }.flatMap(\.parameters))
    for (index, tensor) in plan.parameters.enumerated() {
      let isScaled = tensor.initialization != plain.parameters[index].initialization
      let canBe = plain.parameters[index].initialization == .normal(0.02)
      #expect(isScaled == (canBe && writers.contains(index)), "\(tensor.name)")
      if isScaled {
        // Two layers of two sublayers.
        #expect(tensor.initialization == .normal(0.01), "\(tensor.name)")
        #expect(tensor.name.layer != nil || sample.component.name == "cycles", "\(tensor.name)")
        #expect(tensor.shape.dropLast().last == plan.shape.hiddenSize, "\(tensor.name) \(tensor.shape)")
      }
    }
    for index in writers { model.parameters.mutable(index)?.update(repeating: 0) }
    let parts = plan.seesWholeTexts ? TinyModel.tokens.count : 4
    let before = try model.logits(TinyModel.tokens, parts: parts)
    var noise = Noise(seed: 3)
    for (index, tensor) in plan.parameters.enumerated() {
      guard let layer = tensor.name.layer, !writers.contains(index), !shifts.contains(index),
        sublayers(of: layer, in: plan).contains(where: { tensor.name.path.starts(with: $0) }),
        let numbers = model.parameters.mutable(index)
      else { continue }
      for i in numbers.indices { numbers[i] += noise.next() }
    }
    // An expert that computes nothing gives its input, whatever the matrices are.
    if sample.description.contains("zero_experts") { return }
    let after = try model.logits(TinyModel.tokens, parts: parts)
    #expect(zip(before, after).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($0)) })
  }

  @Test("dropout takes each sublayer's result once, and neither the residual stream nor a sum inside", arguments: cases)
  func dropout(sample: ConformanceCase) throws {
    let plan = try model(sample, starting: "normal").plan
    let dropped = plan.droppingOut(0.5, DropoutClock(seed: 1))
    let drops = dropped.steps.filter { $0.operation is Dropout }
    #expect(drops.count { $0.scope.layer == nil } == 1)
    for layer in 0..<plan.shape.layerCount {
      let own = drops.filter { $0.scope.layer == layer }
      #expect(own.count == sublayers(of: layer, in: plan).count)
      for drop in own {
        #expect(containers(of: layer, in: plan).contains(drop.scope.path))
        let writer = try #require(dropped.steps.first { $0.outputs.contains(drop.inputs[0]) })
        #expect(writer.role != .residualAdd && writer.role != .embedding, "\(writer.operation.name)")
      }
    }
    // What is not dropped is as it was.
    let others = dropped.steps.filter { !($0.operation is Dropout) }
    #expect(others.map(\.outputs) == plan.steps.map(\.outputs) && others.map(\.role) == plan.steps.map(\.role))
  }

  @Test("the residual stream begins with the embedding's last step and goes on from sum to sum")
  func stream() throws {
    let plan = try Here.models().describe("gpt2-nano").plan
    let embedded = plan.steps.prefix { $0.scope.layer == nil }
    #expect(
      embedded.allSatisfy { $0.role == .embedding } && plan.steps.count { $0.role == .embedding } == embedded.count)
    var stream = try #require(embedded.last?.outputs.first)
    let adds = plan.steps.filter { $0.role == .residualAdd }
    #expect(adds.count == 2 * plan.shape.layerCount)
    for add in adds {
      #expect(add.inputs[0] == stream && add.result == 1)
      stream = add.outputs[0]
    }
  }
}
