import Components
import Composition
import Files

/// Where a model's parameters are: areas as large as counts, by part and by tensor, all layers together.
///
/// Places are percentages, so that the map takes whatever room there is and its words keep their size.
package struct Treemap {
  /// Tensors of one name in all layers.
  struct Item {
    let name: String
    let part: Footprint.PartName
    var count: Int
    /// How many tensors of the name there are.
    var tensors: Int
  }

  /// A rectangle in hundredths of the map.
  package struct Area {
    package var x: Double
    package var y: Double
    package var width: Double
    package var height: Double

    /// The area with its left upper corner at (`x`, `y`).
    package init(x: Double, y: Double, width: Double, height: Double) {
      (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }
  }

  let plan: Plan
  let total: Int

  init(_ plan: Plan) {
    self.plan = plan
    total = plan.parameterCount
  }

  /// The map's height in pixels, and the widths in pixels that it has on a phone and on a desk.
  private static let height = 300.0
  private static let narrow = 340.0
  private static let broad = 620.0

  var markup: Markup {
    var pieces: [Markup] = []
    let parts = parts
    for (part, area) in zip(
      parts, Self.areas(parts.map { Double($0.count) }, in: Area(x: 0, y: 0, width: 100, height: 100)))
    {
      let kind = PartKind(scope: part.items[0].part.scope)
      let inner = Self.areas(part.items.map { Double($0.count) }, in: area)
      for (item, area) in zip(part.items, inner) { pieces.append(cell(item, area, kind)) }
    }
    let description = parts.map { "\($0.items[0].part) \(Quantity.share($0.count, of: total))" }.joined(separator: ", ")
    return .element(
      "svg",
      [
        "class": "treemap", "width": "100%", "height": "300", "role": "img",
        "aria-label": "Parameters by part: \(description)",
      ], [.element("title", "Parameters by part"), .element("desc", Markup(description))] + pieces)
  }

  private func cell(_ item: Item, _ area: Area, _ kind: PartKind) -> Markup {
    let percent = { (value: Double) in coordinateOfMap(value) + "%" }
    let label = item.tensors > 1 ? "\(item.name) × \(item.tensors)" : item.name
    let share = Quantity.share(item.count, of: total)
    var pieces: [Markup] = [
      .element("title", Markup("\(label): \(item.count.grouped) (\(share))")),
      .element("rect", ["width": "100%", "height": "100%", "class": "shape"]),
    ]
    let lines = [item.name, item.tensors > 1 ? "× \(item.tensors)" : "", share].filter { !$0.isEmpty }
    let room = area.height / 100 * Self.height
    var isBroad = false
    for (index, line) in lines.enumerated() where Double(index) * 15 + 20 <= room {
      let needed = estimatedWidth(line, size: 12) + 14
      let fits = { (width: Double) in needed <= area.width / 100 * width }
      guard fits(Self.broad) else { break }
      // A second line without the first would say nothing.
      isBroad = isBroad || !fits(Self.narrow)
      pieces.append(
        .element(
          "text",
          [
            "class": (index == 0 ? "call" : "detail") + (isBroad ? " broad" : ""), "x": "7",
            "y": coordinate(Double(index) * 15 + 17),
          ], Markup(line)))
    }
    return .element(
      "svg",
      [
        "x": percent(area.x), "y": percent(area.y), "width": percent(area.width), "height": percent(area.height),
        "class": kind.styleClass,
      ], pieces)
  }

  /// The parts with their tensors, largest first.
  private var parts: [(count: Int, items: [Item])] {
    var items: [String: Item] = [:]
    for tensor in plan.parameters {
      let words = tensor.name.path
      let name = (words.count > 1 ? words.dropLast() : words[...]).joined(separator: ".")
      let part = Footprint.part(ofTensor: tensor.name)
      // Norms are small wherever they stand.
      let key = PartKind(scope: part.scope) == .norm ? part.description : name
      items[key, default: Item(name: key, part: part, count: 0, tensors: 0)].count += tensor.count
      items[key]?.tensors += tensor.name.isBias ? 0 : 1
    }
    let groups = Dictionary(grouping: items.values.filter { $0.count > 0 }, by: \.part)
    return groups.values.map { items in
      (items.reduce(0) { $0 + $1.count }, items.sorted { ($1.count, $0.name) < ($0.count, $1.name) })
    }.sorted { ($1.count, $0.items[0].part.description) < ($0.count, $1.items[0].part.description) }
  }

  /// Areas for `sizes`, which fall, in `whole`: rows along the shorter side as square as they can be (Bruls, Huizing and
  /// van Wijk, 2000).
  package static func areas(_ sizes: [Double], in whole: Area) -> [Area] {
    var areas: [Area] = []
    var rest = whole
    var start = 0
    let sum = sizes.reduce(0, +)
    guard sum > 0 else { return sizes.map { _ in whole } }
    let scale = whole.width * whole.height / sum
    // The map is about twice as wide as high, so a hundredth across is longer than one down.
    let stretch = 1.9
    while start < sizes.count {
      let isWide = rest.width * stretch >= rest.height
      let side = isWide ? rest.height : rest.width
      guard side > 0 else {
        areas += sizes[start...].map { _ in Area(x: rest.x, y: rest.y, width: 0, height: 0) }
        break
      }
      var end = start + 1
      let worst = { (range: Range<Int>) -> Double in
        let row = sizes[range].reduce(0, +) * scale / side
        guard row > 0 else { return .infinity }
        return sizes[range].map { size in
          let along = size * scale / row
          let ratio = isWide ? row * stretch / along : along * stretch / row
          return ratio > 0 ? max(ratio, 1 / ratio) : .infinity
        }.max() ?? .infinity
      }
      while end < sizes.count, worst(start..<end + 1) <= worst(start..<end) { end += 1 }
      let thickness = sizes[start..<end].reduce(0, +) * scale / side
      var offset = 0.0
      for size in sizes[start..<end] {
        let along = thickness > 0 ? size * scale / thickness : 0
        areas.append(
          isWide
            ? Area(x: rest.x, y: rest.y + offset, width: thickness, height: along)
            : Area(x: rest.x + offset, y: rest.y, width: along, height: thickness))
        offset += along
      }
      if isWide {
        rest.x += thickness
        rest.width = max(0, rest.width - thickness)
      } else {
        rest.y += thickness
        rest.height = max(0, rest.height - thickness)
      }
      start = end
    }
    return areas
  }
}

/// A place in the map, in hundredths with two digits after the point.
private func coordinateOfMap(_ value: Double) -> String {
  let hundredths = Int(rounding: max(0, value) * 100)
  let rest = hundredths % 100
  return rest == 0 ? "\(hundredths / 100)" : "\(hundredths / 100)." + (rest < 10 ? "0" : "") + "\(rest)"
}
