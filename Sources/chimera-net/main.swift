import Files
import Foundation
import Hub
import HubCache

// `chimera-net` is what `chimera` starts where a network is needed: a request on standard input, its result on standard
// output, everything else on standard error.

signal(SIGPIPE, SIG_IGN)

func note(_ text: String) {
  var text = text.safeForTerminals + "\n"
  text.withUTF8 { _ = writeAll(UnsafeRawBufferPointer($0), to: 2) }
}

let mode = CommandLine.arguments.dropFirst()
guard mode == ["serve-request"] || mode == ["listen"] else {
  note("chimera-net is started by chimera: see the help of 'chimera pull', 'chimera push' and 'chimera serve'")
  exit(2)
}

// Whoever asked may be killed; then nobody waits for the answer, and what has arrived is kept.
let asking = getppid()
Task.detached {
  while getppid() == asking { try? await Task.sleep(for: .seconds(1)) }
  exit(130)
}

if mode == ["listen"] { exit(await listen()) }

let input = FileHandle.standardInput.readDataToEndOfFile()
let parsed = try? Array(input).withUnsafeBytes { try JSONValue(parsing: $0, name: "the request") }
guard let request = parsed.flatMap({ NetworkRequest($0) }) else {
  note("error: chimera-net does not understand this request; is it of the same version as chimera?")
  exit(2)
}

do {
  let settings = HubSettings()
  let transport = ClientTransport(timeout: settings.timeout, try ProxyRules())
  let client = try HubClient(settings, over: transport)
  let isLive = isatty(2) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  let result = try await HubService(client, settings, isLive: isLive).answer(request)
  await transport.close()
  var text = result.serialized() + "\n"
  let failure = text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: 1) }
  exit(failure == nil ? 0 : 1)
} catch let problem as HubProblem {
  note("error: \(problem.description.onOneLine)")
  exit(problem.status)
} catch let problem as FileProblem {
  note(problem.description.onOneLine)
  exit(problem.cause == .missing ? 4 : 1)
} catch {
  note("error: \("\(error)".onOneLine)")
  exit(1)
}
