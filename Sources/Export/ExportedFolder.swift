import Checkpoints
import Components
import Essentials
import Execution
import Files
import Formats
import Kernels
import Models
import Plans

/// A model as a folder of PyTorch: its source, its weights, and what made them.
public struct ExportedFolder {
  /// The files that are text, by their names.
  public let files: [String: String]
  /// The name of each of the plan's tensors in the module, in the plan's order.
  public let tensorNames: [String]
  /// Whether its classes are those of a library, which has names and initial weights of its own.
  public let isOfLibrary: Bool
  private let plan: Plan

  /// The folder of `plan` that a library reads as it is, written already.
  public init(ofLibrary plan: Plan) {
    self.plan = plan
    (files, isOfLibrary) = ([:], true)
    tensorNames = plan.parameters.map(PyTorchFile.place)
  }

  /// The folder of `plan`, whose file is `file`.
  public init(_ plan: Plan, _ file: PyTorchFile) {
    self.plan = plan
    files = [Self.source: file.text, "sample.py": plan.continuesTexts ? Self.sample : Self.loading]
    tensorNames = file.tensorNames
    isOfLibrary = false
  }

  /// The folder of `plan` for transformers; `ids` are those that begin, end and fill a text, `dtype` the type of the
  /// weights in torch's word, and `specification` the spec, which stays in the config wherever it is saved.
  public init(
    _ plan: Plan, _ file: TransformersFile, ids: JSONObject, dtype: String?, specification: String
  ) {
    self.plan = plan
    isOfLibrary = false
    let config = file.config(ids: ids, dtype: dtype, specification: specification)
    var generation = ids
    generation["_from_model_config"] = nil
    generation["transformers_version"] = .string(TransformersFile.version)
    files = [
      file.names.modeling + ".py": file.modeling, file.names.configuration + ".py": file.configuration,
      "config.json": JSONValue.object(config).serialized(pretty: true) + "\n",
      "generation_config.json": JSONValue.object(generation).serialized(pretty: true) + "\n",
    ]
    tensorNames = file.tensorNames
  }

  /// The program that loads the weights and generates.
  static let sample = String(decoding: PackageResources.sample_py, as: UTF8.self)
  /// The program that loads the weights alone.
  static let loading: String = {
    let end = sample.firstRange(of: "\n\n\ndef main")?.lowerBound ?? sample.endIndex
    return (String(sample[..<end]) + "\n")
      .replacing(
        "Generates tokens: python sample.py 1 2 3 --count 20", with: "Loads the weights: load(\"model.safetensors\")."
      )
      .replacing("import argparse\n", with: "").replacing("import os\n", with: "")
  }()
  /// The name of the file with the classes.
  public static let source = "model.py"
  /// The name of the file with the weights.
  public static let weights = "model.safetensors"

  /// Writes it at `path`, whole or not at all; without `parameters` it has no weights. Then `body` may add to it and look
  /// at it, and when that throws nothing is left.
  public func write(to path: String, parameters: Parameters?, others: [String: String], _ body: (String) throws -> Void)
    throws
  {
    try writeFolderAtomically(to: path) { folder in
      if let parameters { try writeWeights(parameters, to: folder + "/" + Self.weights) }
      for (name, text) in files.merging(others, uniquingKeysWith: { $1 }).sorted(by: { $0.key < $1.key }) {
        try writeAtomically(text, to: folder + "/" + name)
      }
      try body(folder)
    }
  }

  /// Writes `parameters` under the names that the module has, each in the format that it is stored in or, where it is in
  /// blocks, in f32.
  public func writeWeights(_ parameters: Parameters, to path: String) throws {
    try SafetensorsFile.write(
      zip(plan.parameters.indices, tensorNames).map { try stored(parameters, $0, $1) }, to: path)
  }

  /// The type that most numbers of `parameters` are written as, in torch's word.
  public static func dtype(_ plan: Plan, _ parameters: Parameters) -> String {
    var counts: [String: Int] = [:]
    for (index, tensor) in plan.parameters.enumerated() {
      let name =
        switch parameters.format(of: index) {
        case .f16: "float16"
        case .bf16: "bfloat16"
        default: "float32"
        }
      counts[name, default: 0] += tensor.count
    }
    return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? "float32"
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
