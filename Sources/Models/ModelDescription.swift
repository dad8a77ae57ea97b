import Checkpoints
import Components
import Composition
import Specification
import Tokenization

/// A model that has been found and composed; no weight has been read.
public struct ModelDescription: Sendable {
  /// What its file says.
  public let architecture: Architecture
  /// Its components with the options that take effect.
  public let choices: ArchitectureChoices
  /// What was composed from it.
  public let plan: Plan
  /// Where its weights, configuration and tokenizer are, when it came with any.
  public let source: ModelSource
  /// The GGUF file that `source` is, opened; nil when it is something else.
  let container: GGUFFile?
  /// The tokenizer in `container`, being made already; nil when nobody asked for it so early.
  let upcomingTokenizer: Started<Tokenizer?>?
  /// The adapter that its weights are changed by; nil for none.
  public let adapter: AdapterMatch?
  /// What a user should know: a count that is not the published one.
  public let notes: [String]
}
