import ArgumentParser
import Components
import Foundation

/// Parses the command, runs it, and turns what it throws into a message and an exit status.
@main
enum Main {
  static func main() {
    Console.prepare()
    do {
      try refuseUnknownCommand()
      var command = try Chimera.parseAsRoot()
      try command.run()
    } catch {
      exit(Failure.report(error))
    }
  }

  /// A first word that is no command, but nearly one, is better told so than taken for an argument.
  private static func refuseUnknownCommand() throws {
    guard let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-") else { return }
    let names = Chimera.configuration.subcommands.map { $0._commandName } + ["help"]
    guard !names.contains(word), let near = nearestName(to: word, in: names) else { return }
    throw ValidationError("there is no command '\(word)'; did you mean '\(near)'?")
  }
}
