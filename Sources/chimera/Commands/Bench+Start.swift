import Describing
import Essentials
import Files
import Kernels
import Models

/// What needs no row: the start of a process, and the machine.
extension Bench {
  func measureStart(_ described: ModelDescription, _ models: ModelLoader) throws {
    if case .specification = described.source {
      throw Failure(.notFound, "--cold reads weights from a file: give them with --weights PATH")
    }
    let hasText = try models.tokenizer(of: described) != nil
    var rows: [JSONValue] = []
    for threads in threadCounts {
      let arguments =
        ["run", model ?? ""] + (hasText ? ["Hello"] : ["--tokens", "1"])
        + ["--max-tokens", "1", "--temperature", "0", "--ignore-end", "--quiet", "--threads", String(threads)]
        + (weights.map { ["--weights", $0] } ?? []) + changes.changes.flatMap { ["--set", $0] }
      let start = try ColdStart(arguments, repetitions: repetitions)
      if format == .json {
        var row = JSONObject()
        row["threads"] = .integer(threads)
        for (key, value) in zip(start.json.keys, start.json.values) { row[key] = value }
        rows.append(.object(row))
      } else {
        func milliseconds(_ samples: Samples) -> String {
          let scaled = samples.scaled(by: 1e3)
          return
            "\(Quantity.digits(scaled.median)) ms (\(Quantity.digits(scaled.smallest))–\(Quantity.digits(scaled.largest)))"
        }
        Console.write(
          "\(described.plan.name), \(threads) threads: first token after \(milliseconds(start.firstToken)), "
            + "end after \(milliseconds(start.process)), most memory \(Quantity.bytes(start.peakMemory))\n")
      }
    }
    if format == .json {
      var document = JSONObject()
      document["model"] = .string(described.plan.name)
      document["machine"] = .object(Machine().json)
      document["rows"] = .array(rows)
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    }
  }

  func tellMachine() {
    let machine = Machine()
    let counts = threads?.numbers ?? Array(Set([1, machine.threads])).sorted()
    let limits = counts.map(MeasuredLimits.init)
    if format == .json {
      var document = machine.json
      document["limits"] = .array(limits.map(\.json))
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else {
      Console.write(machine.text + MeasuredLimits.text(limits))
    }
  }
}
