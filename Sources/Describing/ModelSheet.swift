import Composition
import Components
import Specification

/// What there is to say about a model before it has any weights: the one source of everything that shows a model, as
/// text, as JSON or as a page.
public struct ModelSheet: Sendable {
  /// What its file says.
  public let architecture: Architecture
  /// What was composed from it.
  public let plan: Plan
  /// Its components with the options that take effect.
  public let choices: ArchitectureChoices
  /// What it costs.
  public let footprint: Footprint

  /// The sheet of `architecture`, composed of `choices` as `plan`; costs are for `context` tokens, or what the model is
  /// made for.
  public init(_ architecture: Architecture, _ choices: ArchitectureChoices, _ plan: Plan, context: Int? = nil) {
    self.architecture = architecture
    self.plan = plan
    self.choices = choices
    footprint = Footprint(plan, context: context)
  }

  /// How it is drawn.
  public var diagram: Diagram { Diagram(plan) }
}
