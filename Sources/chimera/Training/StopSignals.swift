import Essentials
import Synchronization

/// Signals as a wish to stop: the first is noted, and what runs saves and ends in order; the second ends the process.
///
/// SIGINT is Ctrl-C, SIGTERM what asks a process to end, SIGHUP what a terminal or a connection leaves behind when it
/// closes, and SIGUSR1 what Slurm sends before a job's time is over (`--signal=USR1@60`).
enum StopSignals {
  private static let count = Atomic<Int>(0)
  private static let numbers = [SIGINT, SIGTERM, SIGHUP, SIGUSR1]

  /// From here on the first signal is noted.
  static func watch() {
    // Whoever started the program may have left them blocked.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in numbers { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    for number in numbers where !(number == SIGHUP && isIgnored(SIGHUP)) {
      signal(number) { number in
        StopSignals.count.add(1, ordering: .relaxed)
        // The next one does what it always does.
        signal(number, SIG_DFL)
      }
    }
  }

  /// Whether a signal is ignored: nohup sees to it that a run outlives its terminal.
  private static func isIgnored(_ number: Int32) -> Bool {
    let before = signal(number, SIG_IGN)
    signal(number, before)
    return unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Whether a signal came.
  static var came: Bool { count.load(ordering: .relaxed) > 0 }
}
