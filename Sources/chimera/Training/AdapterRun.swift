import Checkpoints
import Components
import Execution
import Files
import Models
import Training

/// A run that trains an adapter: the model that it changes, with its weights.
struct AdapterRun {
  private let models: ModelLoader
  private let described: ModelDescription
  private let settings: AdapterSettings
  private let base: String
  private let weights: [String: StoredTensor]
  /// The model's plan with the adapter in it.
  let plan: Plan

  /// An adapter of the model that `reference` means, `described`. Throws when that has no weights here.
  init(_ described: ModelDescription, _ reference: String, _ settings: AdapterSettings, _ models: ModelLoader) throws {
    if described.adapter != nil {
      throw Failure(
        .usage, "\(reference) is an adapter: save the model that it makes with 'chimera save', and train one of that")
    }
    (self.models, self.described, self.settings) = (models, described, settings)
    plan = try described.plan.adapted(by: settings)
    weights = try models.weights(of: described)
    let isHere = kind(ofPath: reference) != .nothing
    base = isHere ? TrainingRequest.absolute(reference) : described.architecture.facts.weights ?? reference
  }

  /// What PEFT makes of the adapter that is not what is trained: in a model with experts it takes the names of their
  /// matrices for theirs wherever they stand (`_convert_peft_config_moe` of 0.21), and adapts no other of that name.
  var warning: String? {
    let factors = plan.parameters.map(\.name).filter { $0.text.hasSuffix(Self.a) }
    guard described.plan.parameters.contains(where: { $0.members.count > 1 }),
      let first = factors.first(where: { ["mlp", "moe"].contains($0.path.first) })
    else { return nil }
    return
      "PEFT leaves out factors beside experts, such as those of '\(first.text.dropLast(Self.a.count))', without a word; "
      + "run and save --adapter take them, and a target= of attention's matrices alone is read alike by both"
  }

  /// What the model's weights are, in a hash of their names, shapes and beginnings.
  var fingerprint: String {
    var hash = SHA256()
    for name in weights.keys.sorted() {
      guard let tensor = weights[name] else { continue }
      hash.update("\(name) \(tensor.shape) \(tensor.format)\n")
      withExtendedLifetime(tensor.owner) {
        hash.update(UnsafeRawBufferPointer(rebasing: tensor.bytes.prefix(1 << 12)))
        hash.update(UnsafeRawBufferPointer(rebasing: tensor.bytes.suffix(1 << 12)))
      }
    }
    return hash.hexadecimal()
  }

  /// The model's weights, and the adapter as it starts.
  func parameters(seed: UInt64) throws -> Parameters {
    let parameters = try Parameters(plan, frozen: weights, seed: seed)
    parameters.startLengths(of: plan)
    return parameters
  }

  /// The files of each checkpoint that make it an adapter for others.
  var export: CheckpointExport {
    CheckpointExport(names: AdapterFolder.files) { trainer, folder in
      let stored = Dictionary(trainer.storedParameters.map { ($0.name, $0) }) { first, _ in first }
      let factors = stored.keys.sorted().compactMap { name -> AdapterFolder.Factors? in
        guard name.hasSuffix(Self.a), let a = stored[name] else { return nil }
        let owner = String(name.dropLast(Self.a.count))
        guard let b = stored[owner + ".lora_B.weight"] else { return nil }
        return AdapterFolder.Factors(
          owner: TensorName(owner), a: a, b: b, lengths: stored[owner + ".lora_magnitude_vector.weight"])
      }
      let adapter = AdapterFolder(
        base: base, rank: settings.rank, scale: settings.scale, dividesByRoot: settings.dividesByRoot,
        dropout: settings.dropout, factors: factors)
      try models.writeAdapter(adapter, of: described, to: folder, lengths: lengths)
    }
  }

  private static let a = ".lora_A.weight"

  /// The lengths of the rows of a matrix of the model's.
  private func lengths(_ name: String) throws -> [Float] {
    guard let tensor = weights[name], tensor.shape.count == 2 else {
      throw Failure(.failed, "there is no matrix '\(name)'")
    }
    let wide = try tensor.stored(as: .f32)
    let columns = tensor.shape[1]
    return withExtendedLifetime(wide.owner) {
      (0..<tensor.shape[0]).map { row in
        var squares = 0.0
        for column in 0..<columns {
          let value = Double(
            wide.bytes.loadUnaligned(fromByteOffset: 4 * (row * columns + column), as: Float.self))
          squares += value * value
        }
        return Float(squares.squareRoot())
      }
    }
  }
}
