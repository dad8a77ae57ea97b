import Checkpoints
import Components
import Essentials
import Execution
import Files
import Formats
import Kernels
import Models
import Plans

/// A model as a folder of PyTorch: `model.py`, its weights, and what made them.
public struct ExportedFolder {
  /// The file.
  public let file: PyTorchFile
  private let plan: Plan

  /// The folder of `plan`, whose file is `file`.
  public init(_ plan: Plan, _ file: PyTorchFile) {
    (self.plan, self.file) = (plan, file)
  }

  /// The program that loads the weights and generates.
  static let sample = String(decoding: PackageResources.sample_py, as: UTF8.self)
  /// The name of the file with the classes.
  public static let source = "model.py"
  /// The name of the file with the weights.
  public static let weights = "model.safetensors"

  /// Writes it at `path`, whole or not at all; without `parameters` it has no weights. Then `body` may look at it, and when
  /// that throws nothing is left.
  public func write(to path: String, parameters: Parameters?, others: [String: String], _ body: (String) throws -> Void)
    throws
  {
    try writeFolderAtomically(to: path) { folder in
      try writeAtomically(file.text, to: folder + "/" + Self.source)
      try writeAtomically(Self.sample, to: folder + "/sample.py")
      if let parameters { try writeWeights(parameters, to: folder + "/" + Self.weights) }
      for (name, text) in others.sorted(by: { $0.key < $1.key }) { try writeAtomically(text, to: folder + "/" + name) }
      try body(folder)
    }
  }

  /// Writes `parameters` under the names that the module has, each in the format that it is stored in or, where it is in
  /// blocks, in f32.
  public func writeWeights(_ parameters: Parameters, to path: String) throws {
    try SafetensorsFile.write(
      zip(plan.parameters.indices, file.tensorNames).map { try stored(parameters, $0, $1) }, to: path)
  }

  private func stored(_ parameters: Parameters, _ index: Int, _ name: String) throws -> StoredTensor {
    let tensor = plan.parameters[index]
    let format = parameters.format(of: index)
    let parameter = parameters.parameter(index)
    if parameter.memberCount == 1, format.elementsPerBlock == 1 {
      let bytes = tensor.count * format.bytesPerBlock
      return StoredTensor(
        name: name, shape: tensor.shape, format: format,
        bytes: UnsafeRawBufferPointer(start: parameter.matrix.base, count: bytes), owner: parameters)
    }
    return try StoredTensor(name: name, shape: tensor.shape, numbers: parameters.values(index))
      .stored(as: format.elementsPerBlock == 1 ? format : .f32)
  }
}
