import Components
import Files

/// Finds the canonical tensors that an adapter's modules mean, and collects what is wrong.
struct AdapterMatcher {
  private let path: String
  private let config: AdapterConfig
  private let tensors: [PlannedTensor]
  private let map: CheckpointMap?
  /// Stored tensors by the reference implementation's names, and canonical ones by their own.
  private var known: [String: MappedTensor] = [:]
  private var changes: [(target: PlannedTensor, change: AdapterMatch.Change)] = []
  private var problems = Problems()
  private var unknown: [String] = []
  private var found = 0

  init(
    _ path: String, _ config: AdapterConfig, _ tensors: [PlannedTensor], _ map: CheckpointMap?,
    _ count: (_ path: String, _ name: TensorName) -> Int?
  ) throws(Problems) {
    (self.path, self.config, self.tensors, self.map) = (path, config, tensors, map)
    for mapped in try CheckpointMap.canonical(for: tensors).mappedTensors(for: tensors, count: count).tensors {
      known[mapped.name] = mapped
    }
    guard let map else { return }
    for mapped in map.mappedTensors(for: tensors, count: count).tensors {
      for prefix in mapped.rule.isAbsolute ? [""] : map.prefixes + [""] { known[prefix + mapped.name] = mapped }
    }
  }

  /// What was found; throws everything that is wrong.
  consuming func finish() throws(Problems) -> [(target: PlannedTensor, change: AdapterMatch.Change)] {
    if found == 0, !unknown.isEmpty {
      throw Problems([
        Problem(
          "\(path): the adapter is one of another model: it has '\(unknown[0].prefix(120))', and this model no such module",
          at: nil, hint: config.base.map { "it was made for '\($0.prefix(120))'" })
      ])
    }
    for name in unknown.prefix(8) {
      problems.add(Problem("\(path): the model has no '\(name.prefix(120))', which the adapter changes", at: nil))
    }
    if unknown.count > 8 {
      problems.add(Problem("\(path): nor \(unknown.count - 8) others that the adapter changes", at: nil))
    }
    try problems.check()
    guard !changes.isEmpty else {
      throw Problems([Problem("\(path): the adapter changes nothing: it has no tensors", at: nil)])
    }
    return changes
  }

  private mutating func complain(_ sentence: String, hint: String? = nil) {
    problems.add(Problem("\(path): \(sentence)", at: nil, hint: hint))
  }

  /// The canonical tensor whose matrix the model also uses for `name`, when it does.
  private func tie(of name: String) -> TensorName? {
    guard let map else { return nil }
    for prefix in map.prefixes + [""] {
      if let canonical = map.canonicalName(of: name, prefix: prefix), let source = map.tiedSource(of: canonical),
        !tensors.contains(where: { $0.name.text == canonical })
      {
        return TensorName(source)
      }
    }
    return nil
  }

  /// Whether the model has `target` twice: as what it is, and as what it is tied to.
  private func isTied(_ target: PlannedTensor) -> Bool {
    guard let map else { return false }
    return map.tied.contains { copy, source in
      [".weight", ""].contains { target.name.text == source + $0 }
        && !tensors.contains { $0.name.owner.text == copy }
    }
  }

  /// `tensor` takes the place of the model's `name`.
  mutating func replace(_ name: String, _ tensor: StoredTensorEntry, all: [(name: String, tensor: StoredTensorEntry)]) {
    if known[name] == nil, let source = tie(of: name) {
      let other = all.first { known[$0.name].map { tensors[$0.targets[0][0]].name == source } ?? false }
      if let other, other.tensor.typeName == tensor.typeName, other.tensor.bytes.elementsEqual(tensor.bytes) { return }
      return complain(
        "the adapter has a '\(name)' of its own, which is one matrix with '\(source)' in this model",
        hint: "merge it with PEFT (merge_and_unload), and save the model untied")
    }
    guard let mapped = known[name] else { return unknown.append(name) }
    found += 1
    let shape = mapped.binding.storedShape
    guard tensor.shape.filter({ $0 != 1 }) == shape.filter({ $0 != 1 }) else {
      return complain("'\(name)' is \(tensor.shape) in the adapter, and \(shape) in the model")
    }
    let first = tensors[mapped.targets[0][0]]
    if isTied(first), config.saves(Self.module(name)), !config.keepsTies,
      !all.contains(where: { known[$0.name] == nil && tie(of: $0.name) == first.name })
    {
      return complain(
        "the adapter has a '\(name)' of its own beside the model's, which the head is tied to",
        hint: "merge it with PEFT (merge_and_unload), and save the model untied")
    }
    for piece in mapped.binding.pieces {
      changes.append((tensors[mapped.targets[piece.part][piece.expert]], .replaced(tensor, mapped.binding, piece)))
    }
  }

  private static func module(_ name: String) -> String {
    for suffix in CheckpointMap.suffixes where name.hasSuffix(suffix) { return String(name.dropLast(suffix.count)) }
    return name
  }

  /// Factors of the module `name`.
  mutating func adapt(_ name: String, _ module: AdapterTensors.Module) {
    guard let a = module.a, let b = module.b else { return }
    guard let mapped = known[name + ".weight"] else {
      if let source = tie(of: name + ".weight") {
        found += 1
        return complain(
          "the adapter changes '\(name)' alone, which is one matrix with '\(source)' in this model",
          hint: "merge it with PEFT (merge_and_unload), and save the model untied")
      }
      return unknown.append(name)
    }
    found += 1
    let target = tensors[mapped.targets[0][0]]
    let (binding, rank) = (mapped.binding, config.rank(of: name))
    guard target.shape.count == 2, mapped.targets[0].count == 1 else {
      return complain("'\(name)' is \(binding.storedShape) in the model, of which no factors are read")
    }
    if !config.adapts(name) {
      return complain("the adapter has factors of '\(name)', which its target_modules and their kin leave out")
    }
    let (rows, columns) = (binding.slabRows, binding.columns)
    let wanted = module.isEmbedding ? ([rank, rows], [columns, rank]) : ([rank, columns], [rows, rank])
    guard a.shape.count == 2, b.shape.count == 2, a.shape[0] == b.shape[1] else {
      return complain("the factors of '\(name)', \(a.shape) and \(b.shape), have no rank in common")
    }
    guard a.shape[0] == rank else {
      return complain("the factors of '\(name)' have rank \(a.shape[0]), and \(AdapterConfig.file) says \(rank)")
    }
    guard a.shape == wanted.0, b.shape == wanted.1 else {
      return complain(
        "the factors of '\(name)' are \(a.shape) and \(b.shape); the model's matrix takes \(wanted.0) and \(wanted.1)")
    }
    guard (module.magnitudes != nil) == config.hasMagnitudes else {
      return complain(
        "'\(name)' has \(config.hasMagnitudes ? "no" : "a") lora_magnitude_vector, and 'use_dora' is \(config.hasMagnitudes)"
      )
    }
    if module.isEmbedding, isTied(target) {
      return complain(
        "the adapter changes '\(name)' alone, which the head is tied to",
        hint: "merge it with PEFT (merge_and_unload), and save the model untied")
    }
    if module.isEmbedding, config.hasMagnitudes {
      return complain("the adapter has lengths of the columns of '\(name)', an embedding, which are not read")
    }
    if let magnitudes = module.magnitudes, magnitudes.elementCount != rows {
      return complain("the lora_magnitude_vector of '\(name)' is \(magnitudes.shape); the model has \(rows) rows")
    }
    let factors = AdapterMatch.Factors(
      a: a, b: b, magnitudes: module.magnitudes, isEmbedding: module.isEmbedding,
      scale: Float(config.scale(of: name)), rank: rank)
    for piece in binding.pieces {
      changes.append((tensors[mapped.targets[piece.part][0]], .product(factors, piece)))
    }
    if let bias = module.bias { addBias(bias, of: name, scale: factors.scale) }
  }

  private mutating func addBias(_ bias: StoredTensorEntry, of name: String, scale: Float) {
    guard let mapped = known[name + ".bias"] else {
      return complain("the adapter adds to a bias of '\(name)', which the model has none of")
    }
    guard bias.elementCount == mapped.binding.slabRows else {
      return complain(
        "the bias of '\(name)' is \(bias.shape) in the adapter, and \(mapped.binding.storedShape) in the model")
    }
    for piece in mapped.binding.pieces {
      changes.append((tensors[mapped.targets[piece.part][0]], .added(bias, piece, scale: scale)))
    }
  }
}
