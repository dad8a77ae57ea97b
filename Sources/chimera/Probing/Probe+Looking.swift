import Checkpoints
import Components
import Essentials
import Files
import Generation
import Probing

extension ProbeCommand {
  /// Writes what was recorded: into a file, or its shapes and sizes.
  func write(recorded: [(name: String, shape: [Int], numbers: [Float])], _ texts: ProbedTexts) throws {
    if let output {
      let tensors = recorded.map { StoredTensor(name: $0.name, shape: $0.shape, numbers: $0.numbers) }
      try SafetensorsFile.write(tensors, to: output)
      Console.note("wrote \(output)")
      if !json { return }
    }
    let statistics = recorded.map { Spread($0.numbers) }
    if json {
      var document = JSONObject()
      document["model"] = .string(texts.plan.name)
      document["values"] = .array(
        zip(recorded, statistics).map { value, spread in
          var entry = JSONObject()
          entry["name"] = .string(value.name)
          entry["shape"] = .array(value.shape.map { .integer($0) })
          entry["mean"] = .number(spread.mean)
          entry["deviation"] = .number(spread.deviation)
          entry["largest"] = .number(spread.largest)
          return .object(entry)
        })
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
      return
    }
    var table = TextTable([.left, .right, .right, .right, .right])
    table.add("", "shape", "mean", "deviation", "largest")
    for (value, spread) in zip(recorded, statistics) {
      table.add(
        value.name, value.shape.map(String.init).joined(separator: " × "), spread.mean.digits(4),
        spread.deviation.digits(4), spread.largest.digits(4))
    }
    Console.write(table.text())
  }

  /// What numbers are like.
  private struct Spread {
    var (mean, deviation, largest) = (0.0, 0.0, 0.0)

    init(_ numbers: [Float]) {
      guard !numbers.isEmpty else { return }
      let count = Double(numbers.count)
      mean = numbers.reduce(0) { $0 + Double($1) } / count
      deviation = (numbers.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count).squareRoot()
      largest = numbers.reduce(0) { max($0, abs(Double($1))) }
    }
  }

  private static let shown = 5

  /// Writes the likeliest tokens after each position, behind each layer; on a screen those after the last position.
  func writeLens(_ probe: ModelProbe, _ tokens: [Int], _ changes: PreparedChanges, _ texts: ProbedTexts) throws {
    var order: [String] = []
    var rows: [String: [(position: Int, probability: TokenProbability)]] = [:]
    try probe.lens(tokens, changing: changes) { name, position, logits in
      if rows[name] == nil { order.append(name) }
      let next = position + 1 < tokens.count ? tokens[position + 1] : 0
      rows[name, default: []].append(
        (position, TokenProbability(of: next, among: logits, mostLikely: Self.shown)))
    }
    if json {
      var document = JSONObject()
      document["model"] = .string(texts.plan.name)
      document["tokens"] = .array(tokens.map { .integer($0) })
      document["lens"] = .array(
        order.map { name in
          var entry = JSONObject()
          entry["name"] = .string(name)
          entry["positions"] = .array(
            (rows[name] ?? []).map { position, probability in
              var object = JSONObject()
              if position + 1 < tokens.count {
                object["next_log_probability"] = .number(probability.token.logProbability)
              }
              object["top"] = .array(
                probability.mostLikely.map { choice in
                  var object = JSONObject()
                  object["id"] = .integer(choice.id)
                  if let text = texts.tokenizer?.decode([choice.id]) { object["text"] = .string(text) }
                  object["probability"] = .number(exp(choice.logProbability))
                  return .object(object)
                })
              return .object(object)
            })
          return .object(entry)
        })
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
      return
    }
    var table = TextTable([.left] + (0..<Self.shown).map { _ in .left })
    for name in order {
      let likeliest = rows[name]?.last?.probability.mostLikely ?? []
      table.add([name] + likeliest.map { "\(texts.word($0.id)) \(exp($0.logProbability).digits(3))" })
    }
    Console.write(table.text())
  }
}
