import ArgumentParser
import Components
import Specification

/// The options of every command that takes a model.
struct ModelOptions: ParsableArguments {
  @Option(name: .customLong("set"), help: "Change the model: a.b=value, ~a.b to delete. May be repeated.")
  var changes: [String] = []

  /// The changes as patches, in order.
  func patches() throws -> [Setting] { try Overrides(changes).patches }

  /// What `--set` was given, one change a line: the text that places in `Overrides.source` count in.
  static var changesOnCommandLine: String {
    let arguments = CommandLine.arguments
    return arguments.indices.compactMap { index in
      if arguments[index].hasPrefix("--set=") { return String(arguments[index].dropFirst("--set=".count)) }
      return index > 0 && arguments[index - 1] == "--set" ? arguments[index] : nil
    }.joined(separator: "\n")
  }
}
