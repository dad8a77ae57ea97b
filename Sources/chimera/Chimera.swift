import ArgumentParser

/// The command line.
struct Chimera: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chimera",
    abstract: "Compose transformers from YAML, and run them.",
    discussion: """
      A MODEL is a name from the zoo (chimera list), a YAML file, a Hugging Face folder or a GGUF file.

      With --plugin PATH any command loads a library of components first (chimera plugin new creates one), as with paths in \
      CHIMERA_PLUGINS.
      """,
    version: "0.1.0",
    subcommands: [
      List.self, Show.self, Diff.self, Check.self, ComponentsCommand.self, CheckComponent.self, Schema.self, Run.self,
      Tokenize.self,
      Logits.self, Verify.self, Save.self, Bench.self, Train.self,
      Eval.self, TokenizerCommand.self, Ablate.self, PluginCommand.self,
    ])
}
