import Checkpoints
import Components
import Execution
import Files
import Kernels
import Models
import Specification
import Training

/// A folder with a `training.safetensors`: what the reference implementation computed when it trained the folder's model.
struct TrainingFixture {
  private let loaded: LoadedModel
  private let expected: TrainingVerification.Expected

  /// Reads the folder at `path`, whose model is `loaded`. Throws `FileProblem` when a tensor is missing.
  init(_ loaded: LoadedModel, in path: String, _ models: ModelLoader) throws {
    self.loaded = loaded
    let ids = try SafetensorsFile(path: path + "/expected.safetensors")
    let file = try SafetensorsFile(path: path + "/training.safetensors")
    let rows = try Self.entry("input_ids", of: ids)
    guard rows.typeName == "I64", rows.shape.count == 2 else {
      throw FileProblem(
        path: ids.file.path, sentence: "'input_ids' is \(rows.typeName) \(rows.shape); expected I64 of two axes")
    }
    let tokens = (0..<rows.elementCount).map { Int(rows.bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
    let windows = (0..<rows.shape[0]).map { Array(tokens[$0 * rows.shape[1]..<($0 + 1) * rows.shape[1]]) }
    let entries = file.tensors.filter { $0.name.hasPrefix("grad.") }.map { $0.renamed(String($0.name.dropFirst(5))) }
    let gradients = try models.canonical(entries, of: loaded.description)
    expected = TrainingVerification.Expected(
      batch: Batch(windows: windows), loss: Double(try Self.floats(try Self.entry("loss", of: file)).first ?? .nan),
      gradients: gradients.mapValues { tensor in
        (0..<tensor.bytes.count / 4).map { tensor.bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
      },
      losses: try Self.floats(try Self.entry("adamw.losses", of: file)).map(Double.init))
  }

  /// Trains with the optimizer of `registry` that the reference had, and compares.
  func verify(_ registry: Registry, pool: ThreadPool) throws -> TrainingVerification {
    let plan = loaded.description.plan
    let optimizer = try YAMLReader(source: "reference")
      .read("{type: adamw, beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.1, decay: matrices}")
    return try TrainingVerification(
      plan, Parameters(plan, copying: loaded.parameters), expected, optimizer: registry.make(.optimizer, optimizer),
      pool: pool)
  }

  private static func entry(_ name: String, of file: SafetensorsFile) throws(FileProblem) -> StoredTensorEntry {
    guard let entry = file.tensors.first(where: { $0.name == name }) else {
      throw FileProblem(path: file.file.path, sentence: "there is no tensor '\(name)'")
    }
    return entry
  }

  private static func floats(_ entry: StoredTensorEntry) throws(FileProblem) -> [Float] {
    guard entry.format == .f32 else {
      throw FileProblem(path: entry.file.path, sentence: "'\(entry.name)' is \(entry.typeName); expected F32")
    }
    return (0..<entry.elementCount).map { entry.bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
  }
}
