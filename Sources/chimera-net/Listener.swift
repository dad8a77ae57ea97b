import Files
import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import ServingLink

/// Takes connections for `chimera serve`, whose settings come first on standard input; gives the exit status.
///
/// HTTP is understood here and nowhere else; what is asked, and by whom, goes to the models as messages on pipes.
func listen() async -> Int32 {
  // Ctrl-C reaches both programs; ours ends when the other's side of the pipe does.
  for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_IGN) }
  guard let (settings, reader) = readSettings() else {
    note("error: chimera-net does not understand these settings; is it of the same version as chimera?")
    return 2
  }
  let link = ModelLink()
  Thread.detachNewThread { link.read(reader) }
  let logger = Logger(label: "chimera-net") { _ in SwiftLogNoOpLogHandler() }
  let application = Application(
    responder: Gateway(link: link, settings: settings),
    server: .http1(
      configuration: .init(
        additionalChannelHandlers: [InputEnd()], idleTimeout: .seconds(Int64(settings.silence)),
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))),
    configuration: .init(
      address: .hostname(settings.host, port: settings.port), serverName: "chimera", reuseAddress: true,
      availableConnectionsDelegate: MaximumAvailableConnections(settings.connections, logger: logger)),
    onServerRunning: { channel in
      let json: JSONValue = ["port": .integer(channel.localAddress?.port ?? settings.port)]
      link.write(Frame(.listening, text: json.serialized()))
    },
    logger: logger)
  let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
  Task {
    for await _ in link.stop.stream { await group.triggerGracefulShutdown() }
  }
  do {
    try await group.run()
    return 0
  } catch {
    link.write(Frame(.failed, text: reason(error)))
    return 1
  }
}

/// Reads the first message; gives what it says, and the reader that goes on behind it.
private func readSettings() -> (ListenSettings, FrameReader)? {
  var reader = FrameReader()
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = buffer.withUnsafeMutableBytes { read(0, $0.baseAddress, $0.count) }
    if count < 0, errno == EINTR { continue }
    guard count > 0, let frames = try? reader.append(buffer[..<count]) else { return nil }
    guard let first = frames.first else { continue }
    guard first.kind == .settings, let json = try? JSONValue(parsing: first.text), let settings = ListenSettings(json)
    else { return nil }
    return (settings, reader)
  }
}

/// Why no connections can be taken, in a few words.
private func reason(_ error: any Error) -> String {
  guard let error = error as? IOError else { return "\(error)".onOneLine }
  switch error.errnoCode {
  case EADDRINUSE: return "another program listens there already"
  case EACCES: return "this user may not listen there"
  case EADDRNOTAVAIL: return "this machine has no such address"
  default: return String(cString: strerror(error.errnoCode))
  }
}

/// Closes a connection whose client has sent its last: who does not read an answer any more is told by nothing else.
private final class InputEnd: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = Any

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? ChannelEvent, event == .inputClosed { return context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }
}
