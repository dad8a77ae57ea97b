import ArgumentParser
import Components
import Composition
import Files
import Describing
import Specification

/// `chimera list`: the models of the zoo.
struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the models of the zoo.",
    discussion: """
        chimera list --family llama2
        chimera list --component rope --max-params 2B
        chimera list --here
        chimera list --html zoo.html
        chimera list --html zoo/
        chimera list -q | xargs -n 1 chimera check
      """)

  @Option(help: "Only models of this family.") var family: String?
  @Option(help: "Only models that use this component (chimera components). May be repeated.") var component: [String] =
    []
  @Option(help: "Only models of at least this many parameters: 350M, 2B.") var minParams: String?
  @Option(help: "Only models of at most this many parameters.") var maxParams: String?
  @Flag(help: "Only models whose weights are on this machine.") var here = false
  @Flag(help: "Write a JSON document.") var json = false
  @Option(help: "Write an HTML gallery to this file, or with each model's page into a FOLDER/.") var html: String?
  @Flag(name: [.short, .long], help: "Write names only.") var quiet = false

  func validate() throws {
    if [quiet, json, html != nil].count(where: { $0 }) > 1 {
      throw ValidationError("--quiet, --json and --html exclude each other")
    }
    for (option, text) in [("--min-params", minParams), ("--max-params", maxParams)] {
      if let text, Quantity.count(text) == nil {
        throw ValidationError("\(option) takes a number such as 350M or 2B, not '\(text)'")
      }
    }
  }

  func run() throws {
    let zoo = try Zoo()
    let isUnfiltered = component.isEmpty && !here && minParams == nil && maxParams == nil
    try check(zoo)
    if quiet, isUnfiltered {
      for model in zoo.catalog.models() where family == nil || model.family == family {
        Console.write(model.name + "\n")
      }
      return
    }
    let listing = ZooListing(of: zoo, family: family)
    for model in listing.broken {
      Console.note(
        "note: '\(model.name)' is left out, because it does not compose; 'chimera check \(model.name)' says why")
    }
    let models = try listing.models.filter { try isWanted($0) && (!here || isHere($0, zoo)) }
    if let html {
      let names = Set(models.map(\.name))
      try GalleryFiles(ZooEntry.all(of: zoo) { names.contains($0.name) }.entries, zoo).write(to: html)
    } else if quiet {
      for model in models { Console.write(model.name + "\n") }
    } else if json {
      Console.write(JSONValue.array(models.map(\.document)).serialized(pretty: true) + "\n")
    } else {
      Console.write(table(models))
      if models.isEmpty { Console.note("note: no model of the zoo matches") }
    }
  }

  /// A family or component that is not there is a mistake, not an empty list.
  private func check(_ zoo: Zoo) throws {
    if zoo.catalog.models().isEmpty {
      throw Failure(
        .notFound,
        "no zoo is here: no folder Architectures stands beside the program, and none is named by CHIMERA_ARCHITECTURES")
    }
    if let family {
      let families = Set(zoo.catalog.models().map(\.family))
      if !families.contains(family) {
        let near = nearestName(to: family, in: families.sorted()).map { "did you mean '\($0)'?" }
        throw Failure(
          .notFound,
          "no family is named '\(family)'; \(near ?? "the families are " + families.sorted().joined(separator: ", "))")
      }
    }
    let names = Set(Slot.ofModels.flatMap { zoo.registry.names(in: $0) })
    for name in component where !names.contains(name) {
      let near = zoo.registry.terms.hint(for: name, among: names.sorted())
      throw Failure(.notFound, "no component is named '\(name)'; \(near ?? "'chimera components' lists them")")
    }
  }

  private func isWanted(_ model: ListedModel) -> Bool {
    component.allSatisfy(model.components.contains)
      && model.parameterCount >= minParams.flatMap(Quantity.count) ?? 0
      && model.parameterCount <= maxParams.flatMap(Quantity.count) ?? Int.max
  }

  private func isHere(_ model: ListedModel, _ zoo: Zoo) throws -> Bool {
    let specifications = SpecificationLoader(catalog: zoo.catalog, for: Composer(zoo.registry))
    return try zoo.models.weightsOnThisMachine(specifications.load(model.name)) != nil
  }

  /// A line a model; two where a terminal is too narrow for one.
  private func table(_ models: [ListedModel]) -> String {
    var table = TextTable([.left, .left, .right, .right, .right, .left, .left])
    table.add(["name", "family", "year", "params", "context", "licence", "architecture"])
    for model in models { table.add(cells(model) + [model.madeOf]) }
    if !Console.isTerminal || table.naturalWidth <= Console.width { return table.text() }
    var narrow = TextTable([.left, .left, .right, .right, .right, .left], flexible: [5])
    narrow.add(["name", "family", "year", "params", "context", "licence"])
    for model in models { narrow.add(cells(model)) }
    let lines = narrow.text().split(separator: "\n")
    return lines[0] + "\n"
      + zip(lines.dropFirst(), models).map { line, model in
        wrap(model.madeOf, to: Console.width - 4).reduce(line + "\n") { $0 + "    \($1)\n" }
      }.joined()
  }

  private func cells(_ model: ListedModel) -> [String] {
    [
      model.name, model.family ?? "", model.year.map(String.init) ?? "", Quantity.short(model.parameterCount),
      model.contextLength.grouped, model.licence ?? "",
    ]
  }
}
