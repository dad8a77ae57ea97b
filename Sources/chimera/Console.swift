import Essentials
import Files
import Tokenization

/// Where a command's words go: the result to standard output, everything else to standard error.
///
/// Names and texts that came from files reach neither raw: a character that a terminal would act on is written as
/// `\u{FFFD}`, on a terminal and elsewhere, for what goes into a file or a pipe is mostly looked at on a terminal later.
/// Text that a model generated or a tokenizer decoded is data: it goes out as it is, except to a terminal.
enum Console {
  /// Writes a part of the result, at once.
  static func write(_ text: String) { writeRaw(text.safeForTerminals) }

  /// Writes text that a model generated or a tokenizer decoded: as it is, unless a terminal would act on it.
  static func write(generated text: String) { writeRaw(isTerminal ? text.safeForTerminals : text) }

  private static func writeRaw(_ text: String) {
    if let failure = put(text, to: 1) {
      // A reader that has gone away ends the command quietly; a result that could not be written is no result.
      if failure == EPIPE { exit(0) }
      note("error: cannot write the result: \(String(cString: strerror(failure)))")
      exit(Failure.Status.failed.rawValue)
    }
  }

  /// Writes `text` as the file `path`, whole or not at all, and says where it is; a device or a pipe just takes it.
  static func write(page text: String, to path: String, of option: String = "--html") throws {
    guard !path.isEmpty else { throw Failure(.usage, "\(option) takes the path of a file to write") }
    if kind(ofPath: path) == .folder {
      throw Failure(.usage, "'\(path)' is a folder; \(option) takes the path of a file")
    }
    try writeAtomically(text, to: path)
    // What went to standard output is the result, and no line of it is ours.
    if isFilePlace(path) { write(path + "\n") }
  }

  /// Writes a note, a warning or an error, on a line of its own.
  static func note(_ text: String) {
    let text = text.safeForTerminals
    _ = put(text.hasSuffix("\n") ? text : text + "\n", to: 2)
  }

  /// Says what of a text has no token, when anything.
  static func note(leftOut: LeftOut?) {
    if let leftOut { note("note: \(leftOut.description)") }
  }

  /// A pipe that nobody reads any more is an error of the write, not a signal that ends the program.
  static func prepare() { signal(SIGPIPE, SIG_IGN) }

  /// Whether standard output is a terminal that takes colour.
  static var takesColour: Bool {
    isatty(1) == 1 && ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
      && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// Whether standard output is a terminal.
  static var isTerminal: Bool { isatty(1) == 1 }

  /// Whether standard error is a terminal, where a line can be written over.
  static var notesAreOnTerminal: Bool { isatty(2) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb" }

  /// Writes a line on standard error that the next one replaces; only on a terminal.
  static func status(_ text: String) { _ = put("\r\u{1B}[K" + text.safeForTerminals, to: 2) }

  /// Whether somebody can be asked: standard input and standard error are a terminal.
  static var canAsk: Bool { isatty(0) == 1 && isatty(2) == 1 }

  /// Asks a question that is answered with yes or no, on a terminal; nil where there is none to ask on.
  static func ask(_ question: String) -> Bool? {
    guard canAsk else { return nil }
    _ = put(question.safeForTerminals, to: 2)
    let answer = readLine()?.trimmed.lowercased() ?? ""
    return answer == "y" || answer == "yes"
  }

  /// Writes a prompt on standard error; where that cannot be, nobody reads it either.
  static func prompt(_ text: String) { _ = put(text, to: 2) }

  /// Columns of the terminal; 100 when there is none.
  static var width: Int {
    var size = winsize()
    return isatty(1) == 1 && ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 20 ? Int(size.ws_col) : 100
  }

  /// Writes all of `text`; gives the system's error number when that fails.
  private static func put(_ text: String, to descriptor: Int32) -> Int32? {
    var text = text
    return text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
  }
}
