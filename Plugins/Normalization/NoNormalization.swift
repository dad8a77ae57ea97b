import Components

/// No normalization: vectors pass as they are.
///
///     y = x
///
/// For ablations, and for the slots that a placement leaves empty. Source: none needed; it is the identity.
public struct NoNormalization: Normalization {
  public static let name = "none"
  public var isIdentity: Bool { true }

  public init(_ options: Options) {}

  public func write(_ x: Value, named name: String, over span: NormSpan, into plan: inout PlanBuilder) -> Value { x }
}
