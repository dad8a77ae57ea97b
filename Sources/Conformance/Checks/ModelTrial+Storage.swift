import Checkpoints
import Components
import Composition
import Essentials
import Execution
import Kernels
import Specification

extension ModelTrial {
  /// The model written as a spec and as weights, and read again, has the same plan and gives the same bits.
  func saving() throws -> [String] {
    let text = YAMLWriter().write(model.architecture.resolved)
    let tree = try YAMLReader(source: "saved").read(text)
    let back = try SpecificationLoader(catalog: Catalog(folders: []), for: Composer(registry))
      .load(tree, named: "tiny")
    let plan = try Composer(registry).compose(back)
    if let lost = model.plan.difference(from: plan) {
      return ["written as a spec and read again it is another model: '\(lost.own)' becomes '\(lost.other)'"]
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "conformance-\(UUID().uuidString).safetensors")
      .path
    defer { try? FileManager.default.removeItem(atPath: file) }
    let tensors = model.plan.parameters.indices.flatMap { index in
      let numbers = model.parameters.values(index)
      let planned = model.plan.parameters[index]
      let count = numbers.count / planned.members.count
      return planned.members.enumerated().map { member, tensor in
        StoredTensor(
          name: tensor.name.text, shape: tensor.shape, numbers: Array(numbers[member * count..<(member + 1) * count]))
      }
    }
    try SafetensorsFile.write(tensors, to: file)
    let saved = try SafetensorsFile(path: file)
    let stored = saved.tensors.map { entry in
      StoredTensor(
        name: entry.name, shape: entry.shape, format: entry.format ?? .f32, bytes: entry.bytes, owner: entry.file)
    }
    let parameters = try Parameters(plan, stored: Dictionary(stored.map { ($0.name, $0) }) { first, _ in first })
    let walk = PlanWalk(plan, parameters)
    let original = try PlanWalk(model)
    let culprit = original.firstDifference(
      original.run([TinyModel.tokens]), walk.run([TinyModel.tokens]), rows: 0..<TinyModel.tokens.count)
    return culprit.map { ["saved and read again it gives other numbers; \($0)"] } ?? []
  }

  /// Operators write where they say that they write, read what they say that they read, and add to gradients; values that
  /// share memory by what operators declare stay right; a sequence takes the bytes that the plan tells.
  func memory() throws -> [String] {
    let walk = try PlanWalk(model)
    let result = walk.run(Self.batch)
    // Rows that are made of several others come in one pass.
    let isJoined = model.plan.axes.contains { if case .derived = $0.kind { true } else { false } }
    var sentences = result.faults + walk.run(TinyModel.tokens, parts: isJoined ? TinyModel.tokens.count : 3).faults
    sentences += walk.backwardFaults(result, Self.batch)
    if !sentences.isEmpty { return Array(sentences.prefix(3)) }
    let plain = walk.run([TinyModel.tokens]).values[model.plan.logits.index]
    let shared = try model.logits(TinyModel.tokens, parts: TinyModel.tokens.count)
    if largestDifference(plain, shared) >= Self.rounding {
      return [
        "its numbers change when values share memory and steps are joined: an operator says too much of what may overwrite what"
      ]
    }
    let grows = model.plan.states.allSatisfy { if case .window = $0.extent { false } else { true } }
    let executor = try PlanExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 1), maximumRows: 16, states: .f32, fusing: true,
      computeType: .stored)
    let taken = try executor.openSequence(length: 10).byteCount
    let declared = model.plan.stateBytes(length: 10, in: .f32)
    return grows && taken != declared
      ? ["a sequence of 10 tokens takes \(taken) bytes, and the plan declares \(declared)"] : []
  }

  /// The result of each step that has an exact form is near it: 1e-5 of the number and of 1.
  func reference() throws -> [String] {
    let walk = try PlanWalk(model)
    return walk.exactFaults(walk.run(Self.batch))
  }
}
