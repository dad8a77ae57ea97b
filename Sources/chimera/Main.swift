import ArgumentParser
import Foundation

/// Parses the command, runs it, and turns what it throws into a message and an exit status.
@main
enum Main {
  static func main() {
    do {
      var command = try Chimera.parseAsRoot()
      try command.run()
    } catch {
      exit(Failure.report(error))
    }
  }
}
