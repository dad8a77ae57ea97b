import Files
import Foundation
import ServingLink
import Synchronization

/// The pipes to `chimera`, which has the models: requests go there, and the parts of answers come back.
final class ModelLink: Sendable {
  private struct State {
    var next: UInt64 = 1
    var answers: [UInt64: AsyncStream<Frame>.Continuation] = [:]
    var isClosed = false
  }

  private let state = Mutex(State())
  private let writing = Mutex<Void>(())
  /// Told when no more connections are to be taken.
  let stop = AsyncStream<Void>.makeStream()

  /// Sends `head` and `body`; gives the number of the request, and what comes of it. Nil where nobody answers any more.
  func send(_ head: RequestHead, body: [UInt8]) -> (id: UInt64, parts: AsyncStream<Frame>)? {
    let (parts, continuation) = AsyncStream<Frame>.makeStream()
    let id = state.withLock { state -> UInt64? in
      if state.isClosed { return nil }
      defer { state.next += 1 }
      state.answers[state.next] = continuation
      return state.next
    }
    guard let id else { return nil }
    write(head.frame(request: id, body: body))
    return (id, parts)
  }

  /// Nobody waits for the answer to request `id`. Nothing happens where it is whole already.
  func leave(_ id: UInt64) {
    guard let continuation = state.withLock({ $0.answers.removeValue(forKey: id) }) else { return }
    continuation.finish()
    write(Frame(.gone, request: id))
  }

  /// Writes one message.
  func write(_ frame: Frame) {
    let bytes = frame.bytes
    // Where nobody reads any more, the end of our input says so.
    writing.withLock { _ in _ = bytes.withUnsafeBytes { writeAll($0, to: 1) } }
  }

  /// Takes a message.
  private func take(_ frame: Frame) {
    switch frame.kind {
    case .head, .body: state.withLock { _ = $0.answers[frame.request]?.yield(frame) }
    case .end: state.withLock { $0.answers.removeValue(forKey: frame.request) }?.finish()
    case .stop: stop.continuation.yield()
    case .settings, .listening, .failed, .request, .gone: break
    }
  }

  /// Reads until `chimera` closes its side, behind `reader`'s first message.
  func read(_ reader: FrameReader) {
    var reader = reader
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = buffer.withUnsafeMutableBytes { Foundation.read(0, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0, let frames = try? reader.append(buffer[..<count]) else { break }
      for frame in frames { take(frame) }
    }
    state.withLock { state in
      state.isClosed = true
      for (_, continuation) in state.answers { continuation.finish() }
      state.answers = [:]
    }
    stop.continuation.yield()
  }
}
