import Ablation
import ArgumentParser
import Composition
import Describing
import Files
import Kernels
import Specification

/// What `chimera check --coordinates` found: a table, and an exit status that says whether all is flat.
struct CoordinateReport {
  private let name: String
  private let check: CoordinateCheck

  /// Checks `model` with the changes of `options` at the learning rate `rate`.
  init(_ model: String, _ options: ModelOptions, rate: Double) throws {
    let zoo = try options.zoo()
    let described = try zoo.models.describe(model, patches: options.patches())
    guard case .specification = described.source else {
      throw Failure(.usage, "--coordinates trains a model anew; '\(model)' has weights of its own, so name its spec")
    }
    name = described.plan.name
    let composer = Composer(zoo.registry)
    check = try CoordinateCheck(
      described.architecture, SpecificationLoader(catalog: zoo.catalog, for: composer), composer, rate: rate,
      pool: ThreadPool(threads: ThreadPool.preferredThreadCount()))
  }

  func write(json: Bool) throws {
    if json {
      Console.write(document.serialized(pretty: true) + "\n")
    } else {
      var table = TextTable([.left] + check.widths.map { _ in .right } + [.right, .left])
      table.add(["mean change at a width of"] + check.widths.map { "\($0)" } + ["slope", ""])
      for line in check.lines {
        table.add(
          [line.name] + line.changes.map { Quantity.written($0, "%.3g") }
            + [Quantity.written(line.slope, "%+.2f"), word(line)])
      }
      Console.write(table.text(width: Console.width))
    }
    let bent = check.lines.filter { !$0.isFlat }
    if bent.isEmpty {
      if !json { Console.write("\(name): training changes what it computes as much at every width\n") }
      return
    }
    Console.note(
      "error: in \(name) training changes \(bent.map(\.name).joined(separator: ", ")) more or less in wider models "
        + "(slopes beyond ±\(CoordinateCheck.tolerance)); an 'init' of muP or CompleteP makes them flat")
    throw ExitCode(Failure.Status.failed.rawValue)
  }

  private func word(_ line: CoordinateCheck.Line) -> String {
    line.isFlat ? "flat" : line.slope > 0 ? "grows" : "shrinks"
  }

  private var document: JSONValue {
    [
      "model": .string(name), "flat": .bool(check.isFlat), "widths": .array(check.widths.map { .integer($0) }),
      "quantities": .array(
        check.lines.map { line in
          [
            "name": .string(line.name), "changes": .array(line.changes.map { .number($0) }),
            "slope": .number(line.slope), "flat": .bool(line.isFlat),
          ]
        }),
    ]
  }
}
