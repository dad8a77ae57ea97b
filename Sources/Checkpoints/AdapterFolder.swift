import Components
import Files

/// An adapter to write as PEFT saves one: what it is, and the factors of canonical matrices.
public struct AdapterFolder {
  /// What is learned of one canonical matrix.
  public struct Factors {
    /// The matrix, such as `layers.0.attn.q`.
    public let owner: TensorName
    /// `[r, in]`.
    public let a: StoredTensor
    /// `[out, r]`.
    public let b: StoredTensor
    /// The lengths of its rows, `[out]`.
    public let lengths: StoredTensor?

    /// The factors of `owner`, in f32.
    public init(owner: TensorName, a: StoredTensor, b: StoredTensor, lengths: StoredTensor?) {
      (self.owner, self.a, self.b, self.lengths) = (owner, a, b, lengths)
    }
  }

  /// The model that it changes, as others find it.
  public let base: String
  /// r, and what the product of the factors is multiplied by.
  public let rank: Int
  public let scale: Double
  /// Whether that is α / √r rather than α / r.
  public let dividesByRoot: Bool
  /// What part of the inputs was dropped in training.
  public let dropout: Double
  /// The factors, in the plan's order.
  public let factors: [Factors]

  /// The files that `write` makes.
  public static let files = [AdapterTensors.file, AdapterConfig.file]

  /// An adapter of these parts.
  public init(
    base: String, rank: Int, scale: Double, dividesByRoot: Bool, dropout: Double, factors: [Factors]
  ) {
    (self.base, self.rank, self.scale, self.dividesByRoot) = (base, rank, scale, dividesByRoot)
    (self.dropout, self.factors) = (dropout, factors)
  }

  /// Writes it into the folder `path`, with the names and layouts of `map`, which are those of the reference implementation;
  /// without a map with canonical names.
  ///
  /// Several matrices that are stored as one have one pair of factors there: A one below the other, and each one's B in
  /// columns of its own, so that the rank is the sum of theirs. `lengths` gives the lengths of the rows of a matrix that has no
  /// factors, which one beside it has. Where `map` has no name for one of them, all have canonical names, as the modules
  /// of an exported model have. `count` is as for `CheckpointMap.match`.
  public func write(
    to path: String, for tensors: [PlannedTensor], map: CheckpointMap?,
    count: (_ path: String, _ name: TensorName) -> Int?, lengths: (_ name: String) throws -> StoredTensor
  ) throws {
    let tensors = tensors.flatMap(\.members)
    // A variant may have matrices that its family has no names for.
    func written(by map: CheckpointMap) throws -> (modules: [AdapterModule], others: [String], found: Int) {
      let (modules, others) = try self.modules(of: tensors, map, count, lengths)
      return (modules, others, modules.reduce(0) { $0 + $1.partCount })
    }
    var (modules, others, found) = try written(by: map ?? CheckpointMap.canonical(for: tensors))
    if found < factors.count {
      (modules, others, found) = try written(by: CheckpointMap.canonical(for: tensors))
    }
    guard found == factors.count else {
      throw Problems([Problem("there is no name for \(factors.count - found) of the adapter's matrices", at: nil)])
    }
    try SafetensorsFile.write(modules.flatMap(\.tensors), to: path + "/" + AdapterTensors.file)
    let text = JSONValue.object(configuration(of: modules, beside: others)).serialized(pretty: true) + "\n"
    try writeAtomically(text, to: path + "/" + AdapterConfig.file)
  }

  /// The modules that have factors, by the names of `map`, and the names of those that have none.
  private func modules(
    of tensors: [PlannedTensor], _ map: CheckpointMap, _ count: (_ path: String, _ name: TensorName) -> Int?,
    _ lengths: (_ name: String) throws -> StoredTensor
  ) throws -> (modules: [AdapterModule], others: [String]) {
    let byName = Dictionary(factors.map { ($0.owner.text + ".weight", $0) }) { first, _ in first }
    // The later rule wins, as when a model is saved.
    let mapped = map.mappedTensors(for: tensors, count: count).tensors.sorted { $0.rule.order > $1.rule.order }
    var covered: Set<Int> = []
    var modules: [AdapterModule] = []
    var others: [String] = []
    for item in mapped where covered.isDisjoint(with: item.targets.joined()) {
      covered.formUnion(item.targets.joined())
      let name = item.rule.isAbsolute ? item.name : map.prefixes[0] + item.name
      guard name.hasSuffix(".weight") else { continue }
      let module = String(name.dropLast(".weight".count))
      let parts = item.targets.map { byName[tensors[$0[0]].name.text] }
      guard parts.contains(where: { $0 != nil }) else {
        others.append(module)
        continue
      }
      guard item.targets.allSatisfy({ $0.count == 1 }) else {
        throw Problems([
          Problem("'\(module)' holds all experts of a layer, of which PEFT has no factors one by one", at: nil)
        ])
      }
      let names = item.targets.map { tensors[$0[0]].name.text }
      modules.append(try AdapterModule(module, parts, names, item.binding, lengths))
    }
    return (modules, others)
  }

  private func configuration(of modules: [AdapterModule], beside others: [String]) -> JSONObject {
    // Ends of names that mean these modules alone; whole names where an end means others too.
    let ends = modules.map { Self.end(of: $0.name) }
    let isShort = !others.contains { other in ends.contains { other == $0 || other.hasSuffix("." + $0) } }
    func sorted(_ names: [String]) -> [String] {
      Set(names).sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
    }
    var ranks: [String: Int] = [:]
    for module in modules { ranks[Self.end(of: module.name)] = max(module.rank, ranks[Self.end(of: module.name)] ?? 0) }
    let isEven = modules.allSatisfy { ranks[Self.end(of: $0.name)] == $0.rank }
    let named = isEven ? ranks : Dictionary(modules.map { ($0.name, $0.rank) }) { first, _ in first }
    var (rankPattern, alphaPattern) = (JSONObject(), JSONObject())
    if named.values.contains(where: { $0 != rank }) {
      // The first that fits counts, and a longer end is the more particular one.
      for name in sorted(Array(named.keys)) {
        rankPattern[name] = .integer(named[name] ?? rank)
        alphaPattern[name] = Self.number(alpha(rank: named[name] ?? rank))
      }
    }
    var config = JSONObject()
    config["peft_type"] = "LORA"
    config["task_type"] = "CAUSAL_LM"
    config["base_model_name_or_path"] = .string(base)
    config["r"] = .integer(rank)
    config["lora_alpha"] = Self.number(alpha(rank: rank))
    config["lora_dropout"] = .number(dropout)
    config["target_modules"] = .array(sorted(isShort ? ends : modules.map(\.name)).map { .string($0) })
    config["rank_pattern"] = .object(rankPattern)
    config["alpha_pattern"] = .object(alphaPattern)
    config["use_rslora"] = .bool(dividesByRoot)
    config["use_dora"] = .bool(factors.contains { $0.lengths != nil })
    config["fan_in_fan_out"] = .bool(modules.allSatisfy(\.isTransposed))
    config["bias"] = "none"
    config["modules_to_save"] = .null
    config["layers_to_transform"] = .null
    config["layers_pattern"] = .null
    config["init_lora_weights"] = true
    config["inference_mode"] = true
    return config
  }

  private func alpha(rank: Int) -> Double { scale * (dividesByRoot ? Double(rank).squareRoot() : Double(rank)) }

  private static func number(_ value: Double) -> JSONValue {
    Int(exactly: value).map(JSONValue.integer) ?? .number(value)
  }

  /// What follows the layer's number.
  private static func end(of name: String) -> String {
    let words = name.split(separator: ".")
    guard let place = words.lastIndex(where: { Int($0) != nil }), place + 1 < words.count else { return name }
    return words[(place + 1)...].joined(separator: ".")
  }
}

/// The factors of one module of the reference implementation.
private struct AdapterModule {
  let name: String
  let rank: Int
  let isTransposed: Bool
  let partCount: Int
  let tensors: [StoredTensor]

  /// Of the parts that a stored tensor is made of, some with factors; `names` are those of the canonical tensors.
  init(
    _ name: String, _ parts: [AdapterFolder.Factors?], _ names: [String], _ binding: LayoutBinding,
    _ lengths: (String) throws -> StoredTensor
  ) throws {
    let present = parts.compactMap { $0 }
    let rank = present.reduce(0) { $0 + $1.a.shape[0] }
    let (rows, columns) = (binding.slabRows, binding.columns)
    var (a, b) = ([Float](), [Float](repeating: 0, count: rows * rank))
    var m = [Float](repeating: 0, count: rows)
    let hasLengths = present.contains { $0.lengths != nil }
    for piece in binding.pieces {
      let part = parts[piece.part]
      if hasLengths {
        let own = try (part?.lengths ?? lengths(names[piece.part])).floats
        for row in 0..<piece.rows { m[piece.storedRow(row)] = own[row] }
      }
      guard let part else { continue }
      let (start, width) = (a.count / max(1, columns), part.a.shape[0])
      a += part.a.floats
      let own = part.b.floats
      for row in 0..<piece.rows {
        for r in 0..<width { b[piece.storedRow(row) * rank + start + r] = own[row * width + r] }
      }
    }
    (self.name, self.rank, isTransposed, partCount) = (name, rank, binding.isTransposed, present.count)
    var tensors = [
      StoredTensor(name: "base_model.model.\(name).lora_A.weight", shape: [rank, columns], numbers: a),
      StoredTensor(name: "base_model.model.\(name).lora_B.weight", shape: [rows, rank], numbers: b),
    ]
    if hasLengths {
      tensors.append(StoredTensor(name: "base_model.model.\(name).lora_magnitude_vector", shape: [rows], numbers: m))
    }
    self.tensors = tensors
  }
}

extension StoredTensor {
  /// The numbers of a tensor in f32.
  fileprivate var floats: [Float] {
    withExtendedLifetime(owner) {
      (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }
}
