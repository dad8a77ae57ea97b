/// Classes of layers as fewer, where some differ in the classes of their sublayers alone.
///
/// One class stands for those and is told the sublayers': `Block(config, Attention)`, `Block(config, Mamba2)`.
struct LayerKinds {
  /// The class that stands for each, by number.
  private(set) var standing: [Int: Int] = [:]
  /// The classes that the standing one is told, by the number of the class that it stands for.
  private(set) var told: [Int: [Int]] = [:]

  /// The classes at `numbers` of `classes`, of which those that are left out then say so.
  init(_ numbers: [Int], in classes: inout [WrittenClass]) {
    var groups: [[String]: [Int]] = [:]
    for number in numbers { groups[Self.skeleton(classes[number], in: classes), default: []].append(number) }
    for group in groups.values {
      let places = classes[group[0]].parts.indices.filter { index in
        Set(group.map { classes[$0].parts[index].number }).count > 1
      }
      let parts = group.map { number in places.map { classes[number].parts[$0].number } }
      let isOne = group.count > 1 && group.allSatisfy { classes[$0].told.isEmpty }
      for (number, own) in zip(group, parts) {
        // The last comes after all that the others are made of.
        standing[number] = isOne ? group.max() : number
        told[number] = isOne ? own : []
      }
      if isOne, let last = group.max() {
        for other in group where other != last { classes[other].isLeftOut = true }
        classes[last].takeKinds(places)
      }
    }
  }

  /// Whether one class stands for all.
  var isOne: Bool { Set(standing.values).count == 1 }

  /// The class without what its parts are, but for those that are told something beside the config, as a window: that
  /// stands where the part is made, and layers that differ in it are not one.
  private static func skeleton(_ written: WrittenClass, in classes: [WrittenClass]) -> [String] {
    let parts = written.parts.filter { classes[$0.number].told.isEmpty }
    return written.parts.map(\.place)
      + written.key.map { line in parts.reduce(line) { $0.replacing($1.made, with: "⟦\($1.place)⟧") } }
  }
}

extension WrittenClass {
  /// Lets the constructor be told the classes of its parts at `indices`.
  fileprivate mutating func takeKinds(_ indices: [Int]) {
    for index in indices {
      let part = parts[index]
      let word = part.place.replacing(".", with: "_")
      let isNumbered = part.made.contains("(config, layer_idx")
      constructor = constructor.map {
        $0.replacing(part.made, with: "\(word)(config\(isNumbered ? ", layer_idx" : ""))")
      }
      kinds.append(word)
    }
    // What tells it from others of its noun is what is in it whichever the kinds.
    parts = parts.indices.filter { !indices.contains($0) }.map { parts[$0] }
  }
}
