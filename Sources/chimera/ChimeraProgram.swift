import ArgumentParser
import Components
import Essentials
import PluginLoading

/// The command line as a program: this package's own, or one of somebody's that has more components in it.
public enum ChimeraProgram {
  /// Runs the command that the program's arguments say, and ends with the exit status that it has.
  ///
  /// - Parameters:
  ///   - components: more components that files can name, beside this package's.
  ///   - documentation: the doc comment of each.
  public static func run(adding components: [any Component.Type] = [], documentation: [String] = []) -> Never {
    Console.prepare()
    do {
      var own = PluginContents()
      own.add(components, documentation: documentation)
      if !components.isEmpty { Extensions.add(own, from: "this program") }
      let (paths, arguments) = try Extensions.split(Array(CommandLine.arguments.dropFirst()))
      if arguments.first == PluginProbe.command, arguments.count == 2 { exit(Extensions.probe(arguments[1])) }
      try refuseUnknownCommand(arguments.first)
      var command = try Chimera.parseAsRoot(arguments)
      try Extensions.load(paths)
      do { try command.run() } catch {
        // A model that is published and not here is offered; then the command begins anew.
        guard let own = command as? any ModelCommand, try Offer.fetch(after: error, for: own) else { throw error }
        command = try Chimera.parseAsRoot(arguments)
        try command.run()
      }
      exit(0)
    } catch {
      exit(Failure.report(error))
    }
  }

  /// A first word that is no command, but nearly one, is better told so than taken for an argument.
  private static func refuseUnknownCommand(_ word: String?) throws {
    guard let word, !word.hasPrefix("-") else { return }
    let names = Chimera.configuration.subcommands.map { $0._commandName } + ["help"]
    guard !names.contains(word) else { return }
    let near = nearestName(to: word, in: names).map { "did you mean '\($0)'?" }
    guard let hint = UsageHints.command(word) ?? near else {
      // A model's name is the likeliest thing to stand where a command should.
      throw ValidationError("there is no command '\(word)'; 'chimera --help' lists them")
    }
    throw ValidationError("there is no command '\(word)'; \(hint)")
  }
}
