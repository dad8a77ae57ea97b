import Components

extension CheckpointMap {
  /// The hint of a checkpoint in which nothing has the expected name.
  public static let foreignHint = "it may be a checkpoint of another family"

  /// Proves that `stored` holds exactly the tensors of a plan: every canonical tensor once, every stored one used or
  /// ignored, shapes equal. Only the list is looked at, no tensor's bytes.
  ///
  /// `count` gives the number at a path of the spec that `axes` names, for the layer of a canonical name. Throws every
  /// problem at once, each with both names and shapes.
  public func match(
    _ tensors: [PlannedTensor], with stored: [StoredTensorEntry],
    count: (_ path: String, _ name: TensorName) -> Int? = { _, _ in nil }
  ) throws(Problems) -> CheckpointMatch {
    let tensors = tensors.flatMap(\.members)
    var (mapped, uncovered, problems) = mappedTensors(for: tensors, count: count)
    var byName = Dictionary(stored.map { ($0.name, $0) }) { first, _ in first }
    let prefix = bestPrefix(mapped, byName)
    func fullName(_ tensor: MappedTensor) -> String {
      tensor.rule.isAbsolute ? tensor.name : prefix + tensor.name
    }
    let joined = joinedTensors(mapped, byName, prefix: prefix, &problems) { symbol, tensor in
      axes[symbol].flatMap { count($0, tensors[tensor.targets[0][0]].name) }
    }
    for (name, tensor) in joined { byName[name] = tensor.entry }

    let layered = mapped.filter { $0.layer != nil }
    for (some, ofLayers) in [(mapped, false), (layered, true)]
    where !some.contains(where: { byName[fullName($0)] != nil }) {
      guard let first = some.first else { continue }
      throw Problems([
        MatchReport.nothing(expected: fullName(first), stored: stored, ofLayers: ofLayers, at: first.rule.place)
      ])
    }

    // For each canonical tensor the candidates: rules in the order of the map.
    var candidates: [[Int]] = Array(repeating: [], count: tensors.count)
    for (index, tensor) in mapped.enumerated() {
      for target in tensor.targets.joined() { candidates[target].append(index) }
    }
    var used: Set<Int> = []
    var report = MatchReport(stored: stored.map(\.name), expected: mapped.map(fullName))
    // A layer of which nothing is there is said as a whole.
    let present = Set(layered.map(fullName).filter { byName[$0] != nil }.compactMap(StoredLayer.init(of:)))
    // One that is there in another spelling is not missing.
    func isThere(_ target: Int) -> Bool { candidates[target].contains { byName[fullName(mapped[$0])] != nil } }
    func isAbsent(_ tensor: MappedTensor) -> Bool {
      tensor.layer != nil && StoredLayer(of: fullName(tensor)).map { !present.contains($0) } ?? false
        && !tensor.targets.joined().allSatisfy(isThere)
    }
    var absent = layered.filter(isAbsent)
    while let first = absent.first, let layer = StoredLayer(of: fullName(first)) {
      let own = absent.compactMap { StoredLayer(of: fullName($0)) }.filter { $0.stem == layer.stem }
      report.missingLayers(Set(own.map(\.number)).sorted(), example: fullName(first), at: first.rule.place)
      absent.removeAll { StoredLayer(of: fullName($0))?.stem == layer.stem }
    }
    for (tensor, indices) in candidates.enumerated() {
      let planned = tensors[tensor]
      let found = indices.filter { byName[fullName(mapped[$0])] != nil }
      if found.count > 1 {
        report.duplicate(planned, found.map { fullName(mapped[$0]) })
      } else if let index = found.first {
        used.insert(index)
      } else if let last = indices.max(by: { mapped[$0].rule.order < mapped[$1].rule.order }) {
        if isAbsent(mapped[last]) { continue }
        report.missing(planned, fullName(mapped[last]), at: mapped[last].rule.place)
      } else if let name = uncovered[planned.name.text] {
        report.incomplete(planned, name)
      } else {
        report.unmapped(planned)
      }
    }

    var assignments: [CheckpointMatch.Assignment] = []
    var usedNames: Set<String> = []
    for index in used.sorted() {
      let tensor = mapped[index]
      guard let entry = byName[fullName(tensor)] else { continue }
      let whole = joined[entry.name]
      usedNames.formUnion(whole?.names ?? [entry.name])
      let targets = tensor.targets.map { $0.map { tensors[$0] } }
      // Some files leave out axes of length one.
      if entry.shape.filter({ $0 != 1 }) != tensor.binding.storedShape.filter({ $0 != 1 }) {
        report.wrongShape(entry, tensor.binding.storedShape, targets.map { $0[0] }, at: tensor.rule.place)
      } else if entry.format == nil, !WidenedTensor.types.contains(entry.typeName) {
        report.wrongType(entry)
      }
      var assignment = CheckpointMatch.Assignment(
        stored: entry, binding: tensor.binding, targets: targets, place: tensor.rule.place,
        values: tensor.rule.values, joined: whole)
      if WidenedTensor.types.contains(entry.typeName) {
        let scales = entry.typeName == "F64" ? nil : Self.scales(of: entry, byName)
        let widened = WidenedTensor(stored: entry, scales: scales)
        if let scales { usedNames.insert(scales.name) }
        if let sentence = widened.problem { problems.add(Problem(sentence, at: tensor.rule.place)) }
        assignment.widened = widened
      }
      assignments.append(assignment)
    }

    var ties: [CheckpointMatch.Tie] = []
    var ignoredNames: [String] = []
    var extraLayers: (numbers: Set<Int>, example: String)?
    let wanted = Set(layered.compactMap { StoredLayer(of: fullName($0)) })
    let plannedNames = Set(tensors.map(\.name.text))
    for entry in stored where !usedNames.contains(entry.name) {
      if isIgnored(entry.name, prefix: prefix) {
        ignoredNames.append(entry.name)
        continue
      }
      let canonical = canonicalName(of: entry.name, prefix: prefix)
      if let canonical, let source = tiedSource(of: canonical), plannedNames.contains(source),
        !plannedNames.contains(canonical)
      {
        ties.append(CheckpointMatch.Tie(stored: entry, canonicalName: source, place: nil))
      } else if canonical != nil, let layer = StoredLayer(of: entry.name), !wanted.contains(layer) {
        extraLayers = ((extraLayers?.numbers ?? []).union([layer.number]), extraLayers?.example ?? entry.name)
      } else {
        report.unused(entry, canonical: canonical.flatMap { plannedNames.contains($0) ? nil : $0 })
      }
    }
    if let extraLayers { report.extraLayers(extraLayers.numbers.sorted(), example: extraLayers.example) }
    for problem in report.problems { problems.add(problem) }
    try problems.check()
    return CheckpointMatch(assignments: assignments, ties: ties, ignored: ignoredNames)
  }

  /// What is not there under its own name, and can be made of others that are: by the names that the checkpoint would have.
  private func joinedTensors(
    _ mapped: [MappedTensor], _ stored: [String: StoredTensorEntry], prefix: String, _ problems: inout Problems,
    count: (_ axis: String, MappedTensor) -> Int?
  ) -> [String: JoinedTensor] {
    var joined: [String: JoinedTensor] = [:]
    for tensor in mapped where !tensor.joined.isEmpty {
      let before = tensor.rule.isAbsolute ? "" : prefix
      let parts = tensor.joined.compactMap { stored[before + $0] }
      let name = before + tensor.name
      guard stored[name] == nil, parts.count == tensor.joined.count else { continue }
      do throws(Problem) {
        joined[name] = try JoinedTensor(name, tensor.rule.joins, of: parts) { count($0, tensor) }
      } catch {
        problems.add(Problem(error.sentence, at: tensor.rule.place))
      }
    }
    return joined
  }

  /// The scales of numbers of eight bits, which stand beside them.
  private static func scales(
    of entry: StoredTensorEntry, _ stored: [String: StoredTensorEntry]
  ) -> StoredTensorEntry? {
    guard entry.name.hasSuffix(".weight") else { return nil }
    let owner = entry.name.dropLast("weight".count)
    return WidenedTensor.scaleNames.lazy.compactMap { stored[owner + $0] }.first
  }

  /// The prefix, or none, with which most of the expected tensors are there.
  private func bestPrefix(_ mapped: [MappedTensor], _ stored: [String: StoredTensorEntry]) -> String {
    var best = (prefix: prefixes[0], count: -1)
    for prefix in prefixes + [""] {
      let count = mapped.count { !$0.rule.isAbsolute && stored[prefix + $0.name] != nil }
      if count > best.count { best = (prefix, count) }
    }
    return best.prefix
  }

  /// Whether `ignore` lists the name: in full, after the prefix, or after the layer's prefix.
  private func isIgnored(_ name: String, prefix: String) -> Bool {
    ignored.contains { pattern in
      if pattern.hasPrefix("/") { return matches(name, pattern.dropFirst()) }
      return matches(name, pattern) || matches(name, prefix + pattern)
        || ([layerPrefix] + otherLayerPrefixes).contains { !$0.isEmpty && matches(name, prefix + $0 + pattern) }
    }
  }

  private func matches(_ name: String, _ pattern: some StringProtocol) -> Bool {
    if TensorNamePattern.matches(name, pattern) { return true }
    return Self.suffixes.contains { name.hasSuffix($0) && TensorNamePattern.matches(name.dropLast($0.count), pattern) }
  }

  /// The canonical name that the rules give a stored one, were it in the plan.
  func canonicalName(of name: String, prefix: String) -> String? {
    for rule in rules {
      for suffix in rule.isExact ? [""] : Self.suffixes where name.hasSuffix(suffix) {
        let text = rule.isAbsolute ? rule.stored.text : prefix + rule.stored.text
        let (pattern, numbers) = TensorNamePattern.generalizing(String(name.dropLast(suffix.count)))
        let (wanted, _) = TensorNamePattern.generalizing(text)
        if pattern == wanted { return rule.canonical[0].name(numbers) + suffix }
      }
    }
    return nil
  }

  /// The canonical tensor that `canonical` is a copy of.
  func tiedSource(of canonical: String) -> String? {
    for (copy, source) in tied {
      for suffix in [""] + Self.suffixes where canonical == copy + suffix { return source + suffix }
    }
    return nil
  }
}
