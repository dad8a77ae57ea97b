import Ablation
import ArgumentParser
import Files
import Specification

/// `chimera schema`: the language of specifications, for editors.
struct Schema: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Write the JSON Schema of specifications, for editors.",
    discussion: """
      Save it, and name it in the first line of a YAML file: editors with a YAML
      language server then complete keys and mark errors.

        chimera schema > chimera.schema.json
        # yaml-language-server: $schema=chimera.schema.json

      --study writes that of a study's file, --results that of its results.json.
      """)

  @Flag(help: "The schema of studies.") var study = false
  @Flag(help: "The schema of a study's results.json.") var results = false

  func validate() throws {
    if study && results { throw ValidationError("--study and --results exclude each other") }
  }

  func run() throws {
    if study || results {
      Console.write((study ? StudySchema.study : StudySchema.results).serialized(pretty: true) + "\n")
      return
    }
    Console.write(SpecificationSchema(try Zoo().registry.describe()).json.serialized(pretty: true) + "\n")
  }
}
