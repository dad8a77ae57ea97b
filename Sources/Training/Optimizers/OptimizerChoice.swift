import Components

/// The optimizers that a run can name.
public enum OptimizerChoice {
  /// All of them.
  public static let all: [any Optimizer.Type] = [AdamW.self, SGD.self, Lion.self, Muon.self]

  /// The optimizer that `setting` chooses: a name, or a group of `type` and the optimizer's own options.
  public static func make(_ setting: Setting) throws(Problems) -> any Optimizer {
    try choose(setting, from: all.map { ($0.name, $0) }, what: "optimizer") { type, options in type.init(options) }
  }

  /// The type of optimizer that `setting` names.
  static func type(_ setting: Setting) -> (any Optimizer.Type)? {
    let name = setting.asComponent["type"]?.text
    return all.first { $0.name == name }
  }
}

/// What `make` makes of the one of `known` that `setting` names, and of its options; `what` is what it is called.
func choose<Kind, Result>(
  _ setting: Setting, from known: [(name: String, kind: Kind)], what: String, _ make: (Kind, Options) -> Result
) throws(Problems) -> Result {
  let group = setting.asComponent
  guard let name = group["type"]?.text else {
    throw Problems([
      Problem(
        "'\(what)' takes a name or a group with 'type', not \(setting.kindInWords)", at: setting.place,
        hint: "there are " + known.map(\.name).joined(separator: ", "))
    ])
  }
  guard let found = known.first(where: { $0.name == name }) else {
    let near = nearestName(to: name, in: known.map(\.name)).map { "did you mean '\($0)'?" }
    throw Problems([
      Problem(
        "no \(what) is named '\(name.prefix(60))'", at: group["type"]?.place ?? setting.place,
        hint: near ?? "there are " + known.map(\.name).joined(separator: ", "))
    ])
  }
  return try Options.reading(group, path: "") { make(found.kind, $0) }
}
