import Ablation
import Components
import Essentials
import Files
import Probing

extension ProbeCommand {
  /// Numbers of one interval's part: neighbouring tokens are not independent.
  private static let together = 16

  /// How far the true mean lies from that of `effect`, 19 times in 20; nil where the text is too short to say.
  private func halfWidth(_ effect: PartEffect) -> Double? {
    let parts = PairedBootstrap.parts(effect.parts(of: Self.together))
    guard parts.count >= 5 else { return nil }
    return PairedBootstrap(parts).halfWidth(level: 0.05)
  }

  /// Measures `changes` and writes what they do.
  func write(
    effects study: PartStudy, _ measure: ProbeMeasure, _ changes: [PartChange], _ windows: [[Int]],
    _ texts: ProbedTexts
  ) throws {
    let clock = ContinuousClock()
    var last = clock.now
    let effects = try study.effects(of: changes) { part in
      if clock.now - last < .seconds(5) { return }
      last = clock.now
      Console.note("\(Int(rounding: part * 100, .towardZero)) %")
    }
    if eachToken { return try write(grid: effects, changes, study, measure, windows[0], texts) }
    let widths = effects.map(halfWidth)
    if json {
      var document = document(study, measure, windows, texts)
      document["effects"] = .array(
        effects.indices.map { index in
          var entry = JSONObject()
          entry["part"] = .string(effects[index].name)
          if let kind = changes[index].parts.first?.part.kind, all != nil { entry["kind"] = .string(kind.rawValue) }
          if all != nil { entry["by"] = .string(by.rawValue) }
          entry["change"] = .number(effects[index].mean)
          entry["half_width_95"] = widths[index].map { .number($0) } ?? .null
          return .object(entry)
        })
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
      return
    }
    Console.write("\(texts.plan.name): \(measure.name) \(study.cleanMean.digits(4)), \(size(study, windows))\n")
    var table = TextTable([.left, .right, .left])
    table.add(["", "change", widths.contains { $0 != nil } ? "95 %" : ""])
    for index in effects.indices.sorted(by: { abs(effects[$0].mean) > abs(effects[$1].mean) }) {
      let change = effects[index].mean
      table.add(
        effects[index].name, (change < 0 ? "−" : "+") + abs(change).digits(4),
        widths[index].map { "± \($0.digits(4))" } ?? "")
    }
    Console.write(table.text())
  }

  private func size(_ study: PartStudy, _ windows: [[Int]]) -> String {
    let count = study.clean.reduce(0) { $0 + $1.count }
    return
      "\(count.grouped) \(count == 1 ? "number" : "numbers") of \(windows.count.grouped) \(windows.count == 1 ? "text" : "windows")"
  }

  private func document(
    _ study: PartStudy, _ measure: ProbeMeasure, _ windows: [[Int]], _ texts: ProbedTexts
  ) -> JSONObject {
    var document = JSONObject()
    document["model"] = .string(texts.plan.name)
    document["measure"] = .string(measure.name)
    document["value"] = .number(study.cleanMean)
    document["numbers"] = .integer(study.clean.reduce(0) { $0 + $1.count })
    document["windows"] = .integer(windows.count)
    if windows.count == 1 { document["tokens"] = .array(windows[0].map { .integer($0) }) }
    return document
  }

  /// Writes what each part does at each position.
  private func write(
    grid effects: [PartEffect], _ changes: [PartChange], _ study: PartStudy, _ measure: ProbeMeasure, _ tokens: [Int],
    _ texts: ProbedTexts
  ) throws {
    let rows = stride(from: 0, to: effects.count, by: tokens.count).map { Array(effects[$0..<$0 + tokens.count]) }
    if json {
      var document = document(study, measure, [tokens], texts)
      document["effects"] = .array(
        rows.map { row in
          var entry = JSONObject()
          entry["part"] = .string(row[0].name)
          entry["by"] = .string(by.rawValue)
          entry["changes"] = .array(row.map { .number($0.mean) })
          return .object(entry)
        })
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
      return
    }
    Console.write("\(texts.plan.name): \(measure.name) \(study.cleanMean.digits(4))\n")
    var table = TextTable([.left] + tokens.map { _ in .right })
    table.add([""] + tokens.map { texts.word($0) })
    for row in rows {
      table.add([row[0].name] + row.map { ($0.mean < 0 ? "−" : "+") + abs($0.mean).digits(3) })
    }
    Console.write(table.text())
  }

  /// Writes what the measure gives for each token of the text, or for the text as a whole.
  func write(scores study: PartStudy, _ measure: ProbeMeasure, _ windows: [[Int]], _ texts: ProbedTexts) throws {
    let isByToken = measure == .loss && windows.count == 1
    if json {
      var document = document(study, measure, windows, texts)
      if windows.count == 1 { document["values"] = .array(study.clean[0].map { .number($0) }) }
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
      return
    }
    if isByToken {
      var table = TextTable([.right, .right, .right, .left])
      table.add("", measure.name, "p", "")
      for (index, loss) in study.clean[0].enumerated() {
        table.add(String(index + 1), loss.digits(3), exp(-loss).digits(4), texts.word(windows[0][index + 1]))
      }
      Console.write(table.text())
    }
    Console.write("\(texts.plan.name): \(measure.name) \(study.cleanMean.digits(4)), \(size(study, windows))\n")
  }
}
