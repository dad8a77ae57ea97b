import Essentials

/// What `--threads` asks of this machine.
enum ThreadCount {
  /// Says so when more threads are asked for than there are processors, which is slower than as many.
  static func tell(_ threads: Int?) {
    let processors = ProcessInfo.processInfo.activeProcessorCount
    guard let threads, threads > processors else { return }
    Console.note(
      "note: --threads \(threads) is more than the \(processors) \(processors == 1 ? "processor" : "processors") that this "
        + "process may use; more threads than that compute slower")
  }
}
