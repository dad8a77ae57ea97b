import Files
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import ServingLink

/// What a request is answered with beside it: its connection.
struct GatewayContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }
}

/// Hands requests to the models and answers to the clients.
///
/// Who may not ask is turned away before a byte of the body is read. A body, and each part of an answer, has to be sent and
/// taken within the settings' silence.
struct Gateway: HTTPResponder {
  typealias Context = GatewayContext
  let link: ModelLink
  let settings: ListenSettings

  /// HEAD is answered as GET is, without what stands behind the head: clients take it for the beginning of the next answer.
  func respond(to request: Request, context: GatewayContext) async throws -> Response {
    guard request.method == .head else { return try await answer(to: request, context) }
    var head = request.head
    head.method = .get
    return try await answer(to: Request(head: head, body: request.body), context).createHeadResponse()
  }

  private func answer(to request: Request, _ context: GatewayContext) async throws -> Response {
    let head = Self.head(of: request)
    let sharing = settings.gate.sharing(head)
    if let refusal = settings.gate.refusal(of: head) { return Self.response(refusal, sharing) }
    let limit = settings.bodyLimit
    let tooLarge = ErrorAnswer(
      413, "the body has more than \(limit) bytes, which is what the server takes", code: "body_too_large")
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
      return Self.response(tooLarge, sharing)
    }
    let channel = context.channel
    var body: [UInt8] = []
    let waits = channel.eventLoop.scheduleTask(in: .seconds(Int64(settings.silence))) { channel.close(promise: nil) }
    for try await piece in request.body {
      guard body.count + piece.readableBytes <= limit else {
        waits.cancel()
        return Self.response(tooLarge, sharing)
      }
      body += piece.readableBytesView
    }
    waits.cancel()
    guard let (id, parts) = link.send(head, body: body) else {
      return Self.response(ErrorAnswer(503, "the server is ending", code: "server_ending"), sharing)
    }
    channel.closeFuture.whenComplete { [link] _ in link.leave(id) }
    var iterator = parts.makeAsyncIterator()
    guard let first = await iterator.next(), first.kind == .head, let json = try? JSONValue(parsing: first.text),
      let answer = ResponseHead(json)
    else {
      return Self.response(ErrorAnswer(503, "the server is ending", code: "server_ending"), sharing)
    }
    var fields = HTTPFields()
    for field in answer.fields + sharing {
      if let name = HTTPField.Name(field.name) { fields.append(HTTPField(name: name, value: field.value)) }
    }
    let (link, silence) = (link, Int64(settings.silence))
    let rest = UnsafeParts(iterator: iterator)
    return Response(
      status: .init(code: answer.status), headers: fields,
      body: ResponseBody(contentLength: answer.length) { writer in
        var parts = rest.iterator
        do {
          while let part = await parts.next() {
            let stalls = channel.eventLoop.scheduleTask(in: .seconds(silence)) { channel.close(promise: nil) }
            defer { stalls.cancel() }
            try await writer.write(ByteBuffer(bytes: part.payload))
          }
          try await writer.finish(nil)
        } catch {
          link.leave(id)
          throw error
        }
      })
  }

  /// What the models are told of a request.
  private static func head(of request: Request) -> RequestHead {
    var fields: [String: String] = [:]
    fields["host"] = request.head.authority
    for (name, field) in [
      ("origin", HTTPField.Name.origin), ("authorization", .authorization), ("content-type", .contentType),
    ] { fields[name] = request.headers[field] }
    return RequestHead(method: request.method.rawValue, target: request.head.path ?? "/", fields: fields)
  }

  /// An answer that says what is wrong. The body was not read, so the connection is of no more use.
  private static func response(_ error: ErrorAnswer, _ sharing: [(name: String, value: String)]) -> Response {
    var fields: HTTPFields = [.contentType: "application/json", .connection: "close"]
    for field in error.fields + sharing {
      if let name = HTTPField.Name(field.name) { fields.append(HTTPField(name: name, value: field.value)) }
    }
    return Response(
      status: .init(code: error.status), headers: fields,
      body: ResponseBody(byteBuffer: ByteBuffer(string: error.json.serialized() + "\n")))
  }
}

/// The rest of an answer's parts. The response's body is written once, after `respond` has taken the first part.
private struct UnsafeParts: @unchecked Sendable {
  let iterator: AsyncStream<Frame>.Iterator
}
