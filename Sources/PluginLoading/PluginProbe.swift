import Foundation

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
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = [Self.command, file.canonicalPath]
    (process.standardInput, process.standardOutput, process.standardError) = (
      FileHandle.nullDevice, FileHandle.nullDevice, FileHandle.nullDevice
    )
    do { try process.run() } catch {
      throw PluginProblem(path, "cannot try it in a process of its own: \(error.localizedDescription)")
    }
    let end = ContinuousClock.now + .seconds(20)
    while process.isRunning, ContinuousClock.now < end { usleep(1000) }
    if process.isRunning {
      process.terminate()
      throw PluginProblem(path, "loading it does not end: it waits for something")
    }
    if process.terminationReason == .uncaughtSignal {
      let signal = process.terminationStatus
      throw PluginProblem(
        path, "loading it crashes (\(String(cString: strsignal(signal)).lowercased())), so it is not loaded")
    }
    // What a probe finds otherwise, the loading here finds again, and says.
  }
}
