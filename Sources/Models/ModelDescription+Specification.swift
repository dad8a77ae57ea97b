import Specification

extension ModelDescription {
  /// The whole spec that gives the same plan by itself, as YAML; `withFormats` says what it knows of other programs' files
  /// too.
  public func specification(withFormats: Bool) -> String { architecture.text(withFormats: withFormats) }
}
