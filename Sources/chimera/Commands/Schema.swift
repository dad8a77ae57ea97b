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
      """)

  func run() throws {
    Console.write(SpecificationSchema(try Zoo().registry.describe()).json.serialized(pretty: true) + "\n")
  }
}
