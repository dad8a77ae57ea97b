import Files
import Foundation

/// Starts this program again and again, and looks when its first token comes.
struct ColdStart {
  /// Seconds from the start of the process to the first byte of its output.
  private(set) var firstToken = Samples()
  /// Seconds from its start to its end.
  private(set) var process = Samples()
  /// The most memory that one of them held, in bytes.
  private(set) var peakMemory = 0

  /// Runs the program with `arguments` once unmeasured and `repetitions` times.
  init(_ arguments: [String], repetitions: Int) throws {
    for repetition in 0...repetitions {
      let run = try ColdStart.run(arguments)
      if repetition == 0 { continue }
      firstToken.add(run.firstByte)
      process.add(run.end)
      peakMemory = max(peakMemory, run.peakMemory)
    }
  }

  private static func run(_ arguments: [String]) throws -> (firstByte: Double, end: Double, peakMemory: Int) {
    let program = Bundle.main.executablePath ?? CommandLine.arguments[0]
    var pipe: [Int32] = [0, 0]
    guard Foundation.pipe(&pipe) == 0 else { throw Failure(.failed, "there is no pipe for another process") }
    defer { close(pipe[0]) }
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
    #else
      var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
    posix_spawn_file_actions_addclose(&actions, pipe[0])
    let environment = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    var variables = environment.map { strdup($0) } + [nil]
    defer { for text in words + variables { free(text) } }
    var child: pid_t = 0
    let clock = ContinuousClock()
    let start = clock.now
    let status = posix_spawn(&child, program, &actions, nil, &words, &variables)
    close(pipe[1])
    guard status == 0 else {
      throw Failure(.failed, "\(program) cannot be started: \(String(cString: strerror(status)))")
    }
    var firstByte: Double?
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(pipe[0], &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      if firstByte == nil { firstByte = (clock.now - start).inSeconds }
    }
    var result: Int32 = 0
    var usage = rusage()
    while wait4(child, &result, 0, &usage) < 0, errno == EINTR {}
    let end = (clock.now - start).inSeconds
    // Its own message has gone to standard error.
    guard result == 0 else { throw Failure(.failed, "chimera \(arguments.joined(separator: " ")) failed") }
    #if canImport(Darwin)
      let unit = 1
    #else
      let unit = 1024
    #endif
    return (firstByte ?? end, end, Int(usage.ru_maxrss) * unit)
  }

  var json: JSONObject {
    var object = JSONObject()
    object["repetitions"] = .integer(process.values.count)
    object["first_token_seconds"] = firstToken.json
    object["process_seconds"] = process.json
    object["peak_memory_bytes"] = .integer(peakMemory)
    return object
  }
}
