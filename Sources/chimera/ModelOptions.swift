import ArgumentParser
import Components
import Specification

/// The options of every command that takes a model.
struct ModelOptions: ParsableArguments {
  @Option(name: .customLong("set"), help: "Change the model: a.b=value, ~a.b to delete. May be repeated.")
  var changes: [String] = []

  /// The changes as patches, in order.
  func patches() throws -> [Setting] { try Overrides(changes).patches }
}
