import Files
import ServingLink
import Synchronization

/// The answer to one request, on its way to who asked.
public final class Answer: Sendable {
  /// A part of it, in order.
  public enum Part: Sendable {
    case head(ResponseHead)
    case body([UInt8])
    case end
  }

  private let send: @Sendable (Part) -> Void
  private let gone = Atomic<Bool>(false)

  /// An answer whose parts go to `send`, by whatever thread makes them.
  public init(_ send: @escaping @Sendable (Part) -> Void) { self.send = send }

  /// Nobody waits for it any more: what is computed for it is dropped with the next step.
  public func leave() { gone.store(true, ordering: .relaxed) }

  /// Whether nobody waits for it.
  public var isGone: Bool { gone.load(ordering: .relaxed) }

  /// Answers with `body`, all of it.
  func finish(_ status: Int, _ body: [UInt8], type: String, fields: [(name: String, value: String)] = []) {
    let own = [
      (name: "Content-Type", value: type), (name: "Cache-Control", value: "no-store"),
      (name: "X-Content-Type-Options", value: "nosniff"),
    ]
    send(.head(ResponseHead(status: status, fields: own + fields, length: body.count)))
    if !body.isEmpty { send(.body(body)) }
    send(.end)
  }

  /// Answers with a JSON document.
  func finish(_ json: JSONValue, status: Int = 200, fields: [(name: String, value: String)] = []) {
    finish(status, Array((json.serialized() + "\n").utf8), type: "application/json", fields: fields)
  }

  /// Answers with what is wrong.
  func finish(_ error: ErrorAnswer) { finish(error.json, status: error.status, fields: error.fields) }

  /// Begins a stream of events.
  func beginStream() {
    let fields = [
      (name: "Content-Type", value: "text/event-stream; charset=utf-8"), (name: "Cache-Control", value: "no-store"),
      (name: "X-Content-Type-Options", value: "nosniff"), (name: "X-Accel-Buffering", value: "no"),
    ]
    send(.head(ResponseHead(status: 200, fields: fields)))
  }

  /// Sends an event with a JSON document.
  func event(_ json: JSONValue) { send(.body(Array("data: \(json.serialized())\n\n".utf8))) }

  /// Ends the stream of events.
  func endStream() {
    send(.body(Array("data: [DONE]\n\n".utf8)))
    send(.end)
  }
}
