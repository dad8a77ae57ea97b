import ArgumentParser
import Essentials
import Execution
import Files
import Kernels
import Models
import Serving
import ServingLink

/// `chimera serve`: models behind the HTTP API that OpenAI's clients speak.
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve models over HTTP, as OpenAI's API does.",
    usage: "chimera serve [MODEL...] [options]",
    discussion: """
      The address goes to standard output once connections are taken. Completions, chat, embeddings, prompt logprobs, JSON \
      Schema, streams: see Documentation/Serving.md. It listens on this machine alone and wants a token, CHIMERA_TOKEN or \
      a new one that is told at the start. Ctrl-C or SIGTERM ends it when what runs is done. --help-hidden lists more limits.

        chimera serve story-llama
        chimera serve base=runs/base rope=runs/rope --port 8000 --no-token
        chimera serve --study studies/position
      """)

  @Argument(help: "The models, each MODEL or NAME=MODEL.") var models: [String] = []
  @Option(help: "Serve the arms of the study in this folder, too.") var study: String?
  @Option(help: "The address to listen on.") var host = "127.0.0.1"
  @Option(parsing: .unconditional, help: "The port; 0 for a free one.") var port = 8080
  @Option(help: "The token that clients present. [CHIMERA_TOKEN, or a new one]") var token: String?
  @Flag(help: "Ask for no token.") var noToken = false
  @Option(help: .init("A name by which the server may be called. May be repeated.", visibility: .hidden)) var allowHost:
    [String] = []
  @Option(help: .init("An origin whose pages may ask, http://…. May be repeated.", visibility: .hidden))
  var allowOrigin: [String] = []
  @Option(parsing: .unconditional, help: "KV cache for all that runs, in GiB. [half of the free memory]")
  var kvMemory: Double?
  @Option(
    name: [.customShort("n"), .customLong("max-tokens")], parsing: .unconditional,
    help: "Maximum tokens of an answer.")
  var maxTokens = 4096
  @Option(parsing: .unconditional, help: .init("Maximum prompts that wait; more get status 429.", visibility: .hidden))
  var queue = 256
  @Option(parsing: .unconditional, help: .init("Maximum connections.", visibility: .hidden)) var connections = 256
  @Option(parsing: .unconditional, help: .init("Maximum bytes of a request's body.", visibility: .hidden)) var maxBody =
    16 << 20
  @Option(parsing: .unconditional, help: .init("Maximum seconds of a request.", visibility: .hidden)) var timeout = 600
  @Option(parsing: .unconditional, help: .init("Maximum seconds that a connection may be silent.", visibility: .hidden))
  var silence = 60
  @Option(
    parsing: .unconditional, help: .init("Seconds that answers may take to end after SIGTERM.", visibility: .hidden))
  var grace = 10
  @OptionGroup var cache: CacheOption
  @OptionGroup var options: RunOptions

  func validate() throws {
    var mistakes = Mistakes()
    mistakes.note("--port takes a number from 0 to 65535", if: !(0...65535).contains(port))
    mistakes.note("--token and --no-token exclude each other", if: token != nil && noToken)
    mistakes.note("--token takes at least one character, and no spaces", if: token.map(Self.isNoToken) ?? false)
    mistakes.note("--kv-memory takes a number above 0", if: kvMemory.map { !($0 > 0 && $0 < 1_048_576) } ?? false)
    mistakes.note("--max-tokens takes a number from 1 to 1000000", if: !(1...1_000_000).contains(maxTokens))
    mistakes.note("--queue takes a number from 1 to 100000", if: !(1...100_000).contains(queue))
    mistakes.note("--connections takes a number from 1 to 10000", if: !(1...10_000).contains(connections))
    mistakes.note("--max-body takes a number from 1024 to 67108864", if: !(1024...64 << 20).contains(maxBody))
    mistakes.note("--timeout takes a number from 1 to 86400", if: !(1...86_400).contains(timeout))
    mistakes.note("--silence takes a number from 1 to 3600", if: !(1...3600).contains(silence))
    mistakes.note("--grace takes a number from 0 to 3600", if: !(0...3600).contains(grace))
    mistakes.note(
      "--weights, --adapter and --tokenizer go with one model",
      if: (models.count > 1 || study != nil)
        && (options.weights != nil || options.adapter.path != nil || options.tokenizer != nil))
    mistakes.note("name a model, or a study with --study", if: models.isEmpty && study == nil)
    try mistakes.check()
  }

  func run() throws {
    let pool = options.pool
    let arms = try study.map { try self.arms(of: $0) } ?? []
    try refuseTwins(arms.map(\.name) + named().map(\.name))
    let served = try named().map { name, reference in try load(reference, as: name) } + arms.map { try $0.load() }
    var limits = ServerLimits()
    (limits.tokens, limits.waiting, limits.seconds) = (maxTokens, queue, timeout)
    limits.stateBytes = try stateBytes()
    for model in served { tell(model, limits) }
    let server = try ModelServer(served, limits: limits, version: programVersion, pool: pool)
    let token = wantedToken()
    let (input, output, child) = try NetworkProgram.start(["listen"])
    StopSignals.watch()
    let link = ServerLink(server, input: output.reading, output: input.writing)
    let settings = ListenSettings(
      host: host, port: port, bodyLimit: maxBody, connections: connections, silence: silence,
      gate: RequestGate(token: token, hosts: allowHost.map { $0.lowercased() }, origins: allowOrigin))
    link.write(Frame(.settings, text: settings.json.serialized()))
    do {
      try link.run(grace: .seconds(grace)) { port in
        Console.write("http://\(host.contains(":") ? "[\(host)]" : host):\(port)\n")
        if let token, self.token == nil, Self.environmentToken == nil {
          Console.note("token: \(token)\npage:  http://\(host):\(port)/#\(token)")
        }
        if token == nil { Console.note("note: whoever reaches this address may ask; --no-token was said") }
      }
    } catch {
      close(input.writing)
      _ = child.wait(atMost: .seconds(5))
      throw error
    }
    _ = child.wait(atMost: .seconds(grace + 5))
    Console.note("ended")
  }

  private static func isNoToken(_ text: String) -> Bool {
    text.isEmpty || text.utf8.contains { $0 <= 0x20 || $0 >= 0x7F }
  }

  private static var environmentToken: String? {
    ProcessInfo.processInfo.environment["CHIMERA_TOKEN"].flatMap { isNoToken($0) ? nil : $0 }
  }

  /// What clients have to present; nil for nothing.
  private func wantedToken() -> String? {
    if noToken { return nil }
    if let token = token ?? Self.environmentToken { return token }
    let digits = Array("0123456789abcdefghijkmnpqrstuvwxyz")
    return String((0..<32).compactMap { _ in digits.randomElement() })
  }

  /// The models by the names that they are called: NAME=MODEL, or the model's own, without folders and endings.
  private func named() throws -> [(name: String, reference: String)] {
    var named: [(name: String, reference: String)] = []
    for model in models {
      let parts = model.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      if parts.count == 2, kind(ofPath: model) == .nothing {
        if parts[0].isEmpty || parts[1].isEmpty { throw Failure(.usage, "'\(model)' is not NAME=MODEL") }
        named.append((parts[0], parts[1]))
        continue
      }
      var name = kind(ofPath: model) == .nothing ? model : model.split(separator: "/").last.map(String.init) ?? model
      for ending in [".yaml", ".yml", ".gguf", ".safetensors"] where name.hasSuffix(ending) && name.count > ending.count
      {
        name.removeLast(ending.count)
      }
      named.append((name, model))
    }
    return named
  }

  /// Refuses two models of one name.
  private func refuseTwins(_ names: [String]) throws {
    if let twice = names.first(where: { name in names.count(where: { $0 == name }) > 1 }) {
      throw Failure(.usage, "two models are called '\(twice)'; NAME=MODEL names one otherwise")
    }
  }

  /// The arms of the study in the folder `path`, and what loads each.
  private func arms(of path: String) throws -> [(name: String, load: () throws -> ServedModel)] {
    let study = try OpenedStudy(folder: path, threads: options.threads)
    let (kept, missing) = try study.arms()
    for name in missing { Console.note("note: the arm '\(name)' has no weights in '\(path)', and is not served") }
    let tokenizer = try study.tokenizer()
    let models = try options.model.zoo().models
    return kept.map { name, run in
      (name, { try serve(models.load(models.describe(run), trainedWith: tokenizer), as: name) })
    }
  }

  private func load(_ reference: String, as name: String) throws -> ServedModel {
    try serve(options.load(reference, seed: 0), as: name)
  }

  private func serve(_ loaded: LoadedModel, as name: String) throws -> ServedModel {
    let plan = loaded.description.plan
    guard plan.prediction != .pairs, (try? plan.withPicturesGiven.requireSources()) != nil else {
      throw Failure(.failed, "'\(name)' reads more than a text and the pictures in it, which cannot be served")
    }
    let words = PartWords(described: loaded.description, components: try options.model.zoo().registry.describe())
    return try ServedModel(
      id: name, loaded, states: cache.format, computeType: try options.computeType(), explanations: words.list,
      drawing: ServedDrawing(described: loaded.description, words: words).json)
  }

  /// Bytes of KV cache: what is asked for, or half of what is free once the weights are there.
  private func stateBytes() throws -> Int {
    let available = AvailableMemory.bytes
    guard let kvMemory else { return max(64 << 20, (available ?? 2 << 30) / 2) }
    let bytes = Int(kvMemory * Double(1 << 30))
    if let available, bytes > available {
      throw Failure(.failed, "--kv-memory asks for \(bytes.inBytes), and \(available.inBytes) can be had")
    }
    return bytes
  }

  /// Says what a model takes.
  private func tell(_ model: ServedModel, _ limits: ServerLimits) {
    let each = model.bytesPerToken
    let room = each > 0 ? ", room for \((limits.stateBytes / each).grouped) tokens" : ""
    Console.note("\(model.id): KV cache \(each.inBytes) a token of \(limits.stateBytes.inBytes)\(room)")
  }
}

extension Serve: ModelOptionsCommand {
  var modelOptions: ModelOptions { options.model }
}
