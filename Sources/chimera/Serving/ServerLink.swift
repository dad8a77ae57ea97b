import Dispatch
import Essentials
import Files
import Serving
import ServingLink
import Synchronization

/// The pipes to the sibling program, which has the connections: requests come from there, and answers go back.
final class ServerLink: Sendable {
  private let server: ModelServer
  private let (input, output): (Int32, Int32)
  private let answers = Mutex<[UInt64: Answer]>([:])
  private let writing = Mutex<Void>(())

  /// The link by which `server` is asked: messages come from the descriptor `input` and go to `output`.
  init(_ server: ModelServer, input: Int32, output: Int32) {
    (self.server, self.input, self.output) = (server, input, output)
  }

  /// Writes one message. Where nobody reads any more, the end of `input` says so.
  func write(_ frame: Frame) {
    let bytes = frame.bytes
    writing.withLock { _ in _ = bytes.withUnsafeBytes { writeAll($0, to: output) } }
  }

  /// Answers requests until the other side ends, which it does of itself only when something is wrong; `listening` is told
  /// the port. On a signal what runs may go on for `grace`, and then all ends in order.
  ///
  /// Throws `Failure` where no connections can be taken.
  func run(grace: Duration, listening: (Int) throws -> Void) throws {
    var reader = FrameReader()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var isStopping = false
    while true {
      if StopSignals.came, !isStopping {
        isStopping = true
        write(Frame(.stop))
        DispatchQueue.global().async {
          self.server.stop(within: grace)
          close(self.output)
        }
      }
      var waited = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
      if poll(&waited, 1, 100) <= 0 { continue }
      let count = buffer.withUnsafeMutableBytes { read(input, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      let frames: [Frame]
      do { frames = try reader.append(buffer[..<count]) } catch { break }
      for frame in frames { try take(frame, listening) }
    }
    if !isStopping { throw Failure(.failed, "chimera-net, which has the connections, has ended") }
  }

  private func take(_ frame: Frame, _ listening: (Int) throws -> Void) throws {
    switch frame.kind {
    case .listening: try listening((try? JSONValue(parsing: frame.text))?["port"]?.integer ?? 0)
    case .failed: throw Failure(.failed, "no connections can be taken: \(frame.text)")
    case .gone: if let answer = answers.withLock({ $0.removeValue(forKey: frame.request) }) { server.drop(answer) }
    case .request: receive(frame)
    case .settings, .head, .body, .end, .stop: break
    }
  }

  private func receive(_ frame: Frame) {
    let id = frame.request
    let answer = Answer { part in
      switch part {
      case .head(let head): self.write(Frame(.head, request: id, text: head.json.serialized()))
      case .body(let bytes): self.write(Frame(.body, request: id, bytes))
      case .end:
        self.answers.withLock { $0[id] = nil }
        self.write(Frame(.end, request: id))
      }
    }
    guard let (head, body) = RequestHead.parse(frame) else { return write(Frame(.end, request: id)) }
    answers.withLock { $0[id] = answer }
    // Long texts take their time to become tokens; meanwhile others are heard.
    Task.detached { self.server.receive(head, body: body, answer) }
  }
}
