import Essentials

/// A Python to compare with.
public struct PythonProgram: Sendable {
  /// Where it is, or its name.
  public let path: String

  /// The Python at `path`, or the `python3` of the search path; throws when there is none, or it has not all `modules`.
  public init(_ path: String?, modules: [String]) throws {
    self.path = path ?? "python3"
    let list = modules.map { "'\($0)'" }.joined(separator: ", ")
    let looks = """
      import importlib.util as u, sys
      missing = [m for m in [\(list)] if not u.find_spec(m)]
      sys.stderr.write(' '.join(missing))
      sys.exit(3 if missing else 0)
      """
    let (status, output) = try Self.output(self.path, ["-c", looks])
    if status == 127 || status == 126 {
      throw ExportFailure("there is no Python at '\(self.path)'; --python PATH names one that has torch")
    }
    if status != 0 {
      let missing = output.isEmpty ? modules.joined(separator: " ") : output
      throw ExportFailure(
        status == 3
          ? "'\(self.path)' has no \(missing.replacing(" ", with: " and no ")), which --verify compares with: "
            + "'\(self.path) -m pip install \(missing)' gets it, and --python PATH names another Python"
          : "'\(self.path)' is no Python that runs: "
            + (output.split(separator: "\n").last.map(String.init) ?? "it ends with status \(status) and says nothing"))
    }
  }

  /// Runs it with `arguments` and gives what it writes; throws its last words when it fails.
  func run(_ arguments: [String]) throws -> String {
    let (status, output) = try Self.output(path, arguments)
    guard status == 0 else {
      throw ExportFailure(
        "the exported module failed: \(output.split(separator: "\n").suffix(3).joined(separator: " | "))")
    }
    return output
  }

  /// The status, and the output or, of a failure, the notes.
  private static func output(_ path: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    // Through files: a pipe that nobody empties would stop a program that writes much to both.
    let folder = FileManager.default.temporaryDirectory.appending(path: "chimera-python-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (result, notes) = (folder.appending(path: "result"), folder.appending(path: "notes"))
    let descriptors = [result, notes].map { open($0.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600) }
    defer { for descriptor in descriptors where descriptor >= 0 { close(descriptor) } }
    guard descriptors.allSatisfy({ $0 >= 0 }) else { throw SystemError(number: errno) }
    let process: ChildProcess
    do {
      process = try ChildProcess(
        path, arguments, variables: ["PYTHONDONTWRITEBYTECODE": "1"], output: .descriptor(descriptors[0]),
        errors: .descriptor(descriptors[1]))
    } catch { return (error.number == ENOENT ? 127 : 126, error.reason) }
    let status: Int32 = if case .status(let status) = process.wait().end { status } else { 1 }
    return (status, String(decoding: try Data(contentsOf: status == 0 ? result : notes), as: UTF8.self))
  }
}
