import ArgumentParser
import Components
import Specification

/// The options of every command that takes a model.
struct ModelOptions: ParsableArguments {
  @Option(name: .customLong("set"), help: "Change the model: a.b=value, ~a.b to delete. May be repeated.")
  var changes: [String] = []

  @Option(
    name: .customLong("ignore-key"),
    help: "Let this key of a configuration pass, which no family knows.")
  var ignoredKeys: [String] = []

  @Flag(help: "Fetch a published model that is not here unasked.") var yes = false

  /// What every command starts from, with the keys that may stay unread.
  func zoo() throws -> Zoo {
    var zoo = try Zoo()
    zoo.ignoredKeys = ignoredKeys
    return zoo
  }

  /// The changes as patches, in order.
  func patches() throws -> [Setting] { try Overrides(changes).patches }
}
