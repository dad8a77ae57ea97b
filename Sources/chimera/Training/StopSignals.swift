import Foundation
import Synchronization

/// Ctrl-C and SIGTERM as a wish: the first is noted, and what runs ends in order; the second ends the process.
enum StopSignals {
  private static let count = Atomic<Int>(0)

  /// From here on the first signal is noted.
  static func watch() {
    // Whoever started the program may have left them blocked.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        StopSignals.count.add(1, ordering: .relaxed)
        // The next one does what it always does.
        signal(number, SIG_DFL)
      }
    }
  }

  /// Whether a signal came.
  static var came: Bool { count.load(ordering: .relaxed) > 0 }
}
