import Checkpoints
import Components
import Files
import Formats
import Essentials
import Kernels
import Plans

/// The weights of an exported module, trained elsewhere, on their way back to canonical names.
public struct ImportedFolder {
  /// The tensors under the names of the plan, each of several experts by itself.
  public let tensors: [StoredTensor]

  /// The tensors of `plan` in the folder at `path`.
  ///
  /// Throws `Problems` that list every tensor which is missing, superfluous or of another shape; `FileProblem` when there
  /// is no such file, or it is damaged.
  public init(_ plan: Plan, at path: String) throws {
    let isLibrarys = kind(ofPath: path + "/config.json") == .file
    let names = isLibrarys ? try TransformersFile.tensorNames(of: plan) : plan.parameters.map(PyTorchFile.place)
    var entries = Dictionary(try CheckpointFolder(path: path).tensors.map { ($0.name, $0) }) { first, _ in first }
    var problems = Problems()
    var tensors: [StoredTensor] = []
    for (tensor, name) in zip(plan.parameters, names) {
      guard let entry = entries.removeValue(forKey: name) else {
        problems.add(Problem("there is no tensor '\(name)'", at: nil))
        continue
      }
      guard let format = entry.format, entry.shape == tensor.shape else {
        problems.add(
          Problem(
            "'\(name)' is \(entry.typeName) \(entry.shape); the model has \(tensor.shape)", at: nil,
            hint: entry.format == nil ? "f32, f16 and bf16 are read" : nil))
        continue
      }
      let members = tensor.members
      let bytes = entry.bytes.count / max(1, members.count)
      for (index, member) in members.enumerated() {
        tensors.append(
          StoredTensor(
            name: member.name.text, shape: member.shape, format: format,
            bytes: UnsafeRawBufferPointer(rebasing: entry.bytes[index * bytes..<(index + 1) * bytes]), owner: entry.file
          ))
      }
    }
    for name in entries.keys.sorted() {
      problems.add(Problem("the model has no tensor '\(name)'", at: nil, hint: "a tied matrix is stored once"))
    }
    try problems.check()
    self.tensors = tensors
  }

  /// The spec that the folder at `path` was written from: `spec.yaml`, or what its `config.json` keeps of it; nil where
  /// neither is there.
  public static func specification(at path: String) throws -> String? {
    if kind(ofPath: path + "/spec.yaml") == .file {
      return try String(contentsOfFile: path + "/spec.yaml", encoding: .utf8)
    }
    return try CheckpointFolder.config(in: path)?[TransformersFile.specificationKey]?.string
  }

  /// Writes them with `specification`, and what `others` writes, as a native folder at `path`, whole or not at all.
  public func write(to path: String, specification: String, others: (_ folder: String) throws -> Void) throws {
    try writeFolderAtomically(to: path) { folder in
      try CheckpointFolder.write(tensors, config: nil, to: folder, shardBytes: .max)
      try writeAtomically(specification, to: folder + "/resolved.yaml")
      try others(folder)
    }
  }
}
