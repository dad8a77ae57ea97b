import Components
import Files
import Kernels

/// An adapter whose names, shapes and ranks have been proved to be those of a plan; no number has been read yet.
///
///     W' = W + s·B·A              s = α / r, or α / √r                    A: [r, in], B: [out, r], W: [out, in]
///     W' = m ⊙ (W + s·B·A) / ‖W + s·B·A‖                                  with lengths of rows m: [out], DoRA
///
/// Factors of a layer that the reference implementation stores as one, such as `c_attn` or `qkv_proj`, belong to several
/// canonical tensors: each takes its rows of B and m, and all share A.
public struct AdapterMatch: Sendable {
  /// What changes a canonical tensor: in this order.
  enum Change: Sendable {
    /// These numbers take its place.
    case replaced(StoredTensorEntry, LayoutBinding, LayoutBinding.Piece)
    /// A product of two factors is added.
    case product(Factors, LayoutBinding.Piece)
    /// A vector times a number is added: to a bias.
    case added(StoredTensorEntry, LayoutBinding.Piece, scale: Float)
  }

  /// What is learned of a module.
  struct Factors: Sendable {
    let a: StoredTensorEntry
    let b: StoredTensorEntry
    let magnitudes: StoredTensorEntry?
    let isEmbedding: Bool
    let scale: Float
    let rank: Int
  }

  /// The folder.
  public let path: String
  /// What changes, by canonical tensor.
  let changes: [(target: PlannedTensor, change: Change)]
  /// What it is, in a few words: `LoRA of rank 16 of 24 matrices`.
  public let summary: String

  /// The bytes of the changed tensors in f32.
  public var byteCount: Int {
    var seen: Set<TensorName> = []
    return changes.reduce(0) { seen.insert($1.target.name).inserted ? $0 + 4 * $1.target.count : $0 }
  }

  /// The model that the adapter in the folder `path` says that it is for.
  public static func base(of path: String, ignoring ignored: [String]) throws -> String? {
    try AdapterConfig(in: path, ignoring: ignored).base
  }

  /// Whether the folder at `path` is one of an adapter.
  public static func isAdapter(_ path: String) -> Bool { kind(ofPath: path + "/" + AdapterConfig.file) == .file }

  /// Proves that the adapter in the folder `path` is one of a model with `tensors`, whose modules `map` names as the
  /// reference implementation does; nil where none does, and modules have their canonical names.
  ///
  /// `ignored` keys of its configuration may be unknown. Throws every problem at once.
  public init(
    path: String, ignoring ignored: [String], for tensors: [PlannedTensor], map: CheckpointMap?,
    count: (_ path: String, _ name: TensorName) -> Int?
  ) throws {
    guard kind(ofPath: path) == .folder else {
      throw FileProblem(path: path, sentence: "no such folder of an adapter", cause: .missing)
    }
    let config = try AdapterConfig(in: path, ignoring: ignored)
    let stored = try AdapterTensors(in: path)
    var matcher = try AdapterMatcher(path, config, tensors.flatMap(\.members), map, count)
    for (name, tensor) in stored.replaced { matcher.replace(name, tensor, all: stored.replaced) }
    for (name, module) in stored.modules { matcher.adapt(name, module) }
    self.path = path
    changes = try matcher.finish()
    let ranks = Set(stored.modules.map { config.rank(of: $0.name) }).sorted()
    let word = config.hasMagnitudes ? "DoRA" : config.dividesByRoot ? "rsLoRA" : "LoRA"
    let matrices = Set(
      changes.compactMap { if case .product = $0.change { $0.target.name } else { nil } }
    ).count
    let others = Set(
      changes.compactMap { if case .replaced = $0.change { $0.target.name } else { nil } }
    ).count
    summary =
      (ranks.isEmpty
        ? "no factors" : "\(word) of rank \(ranks.map(String.init).joined(separator: ", ")) of \(matrices) matrices")
      + (others > 0 ? ", and \(others) tensors of its own" : "")
  }
}
