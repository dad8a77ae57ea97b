/// What an option takes.
public enum OptionKind: Sendable, Hashable {
  /// A number.
  case number
  /// An integer.
  case integer
  /// `true` or `false`.
  case flag
  /// A text.
  case text
  /// One of these words.
  case choice([String])
  /// A number, or one of these words for a number that follows from the model's sizes.
  case numberOrWord([String])
  /// One flag for all of these keys, or a group with some of them.
  case flags([String])
  /// Numbers in order.
  case numbers
  /// Numbers under names of the user's choice.
  case namedNumbers
  /// A component of this slot, by name or as a group.
  case component(Slot)
  /// A group of options.
  case group
}

/// One option of a component, as the component itself reads it.
public struct OptionDescription: Sendable, Hashable {
  /// The key, after those of the groups it stands in: `scaling.factor`.
  public let path: String
  /// What it takes.
  public let kind: OptionKind
  /// What stands in for it when it is left out, when that is the same for every model.
  public let defaultText: String?
  /// Whether what stands in for it follows from the model's sizes or from other options.
  public let defaultFollows: Bool
  /// What it means, in a few words.
  public let meaning: String
  /// Whether it must be given.
  public let isRequired: Bool

  /// An option at `path`.
  public init(
    path: String, kind: OptionKind, defaultText: String?, defaultFollows: Bool = false, meaning: String,
    isRequired: Bool
  ) {
    self.path = path
    self.kind = kind
    self.defaultText = defaultText
    self.defaultFollows = defaultFollows
    self.meaning = meaning
    self.isRequired = isRequired
  }

  /// The same option, with a default that differs from model to model.
  var followingFromSizes: OptionDescription {
    OptionDescription(
      path: path, kind: kind, defaultText: nil, defaultFollows: true, meaning: meaning, isRequired: isRequired)
  }
}

/// What a component says of itself.
public struct ComponentDescription: Sendable {
  /// The slot it fills.
  public let slot: Slot
  /// The word that names it.
  public let name: String
  /// Its doc comment: a sentence, the equation, the source.
  public let documentation: String
  /// The options it reads.
  public let options: [OptionDescription]

  /// A description of the component `name` of `slot`.
  public init(slot: Slot, name: String, documentation: String, options: [OptionDescription]) {
    self.slot = slot
    self.name = name
    self.documentation = documentation
    self.options = options
  }
}
