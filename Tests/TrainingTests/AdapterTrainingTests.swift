import Components
import Conformance
import Execution
import Files
import Foundation
import Kernels
import StandardComponents
import TestSupport
import Testing

import Training

/// Factors beside a plan's matrices: what they compute, what is learned, and that everything else stays as it is.
@Suite struct AdapterTrainingTests {
  private static func settings(_ text: String) throws -> AdapterSettings { try #require(AdapterSettings(text)) }

  private static let ids = [3, 1, 4, 1, 5, 9, 2, 6]

  private static func loss(_ plan: Plan, _ parameters: Parameters) throws -> Double {
    let executor = try GradientExecutor(
      plan, parameters, pool: ThreadPool(threads: 1), rows: 8, options: TrainingOptions(precision: .f32))
    return try executor.loss([Self.ids], targets: [Array(Self.ids.dropFirst()) + [0]])
  }

  @Test("an adapter that has learned nothing changes nothing", arguments: ["rank=2", "rank=2,rslora", "rank=2,dora"])
  func start(_ text: String) throws {
    let model = try TinyModel("position=rope")
    let plan = try model.plan.adapted(by: Self.settings(text))
    #expect(plan.verify().isEmpty)
    let plain = try Parameters(model.plan, seed: 5)
    let adapted = try Parameters(plan, seed: 5)
    adapted.startLengths(of: plan)
    // Lengths that are divided by and multiplied with round twice.
    #expect(abs(try Self.loss(plan, adapted) - Self.loss(model.plan, plain)) < 1e-6)
  }

  @Test(
    "the gradients of factors, lengths and nothing else are those of finite differences",
    arguments: ["rank=2,alpha=3", "rank=2,dora"])
  func gradients(_ text: String) throws {
    let model = try TinyModel("position=rope")
    let plan = try model.plan.adapted(by: Self.settings(text))
    let parameters = try Parameters(plan, seed: 5)
    parameters.startLengths(of: plan)
    var noise = Noise(seed: 3)
    for (index, tensor) in plan.parameters.enumerated() where tensor.name.text.contains("lora_B") {
      for i in 0..<tensor.count { parameters.mutable(index)?[i] = 0.3 * noise.next() }
    }
    let executor = try GradientExecutor(
      plan, parameters, pool: ThreadPool(threads: 1), rows: 8, options: TrainingOptions(precision: .f32))
    _ = try executor.trainingLoss([Self.ids], targets: [Array(Self.ids.dropFirst()) + [0]])
    var checked = 0
    for (index, tensor) in plan.parameters.enumerated() {
      #expect(tensor.isFrozen != tensor.name.text.contains("lora_"))
      if tensor.isFrozen { #expect(executor.layout.ranges[index].isEmpty) }
      // The length that rows are divided by counts as a constant, so of DoRA only its own lengths follow differences.
      guard !tensor.isFrozen, text.contains("dora") == tensor.name.text.contains("magnitude") else { continue }
      let gradient = executor.gradient(index)[0]
      let step: Float = 1e-2
      let numbers = try #require(parameters.mutable(index))
      let old = numbers[0]
      numbers[0] = old + step
      let above = try Self.loss(plan, parameters)
      numbers[0] = old - step
      let below = try Self.loss(plan, parameters)
      numbers[0] = old
      let difference = (above - below) / Double(2 * step)
      // Losses in f32 over a step of 1e-2: some 1e-5 of rounding, and the third derivative.
      #expect(abs(Double(gradient) - difference) < 2e-4 + 0.02 * abs(difference), "\(tensor.name)")
      checked += 1
    }
    #expect(checked > 6)
  }

  @Test("targets choose matrices, and a name that none has is told with those that there are")
  func targets() throws {
    let model = try TinyModel("position=rope")
    let all = try model.plan.adapted(by: Self.settings("rank=2"))
    let some = try model.plan.adapted(by: Self.settings("rank=2,target=attn.v"))
    let count = { (plan: Plan) in plan.parameters.count { $0.name.text.hasSuffix("lora_A.weight") } }
    #expect(count(some) > 0 && count(some) < count(all))
    #expect(all.parameters.allSatisfy { !$0.name.text.contains("lora_") || $0.name.layer != nil })
    let problem = #expect(throws: TrainingProblem.self) {
      try model.plan.adapted(by: Self.settings("rank=2,target=attn.w"))
    }
    #expect(
      problem?.description.contains(
        "no matrix of the model is called 'attn.w'; --lora target= takes names such as attn.q") == true)
  }

  @Test(
    "what --lora takes is read, and anything else is not",
    arguments: [
      ("rank=16", true), ("rank=16,alpha=32,rslora,dora,target=attn.q+mlp.up,dropout=0.1", true),
      ("rank=16,target=all-linear", true), ("rank=0", false), ("", false), ("alpha=3", false), ("rank=4,beta=1", false),
      ("rank=4,dropout=1", false), ("rank=4,rank=5", false), ("rank=4,", false), ("rank=4,alpha=nan", false),
    ])
  func options(_ text: String, _ isRead: Bool) {
    #expect((AdapterSettings(text) != nil) == isRead)
    guard let settings = AdapterSettings(text) else { return }
    #expect(AdapterSettings(settings.json) == settings)
  }

  @Test("a run with an adapter that is stopped anywhere goes on to the same bits, and only the adapter is saved")
  func resumed() throws {
    let folder = NSTemporaryDirectory() + "chimera-adapters-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let model = try TinyModel("position=rope")
    var settings = TrainingSettings(try Registry(standardComponents), inStudy: false)
    (settings.steps, settings.batch, settings.context, settings.warmup, settings.threads) = (6, 2, 8, 0, 1)
    (settings.saveEvery, settings.validateEvery, settings.dropout) = (2, 0, 0.1)
    settings.lora = try Self.settings("rank=2,dora,dropout=0.2")
    let cycle: [UInt8] = [3, 1, 4, 1, 5, 9, 2]
    try Data((0..<600).flatMap { [cycle[$0 % 7], 0] }).write(to: URL(fileURLWithPath: folder + "/tokens.bin"))
    let text = TokenText([try TokenShard.rawTokens(MappedFile(path: folder + "/tokens.bin"))])
    let plan = try model.plan.adapted(by: try #require(settings.lora))
    func run(_ name: String, stopAfter: Int?) throws -> [[Float]] {
      let parameters = try Parameters(plan, seed: 5)
      parameters.startLengths(of: plan)
      let trainer = try Trainer(
        model.plan, parameters, settings, training: text, validation: nil, pool: ThreadPool(threads: 1))
      let description = RunDescription(
        model: "name: tiny\n", settings: settings, data: JSONObject(), dataFingerprint: "x")
      let export = CheckpointExport(names: ["made.txt"]) { _, path in
        try writeAtomically("made", to: path + "/made.txt")
      }
      let run = try TrainingRun(trainer, description, in: RunFolder(folder + "/" + name), files: [], export: export)
      _ = try run.run(shouldStop: { trainer.step == stopAfter }) { _ in }
      run.close()
      return plan.parameters.indices.map { trainer.parameters.values($0) }
    }
    let whole = try run("whole", stopAfter: nil)
    _ = try run("parts", stopAfter: 3)
    #expect(try run("parts", stopAfter: nil) == whole)
    #expect(FileManager.default.fileExists(atPath: folder + "/parts/made.txt"))
    #expect(!FileManager.default.fileExists(atPath: folder + "/parts/model.safetensors"))
    let fresh = try Parameters(plan, seed: 5)
    for (index, tensor) in plan.parameters.enumerated() where tensor.isFrozen {
      #expect(whole[index] == fresh.values(index))
    }
    #expect(zip(plan.parameters, whole.indices).contains { !$0.isFrozen && whole[$1] != fresh.values($1) })
  }
}
