import Components
import Specification

/// A model that has been found and composed; no weight has been read.
public struct ModelDescription: Sendable {
  /// What its file says.
  public let architecture: Architecture
  /// What was composed from it.
  public let plan: Plan
  /// Where its weights, configuration and tokenizer are, when it came with any.
  public let source: ModelSource
  /// What a user should know: configuration keys that were not read, a count that is not the published one.
  public let notes: [String]
}
