import Components

/// A tensor of a checkpoint that will be written, by its own name and in its own layout.
public struct TensorToSave: Sendable {
  /// Its name in the checkpoint.
  public let name: String
  /// Its shape there.
  public let shape: [Int]
  /// The canonical tensors that it holds, `[part][expert]`.
  public let parts: [[String]]
  let binding: LayoutBinding
  let place: Place?
  let values: StoredValues?

  /// The tensor, of canonical ones that `tensor` gives.
  public func make(_ tensor: (_ name: String) throws(Problems) -> StoredTensor?) throws(Problems) -> StoredTensor {
    var own: [[StoredTensor]] = []
    for part in parts {
      var experts: [StoredTensor] = []
      for name in part {
        guard let found = try tensor(name) else { throw Problems([Problem("there is no tensor '\(name)'", at: nil)]) }
        experts.append(found)
      }
      own.append(experts)
    }
    let tensor: StoredTensor
    do { tensor = try binding.save(own, named: name) } catch {
      throw Problems([Problem(error.sentence, at: place)])
    }
    guard let values else { return tensor }
    do { return try values.stored(of: tensor) } catch { throw Problems([error]) }
  }
}

extension CheckpointMap {
  /// The canonical tensors under the family's own names, in its own layouts.
  ///
  /// Throws when a tensor has no rule, when tensors that are stored as one have different formats, and when a
  /// block-quantised tensor would have to be rearranged. `count` is as for `match`.
  public func save(
    _ tensors: [StoredTensor], count: (_ path: String, _ name: TensorName) -> Int? = { _, _ in nil }
  ) throws(Problems) -> [StoredTensor] {
    let planned = tensors.map {
      PlannedTensor(name: TensorName($0.name), shape: $0.shape, use: .matrix, initialization: .zeros)
    }
    let byName = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
    var problems = Problems()
    var saved: [StoredTensor] = []
    for tensor in try files(of: planned, count: count) {
      do { saved.append(try tensor.make { byName[$0] }) } catch { for problem in error.list { problems.add(problem) } }
    }
    try problems.check()
    return saved.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// The tensors of a checkpoint that holds `tensors`, in the plan's order; none is made yet.
  ///
  /// Throws when a tensor has no rule.
  public func files(
    of tensors: [PlannedTensor], count: (_ path: String, _ name: TensorName) -> Int? = { _, _ in nil }
  ) throws(Problems) -> [TensorToSave] {
    let tensors = tensors.flatMap(\.members)
    var (mapped, uncovered, problems) = mappedTensors(for: tensors, count: count)
    // The later rule wins: a family's patch over a preset.
    mapped.sort { $0.rule.order > $1.rule.order }
    var covered: Set<Int> = []
    var saved: [(first: Int, tensor: TensorToSave)] = []
    for tensor in mapped where covered.isDisjoint(with: tensor.targets.joined()) {
      covered.formUnion(tensor.targets.joined())
      saved.append(
        (
          tensor.targets[0][0],
          TensorToSave(
            name: tensor.rule.isAbsolute ? tensor.name : prefixes[0] + tensor.name, shape: tensor.binding.storedShape,
            parts: tensor.targets.map { $0.map { tensors[$0].name.text } }, binding: tensor.binding,
            place: tensor.rule.place, values: tensor.rule.values)
        ))
    }
    for (index, tensor) in tensors.enumerated() where !covered.contains(index) {
      problems.add(
        Problem(
          uncovered[tensor.name.text].map {
            "'\(tensor.name)' \(tensor.shape) would be in '\($0)', which also holds tensors that are not there"
          } ?? "the checkpoint's map has no rule for '\(tensor.name)' \(tensor.shape)", at: nil))
    }
    try problems.check()
    return saved.sorted { $0.first < $1.first }.map(\.tensor)
  }

  /// The names and shapes that `save` would give `tensors`.
  public func layout(
    of tensors: [PlannedTensor], count: (_ path: String, _ name: TensorName) -> Int? = { _, _ in nil }
  ) -> [String: [Int]] {
    var (mapped, _, _) = mappedTensors(for: tensors.flatMap(\.members), count: count)
    mapped.sort { $0.rule.order > $1.rule.order }
    var covered: Set<Int> = []
    var layout: [String: [Int]] = [:]
    for tensor in mapped where covered.isDisjoint(with: tensor.targets.joined()) {
      covered.formUnion(tensor.targets.joined())
      layout[tensor.rule.isAbsolute ? tensor.name : prefixes[0] + tensor.name] = tensor.binding.storedShape
    }
    return layout
  }

  /// The tensors of one number that other readers ask for in each of `layers`, and that no plan has.
  public func constantTensors(layers: Int) -> [StoredTensor] {
    (0..<layers).flatMap { layer in
      constants.compactMap { constant -> StoredTensor? in
        guard let buffer = TensorBuffer(byteCount: 4) else { return nil }
        buffer.bytes.storeBytes(of: constant.value, as: Float.self)
        return StoredTensor(
          name: prefixes[0] + TensorNamePattern(layerPrefix + constant.name).name([layer]), shape: [], format: .f32,
          bytes: UnsafeRawBufferPointer(buffer.bytes), owner: buffer)
      }
    }
  }
}
