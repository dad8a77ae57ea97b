import Components
import Composition
import Describing
import Essentials
import Formats
import Kernels
import Specification

/// A model's sheet for a terminal: what is known about it, its drawing, and what it costs.
struct SheetText {
  let sheet: ModelSheet
  let width: Int
  /// The storage format of the KV cache.
  var cache = StorageFormat.f32

  var text: String {
    [facts, drawing, costs, memory].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var architecture: Architecture { sheet.architecture }

  private var facts: String {
    let facts = architecture.facts
    var rows = TextTable([.left, .left], flexible: [1])
    let words = [
      facts.title == nil || facts.title == architecture.name ? nil : architecture.name,
      architecture.family.map { "family \($0)" }, facts.year.map(String.init),
    ]
    let besides = words.compactMap { $0.map { " · " + $0 } }.joined()
    for (label, value) in [
      ("authors", facts.authors.joined(separator: ", ")), ("paper", facts.paper ?? ""),
      ("licence", facts.licence ?? ""),
      ("weights", facts.weights ?? ""), ("note", facts.note ?? ""),
    ] where !value.isEmpty { rows.add(label, value) }
    return "\(facts.title ?? architecture.name)\(besides)\n" + rows.text(width: width)
  }

  private var drawing: String {
    DiagramText(sheet.diagram, width: width, variants: architecture.layers.map(\.variant)).text
  }

  private var costs: String {
    let footprint = sheet.footprint
    var table = TextTable([.left, .right, .right, .right, .right])
    table.add("", "parameters", "", "FLOPs, first token", "at \(footprint.context.grouped) tokens")
    for part in footprint.parts {
      table.add(
        part.name.description, part.parameterCount == 0 ? "–" : part.parameterCount.grouped,
        part.parameterCount == 0 ? "" : Quantity.share(part.parameterCount, of: footprint.parameterCount),
        Quantity.operations(part.flopsAtStart), Quantity.operations(part.flopsAtContext))
    }
    table.add(
      "total", footprint.parameterCount.grouped, "", Quantity.operations(footprint.flopsAtStart),
      Quantity.operations(footprint.flopsAtContext))
    for stack in footprint.flopsOfStacks {
      table.add("a row of \(stack.name)", "", "", "", Quantity.operations(stack.flops))
    }
    let active = sheet.plan.activeParameterCount
    if active < footprint.parameterCount {
      table.add("active", active.grouped, Quantity.share(active, of: footprint.parameterCount), "", "")
    }
    return table.text()
  }

  private var memory: String {
    let footprint = sheet.footprint
    let cached = footprint.stateBytes(in: cache)
    var text = ""
    if cached > 0 {
      let others = [StorageFormat.f32, .bf16, .q8_0].filter { $0 != cache }.map {
        "\(Quantity.bytes(footprint.stateBytes(in: $0))) in \($0.rawValue)"
      }
      text +=
        "cache    \(footprint.stateBytesPerToken(in: cache).grouped) bytes per token\(cache == .f32 ? "" : " in \(cache.rawValue)"); "
        + "\(Quantity.bytes(cached)) at \(footprint.context.grouped) tokens (\(others.joined(separator: ", ")))\n"
    }
    var table = TextTable([.left, .right, .right, .right, .right])
    let formats = SheetText.formats
    table.add(["memory"] + formats.map(\.rawValue))
    let weights = formats.map { footprint.weightBytes($0) }
    table.add(["weights"] + weights.map(Quantity.bytes))
    if cached > 0 { table.add(["with KV cache"] + weights.map { Quantity.bytes($0 + cached) }) }
    return text + "\n" + table.text()
  }

  /// The formats that memory is told for.
  static let formats: [StorageFormat] = [.f32, .bf16, .q8_0, .q4_0]
}

extension Footprint {
  /// Bytes of the learned tensors with matrices stored in `format`.
  func weightBytes(_ format: StorageFormat) -> Int {
    weightBytes(elementsPerBlock: format.elementsPerBlock, bytesPerBlock: format.bytesPerBlock)
  }
}
