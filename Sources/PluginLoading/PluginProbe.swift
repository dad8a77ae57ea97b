import Essentials

/// A library loaded in a process of its own first, which may crash without harm.
public struct PluginProbe: Sendable {
  private let program: String

  /// Probes in new processes of `program`.
  public init(program: String) { self.program = program }

  /// The word that makes the program a probe: `program probe-plugin PATH`.
  public static let command = "probe-plugin"

  /// Throws when loading `file` ends the process, or does not end at all.
  public func run(_ file: PluginFile) throws(PluginProblem) {
    let path = file.path
    let process: ChildProcess
    do {
      process = try ChildProcess(program, [Self.command, file.canonicalPath], output: .nothing, errors: .nothing)
    } catch { throw PluginProblem(path, "cannot try it in a process of its own: \(error.reason)") }
    guard let end = process.wait(atMost: .seconds(20)) else {
      throw PluginProblem(path, "loading it does not end: it waits for something")
    }
    if case .signal(let signal) = end {
      throw PluginProblem(
        path, "loading it crashes (\(String(cString: strsignal(signal)).lowercased())), so it is not loaded")
    }
    // What a probe finds otherwise, the loading here finds again, and says.
  }
}
