import Essentials
import Files
import HubCache

/// The sibling program that speaks to networks, started for one request as git starts its own.
///
/// It gets the request on standard input and gives its result on standard output; its notes, progress and errors go where
/// ours do. Ctrl-C reaches both, for both are of one process group.
enum NetworkProgram {
  private static let name = "chimera-net"

  /// Where it is: beside this program, or where a checkout builds it; nil where it was not built.
  static var path: String? {
    let own = URL(fileURLWithPath: Zoo.executablePath).resolvingSymlinksInPath()
    let beside = own.deletingLastPathComponent().appending(path: name).path
    let built = Zoo.checkout.map { $0 + "/.build/network/release/" + name }
    return [beside, built].compactMap { $0 }.first { access($0, X_OK) == 0 }
  }

  /// The result of `request`. Throws `Failure` where the program is missing, and `Ended` where it ended without a result,
  /// having said why.
  static func answer(_ request: NetworkRequest) throws -> JSONValue {
    let (input, output, child) = try start(["serve-request"])
    var text = request.json.serialized()
    _ = text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: input.writing) }
    close(input.writing)
    var bytes: [UInt8] = []
    output.readAll { bytes += $0 }
    close(output.reading)
    switch child.wait().end {
    case .status(0): break
    case .status(let status): throw Ended(status: status)
    case .signal(let signal): throw Ended(status: signal == SIGINT ? 130 : 1)
    }
    guard let json = try? bytes.withUnsafeBytes({ try JSONValue(parsing: $0, name: name) }) else {
      throw Failure(.failed, "\(name) gave no result; is it of the same version as this program?")
    }
    return json
  }

  /// Starts it with `arguments`; gives the ends of its standard input and output. Throws `Failure` where it is missing.
  static func start(_ arguments: [String]) throws -> (input: ProcessPipe, output: ProcessPipe, child: ChildProcess) {
    guard let path else {
      throw Failure(
        .failed,
        Zoo.checkout == nil
          ? "what speaks to networks, \(name), is not installed beside this program: 'make install' in a checkout installs both"
          : "what speaks to networks, \(name), is not built yet: 'make network' builds it (a few minutes, once)")
    }
    let (input, output, child): (ProcessPipe, ProcessPipe, ChildProcess)
    do {
      (input, output) = (try ProcessPipe(), try ProcessPipe())
      child = try ChildProcess(
        path, arguments, input: .descriptor(input.reading), output: .descriptor(output.writing))
    } catch { throw Failure(.failed, "\(name) cannot be started: \(error.reason)") }
    close(input.reading)
    close(output.writing)
    return (input, output, child)
  }

  /// It ended with this status, and said why.
  struct Ended: Error {
    let status: Int32
  }
}
