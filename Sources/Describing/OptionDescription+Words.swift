import Components

extension OptionKind {
  /// What an option takes, in a word or two.
  public var inWords: String {
    switch self {
    case .number: "number"
    case .integer: "integer"
    case .flag: "true, false"
    case .text: "text"
    case .choice(let words): words.joined(separator: ", ")
    case .numberOrWord(let words): (["number"] + words).joined(separator: ", ")
    case .flags(let parts): "true, false, {\(parts.joined(separator: ", "))}"
    case .numbers: "list of numbers"
    case .namedNumbers: "{name: number, …}"
    case .component(let slot): "component (\(slot.rawValue))"
    case .group: "group"
    }
  }
}

extension OptionDescription {
  /// What stands in for it when it is left out.
  public var defaultInWords: String {
    isRequired ? "required" : defaultFollows ? "follows" : defaultText ?? "–"
  }
}
