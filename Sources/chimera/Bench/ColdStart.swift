import Essentials
import Files

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
    let clock = ContinuousClock()
    let start: ContinuousClock.Instant
    let child: ChildProcess
    let pipe: ProcessPipe
    do {
      pipe = try ProcessPipe()
      start = clock.now
      child = try ChildProcess(Zoo.executablePath, arguments, output: .descriptor(pipe.writing))
    } catch { throw Failure(.failed, "another process of this program cannot be started: \(error.reason)") }
    close(pipe.writing)
    defer { close(pipe.reading) }
    var firstByte: Double?
    pipe.readAll { _ in firstByte = firstByte ?? (clock.now - start).inSeconds }
    let (result, peakMemory) = child.wait()
    let end = (clock.now - start).inSeconds
    // Its own message has gone to standard error.
    guard result == .status(0) else { throw Failure(.failed, "chimera \(arguments.joined(separator: " ")) failed") }
    return (firstByte ?? end, end, peakMemory)
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
