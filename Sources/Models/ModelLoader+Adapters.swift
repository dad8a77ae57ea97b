import Checkpoints
import Components
import Composition
import Essentials
import Execution
import Files
import Kernels
import Specification

extension ModelLoader {
  /// The model that the adapter in the folder `path` says that it is for, as a reference of this loader.
  func base(ofAdapter path: String) throws -> String {
    guard let base = try AdapterMatch.base(of: path, ignoring: ignoredKeys) else {
      throw ModelProblem.notAModel(
        path: path, why: "it is an adapter, and does not say of which model; give that, and this with --adapter")
    }
    guard !AdapterMatch.isAdapter(base) else {
      throw ModelProblem.notAModel(path: path, why: "it is an adapter of '\(base)', which is an adapter too")
    }
    return base
  }

  /// Proves that the adapter in the folder `path` is one of `found`, composed as `plan`.
  func match(adapter path: String, _ found: Found, _ plan: Plan) throws -> AdapterMatch {
    try AdapterMatch(
      path: path, ignoring: ignoredKeys, for: plan.parameters,
      map: found.architecture.checkpoint.map { try CheckpointMap($0) }, count: found.architecture.count)
  }

  /// Changes `tensors`, the weights of `described`, by its adapter.
  func merge(
    _ adapter: AdapterMatch, into tensors: inout [String: StoredTensor], of described: ModelDescription,
    keepsFormats: Bool
  ) throws {
    if let available = AvailableMemory.bytes, adapter.byteCount > available {
      throw ModelProblem.tooLarge(bytes: adapter.byteCount, available: available)
    }
    let (architecture, restorations) = try asFolder(described)
    let rows = try folderRows(architecture, restorations)
    try adapter.merge(
      into: &tensors, keepsFormats: keepsFormats, pool: ThreadPool(threads: ThreadPool.preferredThreadCount())
    ) { try rows.moved($0, .toContainer) }
  }

  /// Where folders have the rows of `architecture` that its container has elsewhere.
  func folderRows(_ architecture: Architecture, _ restorations: [TensorRestoration]) throws -> FolderRows {
    if restorations.isEmpty { return FolderRows(restorations: [], count: { _ in nil }) }
    let effective = try composer.assemble(architecture).choices
    return FolderRows(restorations: restorations) { path in
      architecture.resolved[path: path]?.integer ?? effective.value(at: path)?.integer
    }
  }
}

/// How tensors are laid out in folders, for a model whose container has them otherwise.
struct FolderRows {
  let restorations: [TensorRestoration]
  let count: (String) -> Int?

  /// `tensor` as folders have it, or as the container has it.
  func moved(_ tensor: StoredTensor, _ direction: TensorRestoration.Direction) throws(Problem) -> StoredTensor {
    var tensor = tensor
    for restoration in direction == .toFolder ? restorations : restorations.reversed() {
      tensor = try restoration.apply(to: tensor, direction, count: count)
    }
    return tensor
  }
}

extension ModelLoader {
  /// Writes factors that were trained beside the matrices of `described` into the folder `path`, as PEFT does, under the
  /// names that the reference implementation gives the family's modules.
  ///
  /// `lengths` gives the lengths of the rows of a canonical matrix.
  public func writeAdapter(
    _ adapter: AdapterFolder, of described: ModelDescription, to path: String,
    lengths: (_ name: String) throws -> [Float]
  ) throws {
    let (architecture, restorations) = try asFolder(described)
    let rows = try folderRows(architecture, restorations)
    func moved(_ tensor: StoredTensor, of owner: TensorName) throws -> StoredTensor {
      let own = StoredTensor(
        name: owner.text + ".weight", shape: tensor.shape, format: tensor.format, bytes: tensor.bytes,
        owner: tensor.owner)
      return try rows.moved(own, .toFolder)
    }
    let factors = try adapter.factors.map { factors in
      AdapterFolder.Factors(
        owner: factors.owner, a: factors.a, b: try moved(factors.b, of: factors.owner),
        lengths: try factors.lengths.map { try moved($0, of: factors.owner) })
    }
    try AdapterFolder(
      base: adapter.base, rank: adapter.rank, scale: adapter.scale, dividesByRoot: adapter.dividesByRoot,
      dropout: adapter.dropout, factors: factors
    ).write(
      to: path, for: described.plan.parameters, map: architecture.checkpoint.map { try CheckpointMap($0) },
      count: architecture.count
    ) { name in
      let own = try lengths(name)
      return try moved(StoredTensor(name: name, shape: [own.count], numbers: own), of: TensorName(name).owner)
    }
  }
}
