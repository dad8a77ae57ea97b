import ArgumentParser
import Essentials
import Files

/// Another program that is measured in turns with this one: `llama.cpp=PATH`, where PATH is its llama-bench.
struct Rival: ExpressibleByArgument {
  /// The programs whose measurements can be read.
  static let known = ["llama.cpp"]

  /// What it is called in tables.
  let name: String
  /// The program, looked for in the search path where it has no slash.
  let program: String

  init?(argument: String) {
    guard let sign = argument.firstIndex(of: "=") else { return nil }
    name = String(argument[..<sign])
    program = String(argument[argument.index(after: sign)...])
    if !Self.known.contains(name) || program.isEmpty { return nil }
  }

  /// Tokens a second of one repetition, after the warm-up that the program makes itself: of a prompt, or of generation,
  /// of `tokens` tokens after `depth` others.
  func tokensPerSecond(_ test: BenchRow.Test, _ tokens: Int, depth: Int, threads: Int, of file: String) throws -> Double
  {
    let counts = test == .prompt ? ["-p", String(tokens), "-n", "0"] : ["-p", "0", "-n", String(tokens)]
    var arguments = ["-m", file, "-r", "1", "-t", String(threads), "-o", "json"] + counts
    if depth > 0 { arguments += ["-d", String(depth)] }
    let answer = try output(arguments)
    guard let rate = (try? JSONValue(parsing: answer))?.array?.first?["avg_ts"]?.number, rate > 0, rate.isFinite else {
      throw Failure(.failed, "\(program) does not answer as llama-bench does, with JSON that has avg_ts")
    }
    return rate
  }

  private func output(_ arguments: [String]) throws -> String {
    let child: ChildProcess
    let pipe: ProcessPipe
    do {
      pipe = try ProcessPipe()
      child = try ChildProcess(program, arguments, output: .descriptor(pipe.writing))
    } catch { throw Failure(.notFound, "\(program) cannot be started: \(error.reason)") }
    close(pipe.writing)
    defer { close(pipe.reading) }
    var bytes: [UInt8] = []
    pipe.readAll { bytes += $0 }
    // Its own message has gone to standard error.
    guard child.wait().end == .status(0) else {
      throw Failure(.failed, "\(program) \(arguments.joined(separator: " ")) failed")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// What a rival reached, each repetition right after one of ours.
struct RivalSamples {
  let name: String
  var tokensPerSecond = Samples()

  /// Ours over the rival's, turn by turn.
  func ratios(of ours: Samples) -> Samples {
    Samples(zip(ours.values, tokensPerSecond.values).map { $0 / $1 })
  }
}
