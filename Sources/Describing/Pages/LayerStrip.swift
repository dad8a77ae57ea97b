import Components
import Composition
import Specification

/// The layers in a row, a cell each: the upper half is coloured by how it mixes tokens and tells positions apart, the lower
/// by its feed-forward; equal shades are equal parts.
struct LayerStrip {
  let sheet: ModelSheet

  private var kinds: [Diagram.Section] { sheet.diagram.stack(nil).sections.filter { !$0.layers.isEmpty } }

  var markup: Markup {
    let kinds = kinds
    let numbers = kindOfLayer
    guard kinds.count > 1 else {
      return .all([strip(numbers, kinds), .element("p", ["class": "note"], Markup(same(numbers.count)))])
    }
    return .all([strip(numbers, kinds), legend(kinds)])
  }

  private func same(_ count: Int) -> String {
    count == 1 ? "One layer." : "\(count) layers, all with the same components."
  }

  private var kindOfLayer: [Int] {
    var numbers = [Int](repeating: 0, count: sheet.diagram.layerCount)
    for (number, section) in kinds.enumerated() {
      for layer in section.layers where layer < numbers.count { numbers[layer] = number }
    }
    return numbers
  }

  /// The shade of each kind in a part of its layers: equal where `slots` hold the same.
  private func shades(_ slots: [Slot]) -> [Int] {
    var seen: [[Slot: ComponentChoice]] = []
    return kinds.map { section in
      let parts = section.layers.first.map { sheet.choices.layer($0) }?.filter { slots.contains($0.key) } ?? [:]
      if let same = seen.firstIndex(where: { $0.isEquivalent(to: parts) }) { return same }
      seen.append(parts)
      return seen.count - 1
    }
  }

  private func strip(_ numbers: [Int], _ kinds: [Diagram.Section]) -> Markup {
    let mixers = shades([.position] + Slot.ofSublayers.dropLast())
    let others = shades(Slot.ofSublayers.suffix(1))
    let group = period(of: numbers) ?? period(of: sheet.architecture.layers.compactMap(\.variant)) ?? 8
    let size = max(1, min(group, numbers.count))
    let isSame = kinds.count == 1
    let groups = stride(from: 0, to: numbers.count, by: size).map { start in
      let cells = (start..<min(start + size, numbers.count)).map { layer in
        let kind = numbers[layer]
        return Markup.element(
          "li", ["title": title(layer)],
          [
            isSame ? .nothing : .element("b", Markup(String(Diagram.letter(kind)))),
            .element("i", ["class": "part-mixer shade\(min(mixers[kind], 3))"]),
            .element(
              "i", ["class": "\(PartKind(scope: feedForward(kinds[kind])).styleClass) shade\(min(others[kind], 3))"]),
          ])
      }
      return Markup.element("ol", ["start": String(start), "class": "group"], cells)
    }
    return .element(
      "div", ["class": isSame ? "strip same" : "strip", "role": "group", "aria-label": "The layers in order"], groups)
  }

  /// The scope of what transforms each token by itself in a layer.
  private func feedForward(_ section: Diagram.Section) -> String {
    section.nodes.last { $0.kind == .box && PartKind($0) != .mixer }?.title ?? ""
  }

  private func title(_ layer: Int) -> String {
    let variant = layer < sheet.architecture.layers.count ? sheet.architecture.layers[layer].variant : nil
    return ["layer \(layer)", variant].compactMap { $0 }.joined(separator: ", ")
  }

  private func legend(_ kinds: [Diagram.Section]) -> Markup {
    let differences = differences(kinds)
    let rows = kinds.prefix(26).enumerated().map { number, section in
      let variants = Set(section.layers.compactMap { sheet.architecture.layers[$0].variant }).sorted()
      return Markup.element(
        "tr",
        [
          .element("th", ["scope": "row"], Markup(String(Diagram.letter(number)))),
          .element("td", ["class": "number"], Markup("× \(section.layers.count)")),
          .element(
            "td",
            [
              variants.isEmpty ? .nothing : .element("b", Markup(variants.joined(separator: ", ") + " ")),
              Markup(differences[number]),
              .element("small", Markup(" layer\(section.layers.count == 1 ? "" : "s") \(shortRanges(section.layers))")),
            ]),
        ])
    }
    return .element("table", ["class": "legend"], [.element("tbody", rows)])
  }

  /// For each kind, what of it not all kinds have.
  private func differences(_ kinds: [Diagram.Section]) -> [String] {
    let choices = kinds.map { section in section.layers.first.map { sheet.choices.layer($0) } ?? [:] }
    return choices.map { own in
      own.inOrder.compactMap { choice -> String? in
        let others = choices.compactMap { $0[choice.slot] }
        guard others.count < choices.count || others.contains(where: { !$0.isEquivalent(to: choice) }) else {
          return nil
        }
        var words = [choice.slot.rawValue == choice.name ? choice.name : "\(choice.slot.rawValue) \(choice.name)"]
        for option in choice.options {
          let sameName = others.filter { $0.name == choice.name }
          guard let value = option.value, sameName.contains(where: { $0.value(option.path) != value }) else { continue }
          words.append(
            value.flag == true
              ? option.path : value.flag == false ? "not \(option.path)" : "\(option.path) \(value.inWords)")
        }
        let isNamed = others.count < choices.count || others.contains { $0.name != choice.name }
        return words.count > 1 || isNamed ? words.joined(separator: " ") : nil
      }.joined(separator: "; ")
    }
  }
}
