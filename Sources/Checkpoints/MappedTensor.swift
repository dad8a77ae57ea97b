import Components

/// A stored tensor that a map expects for a plan, with the canonical tensors it holds.
struct MappedTensor {
  let rule: CheckpointRule
  /// Its name without prefix.
  let name: String
  /// The indices of its canonical tensors in the plan, `[part][expert]`.
  let targets: [[Int]]
  let binding: LayoutBinding
  /// The names, without prefix, of what a checkpoint may have in its place.
  var joined: [String] = []

  /// The number of its layer: the first in its name.
  var layer: Int? { TensorNamePattern.generalizing(name).numbers.first }
}

/// A layer of a checkpoint: one of several stacks may have it.
struct StoredLayer: Hashable {
  /// What stands before its number in the names of its tensors.
  let stem: Substring
  /// Its number: the first in those names.
  let number: Int

  /// The layer of the tensor `name`; nil where no part of it is a number.
  init?(of name: String) {
    for part in name.split(separator: ".", omittingEmptySubsequences: false) {
      guard part.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = Int(part) else { continue }
      self.stem = name[..<part.startIndex]
      self.number = number
      return
    }
    return nil
  }
}

extension CheckpointMap {
  /// What the map expects for `tensors`: for each rule and layer the stored tensor, if the plan has all of its parts.
  ///
  /// A canonical tensor without any is a problem, and so is a layout that does not fit its shapes. `count` gives the
  /// number at a path of the spec, for the layer of a canonical name.
  func mappedTensors(
    for tensors: [PlannedTensor], count: (_ path: String, _ name: TensorName) -> Int?
  ) -> (tensors: [MappedTensor], uncovered: [String: String], problems: Problems) {
    var byPattern: [String: [(rule: Int, part: Int)]] = [:]
    for (index, rule) in rules.enumerated() {
      for (part, pattern) in rule.canonical.enumerated() { byPattern[pattern.text, default: []].append((index, part)) }
    }
    let names = Set(tensors.map(\.name.text))
    struct Key: Hashable {
      let rule: Int
      let suffix: String
      let numbers: [Int]
    }
    var found: [Key: [[(expert: Int, tensor: Int)]]] = [:]
    var order: [Key] = []
    for (tensor, planned) in tensors.enumerated() {
      let (pattern, numbers) = (planned.name.pattern, planned.name.patternNumbers)
      for suffix in [""] + Self.suffixes where pattern.hasSuffix(suffix) {
        for (rule, part) in byPattern[String(pattern.dropLast(suffix.count))] ?? []
        where rules[rule].isExact == suffix.isEmpty
          && (rules[rule].beside.map { names.contains($0.name(numbers)) } ?? true)
        {
          let key = Key(rule: rule, suffix: suffix, numbers: rules[rule].storedNumbers(numbers))
          if found[key] == nil {
            order.append(key)
            found[key] = Array(repeating: [], count: rules[rule].canonical.count)
          }
          found[key]?[part].append((rules[rule].layout.hasExperts ? numbers.last ?? 0 : 0, tensor))
        }
      }
    }

    var mapped: [MappedTensor] = []
    var uncovered: [String: String] = [:]
    var problems = Problems()
    for key in order {
      let rule = rules[key.rule]
      let parts = (found[key] ?? []).map { $0.sorted { $0.expert < $1.expert } }
      let name = rule.stored.name(key.numbers) + key.suffix
      let experts = parts.map { $0.map(\.expert) }
      guard let first = experts.first(where: { !$0.isEmpty }), experts.allSatisfy({ $0 == first }),
        first == Array(0..<first.count)
      else {
        for tensor in parts.joined() { uncovered[tensors[tensor.tensor].name.text] = name }
        continue
      }
      let targets = parts.map { $0.map(\.tensor) }
      let canonicalName = tensors[targets[0][0]].name
      do {
        let binding = try LayoutBinding(rule.layout, targets: targets.map { $0.map { tensors[$0].shape } }) { symbol in
          axes[symbol].flatMap { count($0, canonicalName) }
        }
        mapped.append(
          MappedTensor(
            rule: rule, name: name, targets: targets, binding: binding,
            joined: rule.joins.map { $0.stored.name(key.numbers) + key.suffix }))
      } catch {
        for tensor in parts.joined() { uncovered[tensors[tensor.tensor].name.text] = name }
        problems.add(Problem("\(error.sentence) (for '\(name)')", at: rule.place))
      }
    }
    return (mapped, uncovered, problems)
  }
}
