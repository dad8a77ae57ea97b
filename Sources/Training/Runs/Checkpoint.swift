import Checkpoints
import Components
import Files
import Kernels

/// A saved state of a run: a folder that appears whole, by a rename, when all of it is on the disk.
package struct Checkpoint {
  /// Its folder.
  let path: String
  /// The step it was saved after.
  package let step: Int

  static let model = "model.safetensors"
  static let optimizer = "optimizer.safetensors"
  private static let manifest = SavedHashes.manifest

  private static func name(_ step: Int) -> String {
    let digits = String(step)
    return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  /// The checkpoints in `folder`, newest first, as their names have them; nothing is read.
  package static func all(in folder: RunFolder) throws -> [Checkpoint] {
    guard kind(ofPath: folder.checkpoints) == .folder else { return [] }
    return try namesInFolder(folder.checkpoints).compactMap { name in
      guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), name == Self.name(step) else { return nil }
      return Checkpoint(path: folder.checkpoints + "/" + name, step: step)
    }.sorted { $0.step > $1.step }
  }

  /// Saves the state of `trainer`, and `export` of it; `links` are files of the run's folder that the checkpoint's folder
  /// shows too.
  static func save(
    _ trainer: Trainer, run fingerprint: String, links: [String], export: CheckpointExport?, in folder: RunFolder
  ) throws -> Checkpoint {
    try makeFolder(folder.checkpoints)
    let checkpoint = Checkpoint(path: folder.checkpoints + "/" + name(trainer.step), step: trainer.step)
    let temporary = folder.checkpoints + "/.\(name(trainer.step)).tmp"
    try removeFolder(temporary)
    do {
      try makeFolder(temporary)
      try SafetensorsFile.write(trainer.storedParameters, to: temporary + "/" + model)
      try SafetensorsFile.write(trainer.storedMoments, to: temporary + "/" + optimizer)
      try export?.write(trainer, temporary)
      for name in links { try placeLink(at: temporary + "/" + name, to: "../../" + name) }
      var json = JSONObject()
      json["format"] = 1
      json["step"] = .integer(trainer.step)
      json["run"] = .string(fingerprint)
      for (key, value) in try SavedHashes.members([model, optimizer] + links + (export?.names ?? []), in: temporary) {
        json[key] = value
      }
      try writeAtomically(JSONValue.object(json).serialized(pretty: true) + "\n", to: temporary + "/" + manifest)
      synchronizeFolder(temporary)
      try removeFolder(checkpoint.path)  // one that was found damaged
      try renameItem(temporary, to: checkpoint.path)
    } catch {
      try? removeFolder(temporary)
      throw error
    }
    synchronizeFolder(folder.checkpoints)
    return checkpoint
  }

  /// Removes all but the newest `count` of the checkpoints in `folder` up to `step`, and those of the steps `kept`; newer ones are damaged, and replaced
  /// when the run comes to them. Each gets a temporary name before, so that half of one is never taken for a checkpoint.
  static func removeOld(in folder: RunFolder, upTo step: Int, keeping count: Int, and kept: Set<Int>) throws {
    for old in try all(in: folder).filter({ $0.step <= step }).dropFirst(max(1, count)) where !kept.contains(old.step) {
      let temporary = folder.checkpoints + "/.\(name(old.step)).removed.tmp"
      try removeFolder(temporary)
      try renameItem(old.path, to: temporary)
      try removeFolder(temporary)
    }
  }

  /// Puts the saved state into `trainer`; throws when anything about it is not what was saved.
  func load(into trainer: Trainer, run fingerprint: String) throws {
    let json = try JSONValue(contentsOf: path + "/" + Self.manifest, limit: 1 << 20)
    guard json["format"]?.integer == 1, json["step"]?.integer == step, json["run"]?.string == fingerprint else {
      throw FileProblem(path: path + "/" + Self.manifest, sentence: "it does not belong to this run and step")
    }
    for name in [Self.model, Self.optimizer] {
      guard json["sha256"]?[name]?.string == (try SHA256.hexadecimal(ofFile: path + "/" + name)) else {
        throw FileProblem(
          path: path + "/" + name, sentence: "the file is damaged: its SHA-256 is not the one that was saved")
      }
    }
    try trainer.load(
      parameters: SafetensorsFile(path: path + "/" + Self.model),
      moments: SafetensorsFile(path: path + "/" + Self.optimizer),
      step: step)
  }
}

/// What a checkpoint is for others: files that are written into its folder beside the state of the trainer.
public struct CheckpointExport {
  /// The names of the files; the folder of the run shows those of its newest checkpoint.
  public let names: [String]
  /// Writes them into a folder.
  let write: (Trainer, String) throws -> Void

  /// Files called `names`, which `write` makes.
  public init(names: [String], write: @escaping (Trainer, String) throws -> Void) {
    (self.names, self.write) = (names, write)
  }
}

extension Trainer {
  /// The parameters of the model, or of the adapter that is trained instead, as tensors over their own memory; of several that are
  /// planned as one, each by itself.
  public var storedParameters: [StoredTensor] {
    plan.parameters.indices.flatMap { index -> [StoredTensor] in
      guard !plan.parameters[index].isFrozen || settings.lora == nil, var base = parameters.mutable(index)?.baseAddress
      else { return [] }
      return plan.parameters[index].members.map { tensor in
        defer { base += tensor.count }
        return stored(tensor.name.text, tensor.shape, base, parameters)
      }
    }
  }

  /// What the optimizer keeps, as tensors over its memory.
  var storedMoments: [StoredTensor] {
    zip(plan.parameters, moments).flatMap { tensor, moments in
      moments.map { stored($0.name, tensor.shape, $0.memory.base, $0.memory) }
    }
  }

  private func stored(_ name: String, _ shape: [Int], _ base: UnsafeMutablePointer<Float>, _ owner: AnyObject)
    -> StoredTensor
  {
    let count = shape.reduce(1, *)
    return StoredTensor(
      name: name, shape: shape, format: .f32,
      bytes: UnsafeRawBufferPointer(start: base, count: count * MemoryLayout<Float>.stride), owner: owner)
  }

  /// Puts what was saved after `step` back; throws, having changed nothing, when a tensor is missing or has another shape.
  func load(parameters: SafetensorsFile, moments: SafetensorsFile, step: Int) throws {
    var copies: [(from: StoredTensorEntry, to: StoredTensor)] = []
    for (file, wanted) in [(parameters, storedParameters), (moments, storedMoments)] {
      let entries = Dictionary(file.tensors.map { ($0.name, $0) }) { first, _ in first }
      for tensor in wanted {
        guard let entry = entries[tensor.name], entry.shape == tensor.shape, entry.format == .f32 else {
          throw FileProblem(
            path: file.file.path, sentence: "there is no tensor '\(tensor.name)' of the shape \(tensor.shape) in F32")
        }
        copies.append((entry, tensor))
      }
    }
    for copy in copies {
      // The memory is the trainer's own, seen through a tensor that only reads.
      UnsafeMutableRawBufferPointer(mutating: copy.to.bytes).copyMemory(from: copy.from.bytes)
    }
    self.step = step
  }
}
