/// What is known about a model besides its shape; nothing of it changes what is computed.
public struct Facts: Sendable, Hashable {
  /// The name that people write.
  public var title: String?
  /// The year it was published in.
  public var year: Int?
  /// Who made it.
  public var authors: [String] = []
  /// Where it is described.
  public var paper: String?
  /// The licence of its weights.
  public var licence: String?
  /// Where its weights are: a repository or an address.
  public var weights: String?
  /// The commit of that repository that the file was made for: 40 hexadecimal digits.
  public var revision: String?
  /// What a careful reader should know.
  public var note: String?

  /// Where its weights are, at the commit where that is known: `org/name@commit`.
  public var published: String? { weights.map { $0 + (revision.map { "@" + $0 } ?? "") } }

  /// No facts.
  public init() {}
}
