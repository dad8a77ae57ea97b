import Dispatch
import Execution
import Files
import Generation
import Kernels
import Models
import Serving
import ServingLink
import Specification
import Synchronization
import TestSupport
import Testing

/// The parts of an answer, put together.
struct Answered: Sendable {
  var status = 0
  var fields: [String: String] = [:]
  var body: [UInt8] = []
  var isWhole = false

  var text: String { String(decoding: body, as: UTF8.self) }
  var json: JSONValue { (try? JSONValue(parsing: text)) ?? .null }
  /// The documents of a stream of events, without the mark at its end.
  var events: [JSONValue] {
    text.split(separator: "\n\n").compactMap { event in
      event == "data: [DONE]" ? nil : try? JSONValue(parsing: String(event.dropFirst("data: ".count)))
    }
  }
  /// The sentence of an error, and the parameter that it names.
  var message: String { json["error"]?["message"]?.string ?? "" }
  var parameter: String? { json["error"]?["param"]?.string }
}

/// One request to a server in this process.
final class Asking: Sendable {
  private let state = Mutex(Answered())
  private let done = DispatchSemaphore(value: 0)
  let answer: Answer
  private let begun: @Sendable () -> Void

  /// Asks `server`; `begun` is told when the first piece of a body has come.
  init(
    _ server: ModelServer, _ path: String, _ body: JSONValue? = nil, method: String? = nil,
    type: String = "application/json", begun: @escaping @Sendable () -> Void = {}
  ) {
    self.begun = begun
    let box = Mutex<Asking?>(nil)
    let shared = Shared(box: box)
    answer = Answer { part in shared.take(part) }
    shared.box.withLock { $0 = self }
    let head = RequestHead(
      method: method ?? (body == nil ? "GET" : "POST"), target: path,
      fields: ["host": "localhost", "content-type": type])
    server.receive(head, body: Array((body?.serialized() ?? "").utf8), answer)
  }

  private final class Shared: Sendable {
    let box: Mutex<Asking?>
    init(box: consuming Mutex<Asking?>) { self.box = box }
    func take(_ part: Answer.Part) { box.withLock { $0 }?.take(part) }
  }

  private func take(_ part: Answer.Part) {
    switch part {
    case .head(let head):
      state.withLock { state in
        state.status = head.status
        for field in head.fields { state.fields[field.name] = field.value }
      }
    case .body(let bytes):
      state.withLock { $0.body += bytes }
      begun()
    case .end:
      state.withLock { $0.isWhole = true }
      done.signal()
    }
  }

  /// The whole answer, waited for.
  func whole() -> Answered {
    done.wait()
    done.signal()
    return state.withLock { $0 }
  }
}

extension ModelServer {
  /// The answer to a request, waited for.
  func ask(_ path: String, _ body: JSONValue? = nil, method: String? = nil, type: String = "application/json")
    -> Answered
  {
    Asking(self, path, body, method: method, type: type).whole()
  }
}

/// Servers of the small models that the project trained.
enum Served {
  static let pool = ThreadPool(threads: 2)

  /// The model `name` with `changes`, in f32.
  static func model(_ name: String, changes: [String] = [], id: String? = nil) throws -> ServedModel {
    let loader = try Here.models()
    let described = try loader.describe(name, patches: try Overrides(changes).patches)
    return try ServedModel(id: id ?? name, loader.load(described), states: .f32, computeType: .f32)
  }

  /// A server of `models`.
  static func server(_ models: [ServedModel], _ change: (inout ServerLimits) -> Void = { _ in }) throws -> ModelServer {
    var limits = ServerLimits()
    limits.stateBytes = 64 << 20
    change(&limits)
    return try ModelServer(models, limits: limits, version: "test", pool: pool)
  }

  /// Two models, of which the first answers conversations; shared by the tests that only ask.
  static let stories: ModelServer? = try? server([
    model("story-llama", changes: ["chat=chatml"]), model("story-gpt2"),
  ])
}
