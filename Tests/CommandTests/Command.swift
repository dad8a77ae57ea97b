import Foundation
import Testing

/// The built program, run as a user runs it.
struct Command {
  let status: Int32
  let output: String
  let notes: String

  /// Runs `chimera` with `arguments`; standard output and standard error are no terminals.
  init(_ arguments: String..., environment: [String: String] = [:]) throws {
    try self.init(arguments, environment: environment)
  }

  /// Runs in `folder`, where there is one. With `memory`, the program gets no more than so many bytes of addresses, where
  /// the shell can see to that.
  init(
    _ arguments: [String], environment: [String: String] = [:], memory: Int? = nil, in folder: URL? = nil
  ) throws {
    let program = try #require(Command.program, "the program stands beside the tests")
    if let memory {
      let script = "ulimit -v \(memory / 1024) 2>/dev/null; exec \"$0\" \"$@\""
      try self.init(
        running: URL(fileURLWithPath: "/bin/sh"), ["-c", script, program.path] + arguments, environment: environment,
        in: folder)
    } else {
      try self.init(running: program, arguments, environment: environment, in: folder)
    }
  }

  /// Runs another program: one of the path, or at a path.
  init(running program: String, _ arguments: [String], environment: [String: String] = [:], in folder: URL? = nil)
    throws
  {
    try self.init(
      running: URL(fileURLWithPath: "/usr/bin/env"), [program] + arguments, environment: environment, in: folder)
  }

  private init(running program: URL, _ arguments: [String], environment: [String: String], in folder: URL? = nil) throws
  {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if let folder { process.currentDirectoryURL = folder }
    // Through files: a pipe that nobody empties would stop a program that writes much to both.
    let results = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: results) }
    let (output, notes) = (results.appending(path: "output"), results.appending(path: "notes"))
    for file in [output, notes] { try Data().write(to: file) }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: notes)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    self.output = try String(contentsOf: output, encoding: .utf8)
    self.notes = try String(contentsOf: notes, encoding: .utf8)
  }

  /// Starts `chimera` with `arguments`; what it writes goes nowhere.
  static func start(_ arguments: [String], environment: [String: String]) throws -> Process {
    let process = Process()
    let program = try #require(Command.program, "the program stands beside the tests")
    process.executableURL = program
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Runs `chimera` and kills it after `seconds`; false when it was done before.
  static func kill(_ arguments: [String], after seconds: Double, environment: [String: String]) throws -> Bool {
    let process = try start(arguments, environment: environment)
    usleep(UInt32(seconds * 1e6))
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    return process.terminationReason == .uncaughtSignal
  }

  /// Runs `chimera` under strace with `options`.
  static func traced(_ options: [String], _ arguments: [String], environment: [String: String]) throws -> Command {
    let program = try #require(Command.program, "the program stands beside the tests")
    return try Command(
      running: URL(fileURLWithPath: "/usr/bin/strace"), options + ["-o", "/dev/null", program.path] + arguments,
      environment: environment)
  }

  /// Whether strace is here and may trace.
  static let traces = (try? Command(running: "strace", ["-o", "/dev/null", "true"]).status) == 0

  /// Whether a shell may have mounts of its own.
  static let mounts = (try? Command(running: "unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status) == 0

  /// Runs `script` in a shell that has mounts of its own; its arguments are the program and `arguments`.
  static func inShell(_ script: String, _ arguments: [String], environment: [String: String]) throws -> Command {
    let program = try #require(Command.program, "the program stands beside the tests")
    return try Command(
      running: URL(fileURLWithPath: "/usr/bin/env"),
      ["unshare", "-m", "sh", "-c", script, "sh", program.path] + arguments,
      environment: environment)
  }

  /// Where the program stands.
  static let program = program(named: "chimera")

  /// Where a program of the package stands: in the folder that the tests were built into.
  static func program(named name: String) -> URL? {
    let places = [Bundle.main.executableURL, Bundle.allBundles.first?.bundleURL].compactMap { $0 }
    for place in places {
      let program = place.deletingLastPathComponent().appending(path: name)
      if FileManager.default.isExecutableFile(atPath: program.path) { return program }
    }
    for build in ["release", "debug"] {
      let program = package.appending(path: ".build/\(build)/\(name)")
      if FileManager.default.isExecutableFile(atPath: program.path) { return program }
    }
    return nil
  }

  /// The package's folder.
  static let package: URL = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url
  }()
}

/// A new folder for one test.
func temporaryFolder() throws -> URL {
  let folder = FileManager.default.temporaryDirectory.appending(path: "chimera-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder
}

/// Calls `body` with a folder that is removed afterwards.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

extension URL {
  /// Writes `text` to the file `name` in this folder, and gives its path.
  func write(_ text: String, to name: String) throws -> String {
    let file = appending(path: name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: true, encoding: .utf8)
    return file.path
  }
}
