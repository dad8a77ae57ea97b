import Checkpoints
import Components
import Essentials
import Execution
import Files
import Kernels
import Plans
import Training

/// An exported module compared with this program, by a Python that has torch.
public struct ExportVerification: Sendable {
  /// What was compared.
  public struct Row: Sendable {
    /// In a word.
    public let key: String
    /// In words.
    public let name: String
    /// The largest difference; nil where there was nothing to compare.
    public let difference: Double?
    /// The largest that passes.
    public let tolerance: Double
    /// Whether it passes.
    public var holds: Bool { difference.map { $0 <= tolerance } ?? true }
  }

  /// What was compared, in order.
  public let rows: [Row]
  /// The version of torch.
  public let torch: String
  /// Whether all agree.
  public var holds: Bool { rows.allSatisfy(\.holds) }

  /// Compares the module in `folder` with `plan` and `parameters`, in the scratch folder `scratch`.
  ///
  /// - Parameter optimizer: AdamW at torch's words: 0.9, 0.95, 1e-8, a decay of 0.1 of what has two axes or more.
  public init(
    _ plan: Plan, _ parameters: Parameters, _ exported: ExportedFolder, in folder: String, scratch: String,
    python: PythonProgram, optimizer: any Optimizer, training: Bool, pool: ThreadPool
  ) throws {
    let cases = try Cases(plan, parameters, exported, pool: pool, training: training, optimizer: optimizer)
    var document = cases.document
    let weights = folder + "/" + ExportedFolder.weights
    if exported.isOfLibrary {
      document["library"] = .bool(true)
    } else if kind(ofPath: weights) == .file {
      document["weights"] = .string(weights)
    } else {
      document["weights"] = .string(scratch + "/weights.safetensors")
      try exported.writeWeights(parameters, to: scratch + "/weights.safetensors")
    }
    try SafetensorsFile.write(cases.tensors, to: scratch + "/expected.safetensors")
    try writeAtomically(JSONValue.object(document).serialized(pretty: false), to: scratch + "/cases.json")
    try writeAtomically(
      String(decoding: PackageResources.verify_py, as: UTF8.self), to: scratch + "/verify.py")
    let output = try python.run([scratch + "/verify.py", folder, scratch, String(pool.threads)])
    guard let line = output.split(separator: "\n").last, let result = try? JSONValue(parsing: String(line)) else {
      throw ExportFailure("the module gave no result")
    }
    func number(_ key: String) -> Double? { result[key]?.number }
    var rows = [
      Row(key: "whole", name: "logits of a whole text", difference: number("whole"), tolerance: 1e-4),
      Row(key: "cached", name: "logits token by token", difference: number("cached"), tolerance: 1e-4),
      Row(key: "padded", name: "logits of a text with padding", difference: number("padded"), tolerance: 1e-4),
      Row(key: "eager", name: "logits by the plainest attention", difference: number("eager"), tolerance: 1e-4),
      Row(key: "start", name: "initial weights, in deviations of six", difference: number("start"), tolerance: 1),
    ]
    if training {
      rows += [
        Row(key: "loss", name: "loss", difference: number("loss"), tolerance: 1e-4),
        Row(
          key: "gradients", name: "gradients, of the largest (worst: \(result["gradient"]?.string ?? ""))",
          difference: number("gradients"), tolerance: 1e-3),
        Row(key: "steps", name: "losses of ten AdamW steps", difference: number("steps"), tolerance: 1e-3),
      ]
    }
    // A file for torch alone takes no padding; a library's own classes have names of their own.
    self.rows = rows.filter { !["padded", "eager"].contains($0.key) || $0.difference != nil }
    torch = result["torch"]?.string ?? ""
  }
}

/// Why an export failed, in a sentence.
public struct ExportFailure: Error, Sendable, CustomStringConvertible {
  /// The sentence.
  public let description: String

  init(_ description: String) { self.description = description }
}

extension Parameters {
  /// Weights that are all different, so that no term of a model goes unseen: what is zero or one at the start is neither.
  public static func scattered(_ plan: Plan) throws(ExecutionProblem) -> Parameters {
    let parameters = try Parameters(plan, seed: 7)
    var state: UInt64 = 11
    for (index, tensor) in plan.parameters.enumerated() {
      guard let numbers = parameters.mutable(index) else { continue }
      let strength = tensor.use == .vector ? 0.2 : 0.6 / Float(tensor.shape.last ?? 1).squareRoot()
      for i in numbers.indices {
        // A linear congruential generator (Knuth), evenly from −1 to 1.
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        numbers[i] += strength * (Float(state >> 40) / Float(1 << 23) - 1)
      }
    }
    return parameters
  }
}
