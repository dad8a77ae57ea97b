import ArgumentParser
import Composition
import Models

/// `chimera check`: whether a spec composes, and whether weights fit it.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Check a spec, and whether weights fit it.")

  @Argument(help: "The model.") var model: String
  @OptionGroup var options: ModelOptions
  @Option(help: "A checkpoint whose names and shapes are held against the spec.") var weights: String?

  func run() throws {
    let described = try Zoo().models.describe(model, patches: options.patches())
    for note in described.notes { Console.note("note: \(note)") }
    Console.write("\(described.plan.name) composes: \(described.plan.parameterCount.grouped) parameters\n")
  }
}
