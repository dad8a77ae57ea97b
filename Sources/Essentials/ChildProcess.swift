/// The system refused something.
public struct SystemError: Error {
  /// Its error number, `errno`.
  public let number: Int32

  /// The error of this number.
  public init(number: Int32) { self.number = number }

  /// Its own words.
  public var reason: String { String(cString: strerror(number)) }
}

/// A process that this one starts and waits for.
public struct ChildProcess: Sendable {
  /// What one of its three standard streams is.
  public enum Stream: Sendable {
    case inherited
    /// Nothing to read, and what is written is lost.
    case nothing
    case descriptor(Int32)
  }

  /// How it ended.
  public enum End: Sendable, Equatable {
    case status(Int32)
    case signal(Int32)
  }

  private let id: pid_t

  /// Starts `program`, which is looked for in the search path where it has no slash, with `arguments` and this process's
  /// environment, `variables` changed.
  ///
  /// Descriptors of this process that are not closed on execution are the child's too. Throws ENOENT where there is no
  /// such program.
  public init(
    _ program: String, _ arguments: [String], variables: [String: String] = [:], input: Stream = .nothing,
    output: Stream = .inherited, errors: Stream = .inherited
  ) throws(SystemError) {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
    #else
      var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (number, stream) in [input, output, errors].enumerated() {
      switch stream {
      case .inherited: break
      case .nothing: posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", O_RDWR, 0)
      case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
      }
    }
    let environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
    let words = ([program] + arguments).map { strdup($0) }
    let settings = environment.map { strdup("\($0)=\($1)") }
    defer { for text in words + settings { free(text) } }
    var child: pid_t = 0
    let result = posix_spawnp(&child, program, &actions, nil, words + [nil], settings + [nil])
    guard result == 0 else { throw SystemError(number: result) }
    id = child
  }

  /// Waits until it ends; gives how, and the most memory that it held, in bytes.
  @discardableResult
  public func wait() -> (end: End, peakMemory: Int) {
    var (status, usage): (Int32, rusage) = (0, rusage())
    while wait4(id, &status, 0, &usage) < 0, errno == EINTR {}
    #if canImport(Darwin)
      let unit = 1
    #else
      let unit = 1024
    #endif
    return (Self.end(status), Int(usage.ru_maxrss) * unit)
  }

  /// Waits for at most `duration`; nil, and it is killed, where it has not ended then.
  public func wait(atMost duration: Duration) -> End? {
    let last = ContinuousClock.now + duration
    var status: Int32 = 0
    while waitpid(id, &status, WNOHANG) == 0 {
      if ContinuousClock.now >= last {
        kill(id, SIGKILL)
        wait()
        return nil
      }
      usleep(1000)
    }
    return Self.end(status)
  }

  // The low seven bits are the signal that ended it, the next eight its exit status.
  private static func end(_ status: Int32) -> End {
    status & 0x7F == 0 ? .status(status >> 8 & 0xFF) : .signal(status & 0x7F)
  }
}

/// A pipe, whose ends no child inherits by itself.
public struct ProcessPipe: Sendable {
  public let reading: Int32
  public let writing: Int32

  /// Throws where this process has no more descriptors.
  public init() throws(SystemError) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw SystemError(number: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (reading, writing) = (ends[0], ends[1])
  }

  /// Gives `receive` what is written, piece by piece, until the other side ends.
  public func readAll(_ receive: (ArraySlice<UInt8>) -> Void) {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = buffer.withUnsafeMutableBytes { read(reading, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      receive(buffer.prefix(count))
    }
  }
}
