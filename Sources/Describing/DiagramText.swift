/// A diagram in box characters: the residual stream runs down on the left, branches leave it and are added back.
///
///     ║   ├────╮
///     ║   │    ●  layernorm  attn_norm  eps 1e-05
///     ║   │  ┌─┴─ attn ──────── 2,362,368 ─┐
///     ║   │  │ q, k, v  768 → 768, bias    │
///     ║   │  └─┬───────────────────────────┘
///     ║   ⊕────╯
public struct DiagramText: Sendable {
  private let diagram: Diagram
  private let width: Int
  private let variants: [String?]

  /// How many distinct layers are drawn at most; of a model whose every layer differs, the rest are named.
  public static let drawnKinds = 4

  /// The text of `diagram` in at most about `width` columns; `variants` are the words for the layers, one each.
  public init(_ diagram: Diagram, width: Int = 100, variants: [String?] = []) {
    self.diagram = diagram
    self.width = max(60, width)
    self.variants = variants
  }

  /// The lines, of each stack in turn.
  public var text: String {
    let stacks = diagram.stacks
    if stacks.count < 2 { return lines(from: "tokens", to: "logits") }
    return stacks.map { stack in
      let own = DiagramText(diagram.stack(stack), width: width, variants: stack == nil ? variants : [])
      guard let stack else { return own.lines(from: "tokens", to: "logits") }
      return own.lines(from: stack, to: "states of \(stack)")
    }.joined(separator: "\n")
  }

  private func lines(from start: String, to end: String) -> String {
    var drawn = 0
    var canvas = DiagramCanvas(right: right)
    canvas.add(start, at: 0)
    for (index, section) in diagram.sections.enumerated() {
      let layout = DiagramLayout(section)
      guard !section.layers.isEmpty else {
        canvas.rail()
        canvas.draw(section, layout, isFramed: false)
        if index == 0 { canvas.rail("\(section.width.readable) wide") }
        continue
      }
      if drawn == 0, !strip.isEmpty { for line in strip { canvas.rail(line) } }
      drawn += 1
      if drawn > Self.drawnKinds { continue }
      if drawn > 1 { canvas.rail(dashed: true) }
      canvas.openFrame(title(of: section, number: drawn - 1), count(of: section))
      canvas.draw(section, layout, isFramed: true)
      canvas.closeFrame()
    }
    if drawn > Self.drawnKinds {
      canvas.rail("and \(drawn - Self.drawnKinds) more kinds of layers", dashed: true)
    }
    canvas.rail()
    canvas.add(end, at: 0)
    return canvas.text
  }

  /// The column of the frame's right edge: as narrow as the words allow.
  private var right: Int {
    var needed = 46
    for section in diagram.sections.filter({ $0.layers.isEmpty }) + kinds.prefix(Self.drawnKinds) {
      for case (.node(let index, let rail), _) in DiagramLayout(section).items {
        needed = max(needed, DiagramCanvas.width(of: section.nodes[index], on: rail))
      }
    }
    for (number, section) in kinds.prefix(Self.drawnKinds).enumerated() {
      needed = max(needed, title(of: section, number: number).count + count(of: section).count + 18)
    }
    return min(needed, width - 3)
  }

  private var kinds: [Diagram.Section] { diagram.sections.filter { !$0.layers.isEmpty } }

  private func count(of section: Diagram.Section) -> String {
    section.parameterCount.grouped + (section.layers.count > 1 ? " each" : "")
      + (section.sharedCount > 0 ? ", \(section.sharedCount.grouped) shared" : "")
  }

  private func title(of section: Diagram.Section, number: Int) -> String {
    if kinds.count == 1 { return section.layers.count == 1 ? "1 layer" : "× \(section.layers.count)" }
    let names = Set(section.layers.compactMap { $0 < variants.count ? variants[$0] : nil }).sorted()
    let times = section.layers.count > 1 ? " × \(section.layers.count): layers" : ": layer"
    return (["\(Diagram.letter(number))\(times) \(shortRanges(section.layers))"] + names).joined(separator: " · ")
  }

  /// Which kind each layer is, in lines: a letter a layer, in groups of a period when there is one.
  private var strip: [String] {
    guard kinds.count > 1 else { return [] }
    var letters = [Character](repeating: "?", count: diagram.layerCount)
    for (number, section) in kinds.enumerated() {
      for layer in section.layers where layer < letters.count { letters[layer] = Diagram.letter(number) }
    }
    let group = period(of: letters) ?? period(of: variants.compactMap(\.self)) ?? 8
    let groups = stride(from: 0, to: letters.count, by: group).map {
      String(letters[$0..<min($0 + group, letters.count)])
    }
    let perLine = max(1, (right - 16) / (group + 1))
    return stride(from: 0, to: groups.count, by: perLine).map {
      ($0 == 0 ? "layers  " : "        ") + groups[$0..<min($0 + perLine, groups.count)].joined(separator: " ")
    }
  }
}

/// After how many items `items` repeat, if after 2 to 12.
public func period(of items: [some Equatable]) -> Int? {
  (2...12).first { period in
    2 * period <= items.count && items.indices.allSatisfy { $0 < period || items[$0] == items[$0 - period] }
  }
}

/// Layer numbers as ranges, cut short where there are many: `0, 2, 4 … 124`.
public func shortRanges(_ numbers: [Int]) -> String {
  let all = ranges(numbers)
  let parts = all.split(separator: ",").map { String($0.drop { $0 == " " }) }
  guard parts.count > 5 else { return all }
  let step = numbers.count > 1 ? numbers[1] - numbers[0] : 1
  let isEven = zip(numbers, numbers.dropFirst()).allSatisfy { $1 - $0 == step }
  return isEven
    ? "\(numbers[0]), \(numbers[1]), \(numbers[2]) … \(numbers[numbers.count - 1])"
    : parts.prefix(3).joined(separator: ", ") + " … " + (parts.last ?? "")
}
