import Files
import Foundation
import HubCache
import Synchronization

/// How a transfer goes, on standard error: a line that is written over on a terminal, a line in five seconds elsewhere.
public final class TransferProgress: TransferListener {
  private struct State {
    var received = 0
    var last: ContinuousClock.Instant
    var recent: [(time: ContinuousClock.Instant, received: Int)] = []
  }

  private let total: Int
  private let isLive: Bool
  private let isHidden: Bool
  private let state: Mutex<State>
  private let clock = ContinuousClock()
  private let write: @Sendable (String) -> Void

  /// Tells of `total` bytes. On a terminal (`isLive`) the line is replaced; `isHidden` shows nothing but notes.
  public init(
    total: Int, isLive: Bool, isHidden: Bool = false,
    write: @escaping @Sendable (String) -> Void = { text in
      var text = text
      text.withUTF8 { _ = writeAll(UnsafeRawBufferPointer($0), to: 2) }
    }
  ) {
    self.total = total
    self.isLive = isLive
    self.isHidden = isHidden
    self.write = write
    state = Mutex(State(last: ContinuousClock().now))
  }

  /// Takes `bytes` more of `file` into account.
  public func received(_ bytes: Int, of file: RepositoryFile) {
    let line: String? = state.withLock { state in
      state.received += bytes
      let now = clock.now
      guard now - state.last >= (isLive ? .milliseconds(200) : .seconds(5)) else { return nil }
      state.last = now
      // What was there already says nothing of the speed.
      state.recent.append((now, state.received))
      if state.recent.count > 25 { state.recent.removeFirst() }
      return text(state, file)
    }
    if let line, !isHidden { write(isLive ? "\r\u{1B}[K" + line : line + "\n") }
  }

  private func text(_ state: State, _ file: RepositoryFile) -> String {
    let percent = total > 0 ? " (\(min(100, max(0, state.received) * 100 / total)) %)" : ""
    var text = "\(HubProblem.text(max(0, state.received))) of \(HubProblem.text(total))\(percent)"
    if let first = state.recent.first, let last = state.recent.last, last.time > first.time,
      last.received > first.received
    {
      let seconds = (last.time - first.time) / .seconds(1)
      let rate = Double(last.received - first.received) / seconds
      text += " · \(HubProblem.text(Int(rate)))/s"
      let left = Int(Double(max(0, total - state.received)) / rate)
      text +=
        " · \(left < 60 ? "\(left) s" : left < 3600 ? "\(left / 60) min" : "\(left / 3600) h \(left % 3600 / 60) min") left"
    }
    return text + " · " + file.path.safeForTerminals
  }

  /// A line that stays.
  public func note(_ sentence: String) {
    write((isLive ? "\r\u{1B}[K" : "") + "note: " + sentence.safeForTerminals.onOneLine + "\n")
  }

  /// Ends the line that is written over.
  public func finish() { if isLive, !isHidden { write("\r\u{1B}[K") } }
}
