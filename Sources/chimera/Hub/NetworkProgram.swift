import Files
import Foundation
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
    guard let path else {
      throw Failure(
        .failed,
        Zoo.checkout == nil
          ? "what speaks to networks, \(name), is not installed beside this program: 'make install' in a checkout installs both"
          : "what speaks to networks, \(name), is not built yet: 'make network' builds it (a few minutes, once)")
    }
    let (input, output) = (try pipe(), try pipe())
    let child = try start(path, input: input, output: output)
    close(input.read)
    close(output.write)
    var text = request.json.serialized()
    _ = text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: input.write) }
    close(input.write)
    let bytes = readAll(output.read)
    close(output.read)
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    // The low seven bits are the signal that ended it, the next eight its exit status.
    guard status & 0x7F == 0 else { throw Ended(status: status & 0x7F == SIGINT ? 130 : 1) }
    guard status >> 8 & 0xFF == 0 else { throw Ended(status: status >> 8 & 0xFF) }
    guard let json = try? bytes.withUnsafeBytes({ try JSONValue(parsing: $0, name: name) }) else {
      throw Failure(.failed, "\(name) gave no result; is it of the same version as this program?")
    }
    return json
  }

  /// It ended with this status, and said why.
  struct Ended: Error {
    let status: Int32
  }

  private static func pipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    guard Foundation.pipe(&ends) == 0 else { throw Failure(.failed, "no pipe: \(String(cString: strerror(errno)))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  private static func start(
    _ path: String, input: (read: Int32, write: Int32), output: (read: Int32, write: Int32)
  ) throws -> pid_t {
    #if os(Linux)
      var actions = posix_spawn_file_actions_t()
    #else
      var actions: posix_spawn_file_actions_t?
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input.read, 0)
    posix_spawn_file_actions_adddup2(&actions, output.write, 1)
    let words = [path, "serve-request"].map { (word: String) in strdup(word) }
    let environment = ProcessInfo.processInfo.environment.map { (name, value) in strdup("\(name)=\(value)") }
    defer { for word in words + environment { free(word) } }
    var child: pid_t = 0
    let result = posix_spawn(&child, path, &actions, nil, words + [nil], environment + [nil])
    guard result == 0 else {
      throw Failure(.failed, "\(name) cannot be started: \(String(cString: strerror(result)))")
    }
    return child
  }

  private static func readAll(_ descriptor: Int32) -> [UInt8] {
    var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
    while true {
      let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return bytes }
      bytes += buffer.prefix(count)
    }
  }
}
