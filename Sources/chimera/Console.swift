import Foundation

/// Where a command's words go: the result to standard output, everything else to standard error.
enum Console {
  /// Writes a part of the result, at once.
  static func write(_ text: String) {
    put(text, to: FileHandle.standardOutput)
  }

  /// Writes a note, a warning or an error, on a line of its own.
  static func note(_ text: String) {
    put(text.hasSuffix("\n") ? text : text + "\n", to: FileHandle.standardError)
  }

  /// Whether standard output is a terminal that takes colour.
  static var takesColour: Bool {
    isatty(1) == 1 && ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
      && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// Whether standard output is a terminal.
  static var isTerminal: Bool { isatty(1) == 1 }

  /// Columns of the terminal; 100 when there is none.
  static var width: Int {
    var size = winsize()
    return isatty(1) == 1 && ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 20 ? Int(size.ws_col) : 100
  }

  private static func put(_ text: String, to handle: FileHandle) {
    // A reader that has gone away ends the command quietly.
    do { try handle.write(contentsOf: Data(text.utf8)) } catch { exit(0) }
  }
}
