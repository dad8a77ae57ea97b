import Components

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
    var (mapped, uncovered, problems) = mappedTensors(for: planned, count: count)
    // The later rule wins: a family's patch over a preset.
    mapped.sort { $0.rule.order > $1.rule.order }
    var covered: Set<Int> = []
    var saved: [StoredTensor] = []
    for tensor in mapped {
      let targets = tensor.targets.joined()
      guard covered.isDisjoint(with: targets) else { continue }
      covered.formUnion(targets)
      let name = tensor.rule.isAbsolute ? tensor.name : prefixes[0] + tensor.name
      do {
        saved.append(try tensor.binding.save(tensor.targets.map { $0.map { tensors[$0] } }, named: name))
      } catch {
        problems.add(Problem(error.sentence, at: tensor.rule.place))
      }
    }
    for (index, tensor) in tensors.enumerated() where !covered.contains(index) {
      problems.add(
        Problem(
          uncovered[tensor.name].map {
            "'\(tensor.name)' \(tensor.shape) would be in '\($0)', which also holds tensors that are not there"
          } ?? "the checkpoint's map has no rule for '\(tensor.name)' \(tensor.shape)", at: nil))
    }
    try problems.check()
    return saved.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
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
