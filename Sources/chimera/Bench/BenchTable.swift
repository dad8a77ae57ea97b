import Composition
import Describing
import Essentials
import Files

/// Measured rows for people, for Markdown and for spreadsheets.
struct BenchTable {
  let model: String
  let rows: [BenchRow]

  private var headers: [String] {
    ["weights", "threads", "test", "tokens/s", "min–max", "GB/s", "of memory", "GFLOP/s", "of peak"]
      + (rows.first?.rival.map { [$0.name, "ratio", "min–max"] } ?? [])
  }

  private func cells(_ row: BenchRow) -> [String] {
    let speed = row.tokensPerSecond
    return [
      row.weightsType, String(row.threads), row.title,
      "\(Quantity.digits(speed.mean)) ± \(Quantity.digits(speed.deviation, like: speed.mean))",
      "\(Quantity.digits(speed.smallest))–\(Quantity.digits(speed.largest))",
      Quantity.digits(row.bytesPerSecond.median / 1e9), Quantity.percent(row.shareOfReadRate.median),
      Quantity.digits(row.flopsPerSecond.median / 1e9),
      Quantity.percent(row.shareOfPeak.median) + " " + row.arithmetic.rawValue,
    ] + (row.rival.map { cells($0, beside: speed) } ?? [])
  }

  /// The medians, and how far the ratios of single turns lie apart.
  private func cells(_ rival: RivalSamples, beside speed: Samples) -> [String] {
    let ratios = rival.ratios(of: speed)
    return [
      Quantity.digits(rival.tokensPerSecond.median), Quantity.digits(ratios.median),
      "\(Quantity.digits(ratios.smallest))–\(Quantity.digits(ratios.largest))",
    ]
  }

  /// Aligned columns.
  var text: String {
    var table = TextTable(headers.indices.map { [0, 2].contains($0) ? .left : .right })
    table.add(headers)
    for row in rows { table.add(cells(row)) }
    return table.text()
  }

  var markdown: String {
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
    return line(["model"] + headers)
      + line(["---"] + headers.indices.map { [0, 2].contains($0) ? "---" : "---:" })
      + rows.map { line([model] + cells($0)) }.joined()
  }

  /// One line a row; what was sampled is given by its mean, deviation, median and extremes.
  var csv: String {
    guard let first = rows.first else { return "" }
    let lines = rows.map { row in
      [quoted(model)] + row.fields.flatMap { values($0.value).map(\.text) }
    }
    let header = ["model"] + first.fields.flatMap { field in values(field.value).map { field.name + $0.suffix } }
    return ([header] + lines).map { $0.joined(separator: ",") + "\n" }.joined()
  }

  private func values(_ value: JSONValue) -> [(suffix: String, text: String)] {
    switch value {
    case .object(let object):
      return zip(object.keys, object.values).filter { $0.0 != "samples" }.map { ("_" + $0, text($1)) }
    default: return [("", text(value))]
    }
  }

  private func text(_ value: JSONValue) -> String {
    if let text = value.string { return quoted(text) }
    return value.serialized(pretty: false)
  }

  private func quoted(_ text: String) -> String {
    text.contains { ",\"\n".contains($0) } ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
  }
}
