import Essentials
import Synchronization

/// Ctrl-C in a conversation: it stops an answer and not the program; a second one, during an answer or at the prompt, ends it.
enum ChatSignals {
  private static let answering = Atomic<Bool>(false)
  private static let count = Atomic<Int>(0)

  /// From here on Ctrl-C is noted.
  static func watch() {
    signal(SIGINT) { _ in
      let before = ChatSignals.count.add(1, ordering: .relaxed).oldValue
      if before > 0 { _exit(130) }
      if !ChatSignals.answering.load(ordering: .relaxed) {
        let text: StaticString = "\n(Ctrl-C again, Ctrl-D or /quit ends)\n> "
        _ = write(2, text.utf8Start, text.utf8CodeUnitCount)
      }
    }
  }

  /// An answer begins.
  static func beginAnswer() {
    count.store(0, ordering: .relaxed)
    answering.store(true, ordering: .relaxed)
  }

  /// An answer has ended; Ctrl-C counts anew.
  static func endAnswer() {
    answering.store(false, ordering: .relaxed)
    count.store(0, ordering: .relaxed)
  }

  /// A line was read: Ctrl-C counts anew.
  static func lineCame() { count.store(0, ordering: .relaxed) }

  /// Whether the answer is to stop.
  static var wantsStop: Bool { count.load(ordering: .relaxed) > 0 }
}
