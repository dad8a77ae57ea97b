import Essentials
import Files

/// Text that comes through standard input, or from a file.
enum StandardInput {
  private static let limit = 256 << 20

  /// Everything on standard input; throws where it is not UTF-8.
  static func text() throws -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(0, &buffer, buffer.count)
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw Failure(.failed, "standard input cannot be read: \(String(cString: strerror(errno)))")
      }
      bytes += buffer[..<count]
      if bytes.count > limit { throw Failure(.invalid, "standard input has more than \(limit) bytes") }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(.invalid, "standard input is not UTF-8 text")
    }
    return text
  }

  /// The text of the file at `path`; `-` is standard input.
  static func text(ofFile path: String) throws -> String {
    if path == "-" { return try text() }
    let file = try MappedFile(path: path)
    guard let text = withExtendedLifetime(file, { String(validating: file.bytes, as: UTF8.self) }) else {
      throw Failure(.invalid, "\(path): the file is not UTF-8 text")
    }
    return text
  }

  /// A prompt: the text without the line feed that ends its last line, which `echo` and editors put there.
  static func prompt(ofFile path: String) throws -> String {
    let text = try text(ofFile: path)
    if text.hasSuffix("\r\n") || text.hasSuffix("\n") { return String(text.dropLast()) }
    return text
  }

  /// Whether standard input is a terminal.
  static var isTerminal: Bool { isatty(0) == 1 }

  /// Whether something was piped or redirected to standard input: a file that is not empty, or a pipe with data or a writer
  /// that has ended. A pipe that nobody writes to is none: programs are started with such pipes.
  static var isPiped: Bool {
    var status = stat()
    guard fstat(0, &status) == 0 else { return false }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return status.st_size > lseek(0, 0, SEEK_CUR)
    case S_IFIFO:
      var descriptor = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
      // Time for a program before it in the pipeline to begin.
      return poll(&descriptor, 1, 50) > 0 && descriptor.revents & Int16(POLLIN) != 0
    default: return false
    }
  }
}
