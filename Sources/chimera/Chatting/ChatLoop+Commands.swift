import ArgumentParser
import Components
import Essentials
import Files
import Generation
import Models

/// The commands of a conversation.
enum ChatWord: String, CaseIterable {
  case help
  case system
  case set
  case save
  case load
  case retry
  case undo
  case clear
  case why
  case quit

  /// How it is used, and what it does.
  var use: (form: String, meaning: String) {
    switch self {
    case .help: ("/help", "lists this")
    case .system: ("/system TEXT", "sets the system message; without TEXT shows it, with '' takes it away")
    case .set:
      ("/set NAME VALUE", "sets temperature, top-k, top-p, min-p, typical-p, repeat-penalty, max-tokens or seed")
    case .save: ("/save FILE", "writes the conversation as JSON")
    case .load: ("/load FILE", "goes on with a conversation that was saved, or any list of messages")
    case .retry: ("/retry", "answers the last turn again")
    case .undo: ("/undo", "takes back the last turn and its answer")
    case .clear: ("/clear", "begins anew; the system message stays")
    case .why: ("/why", "shows the likeliest tokens at each place of the last answer")
    case .quit: ("/quit", "ends, as Ctrl-D does")
    }
  }
}

extension ChatLoop {
  /// Does what a line that begins with '/' says; false when that is the end.
  mutating func execute(_ line: String) throws -> Bool {
    let parts = line.dropFirst().split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
    let rest = parts.count == 2 ? parts[1].trimmed : ""
    guard let word = parts.first.flatMap({ ChatWord(rawValue: String($0)) }) else {
      let name = parts.first.map(String.init) ?? ""
      let near = nearestName(to: name, in: ChatWord.allCases.map(\.rawValue)).map { "did you mean '/\($0)'?" }
      throw Failure(
        .usage,
        "there is no command '/\(name.prefix(40))'; \(near ?? "/help lists them, and a turn that begins with '/' takes a space first")"
      )
    }
    switch word {
    case .help:
      let width = ChatWord.allCases.map { $0.use.form.count }.max() ?? 0
      for word in ChatWord.allCases {
        let space = String(repeating: " ", count: width - word.use.form.count)
        Console.note("\(word.use.form)\(space)  \(word.use.meaning)")
      }
      Console.note("A line that ends with '\\' goes on in the next; \"\"\" begins and ends a turn of several lines.")
      Console.note("Ctrl-C stops an answer; twice at the prompt it ends the program.")
    case .system: system(rest)
    case .set: try set(rest)
    case .save: try save(to: rest)
    case .load: try load(from: rest)
    case .retry:
      guard let turn = lastTurn else { throw Failure(.usage, "there is no turn to answer again") }
      let before = conversation
      conversation.messages.removeSubrange((turn + 1)...)
      do { try answer() } catch {
        conversation = before
        throw error
      }
    case .undo:
      guard let turn = lastTurn else { throw Failure(.usage, "there is no turn to take back") }
      conversation.messages.removeSubrange(turn...)
      last = nil
      tell("\(conversation.messages.count) messages are left")
    case .clear:
      conversation.messages.removeAll { $0["role"]?.string != "system" }
      last = nil
      tell("the conversation begins anew")
    case .why: try why()
    case .quit: return false
    }
    return true
  }

  /// Where the user's last turn stands.
  private var lastTurn: Int? { conversation.messages.lastIndex { $0["role"]?.string == "user" } }

  private mutating func system(_ text: String) {
    if text.isEmpty {
      let message = conversation.messages.first { $0["role"]?.string == "system" }
      Console.note(message?["content"]?.string ?? "there is no system message; the template may have one of its own")
      return
    }
    conversation.set(system: text == "''" || text == "\"\"" ? "" : text)
    tell("the system message is \(text == "''" || text == "\"\"" ? "taken away" : "set")")
  }

  private mutating func set(_ text: String) throws {
    let parts = text.split(whereSeparator: { $0 == " " || $0 == "=" })
    let names = ["temperature", "top-k", "top-p", "min-p", "typical-p", "repeat-penalty", "max-tokens", "seed"]
    guard parts.count == 2 else {
      let sampling = settings.sampling
      throw Failure(
        .usage,
        "/set takes a name and a value, such as '/set temperature 0.2'; now: temperature \(sampling.temperature), top-k "
          + "\(sampling.topK), top-p \(sampling.topP), min-p \(sampling.minP), typical-p \(sampling.typicalP), repeat-penalty "
          + "\(sampling.repeatPenalty), max-tokens \(settings.maximumTokens), seed \(sampling.seed)")
    }
    let name = String(parts[0].replacing("_", with: "-"))
    guard names.contains(name) else {
      let hint =
        nearestName(to: name, in: names).map { "did you mean '\($0)'?" } ?? "there are \(names.joined(separator: ", "))"
      throw Failure(.usage, "there is nothing to set called '\(name.prefix(40))'; \(hint)")
    }
    // The same checks as on the command line.
    var options = try SamplingOptions.parse([])
    let (whole, number) = (Int(parts[1]), Double(parts[1]))
    switch (name, number, whole) {
    case ("temperature", let number?, _): options.temperature = number
    case ("top-k", _, let whole?): options.topK = whole
    case ("top-p", let number?, _): options.topP = number
    case ("min-p", let number?, _): options.minP = number
    case ("typical-p", let number?, _): options.typicalP = number
    case ("repeat-penalty", let number?, _): options.repeatPenalty = number
    case ("max-tokens", _, let whole?) where whole >= 1: settings.maximumTokens = whole
    case ("seed", _, let whole?) where whole >= 0: settings.sampling.seed = UInt64(whole)
    default: throw Failure(.usage, "'\(parts[1].prefix(40))' is no value for \(name)")
    }
    do { try options.validate() } catch let mistake as ValidationError { throw Failure(.usage, mistake.message) }
    switch name {
    case "temperature": settings.sampling.temperature = options.temperature
    case "top-k": settings.sampling.topK = options.topK
    case "top-p": settings.sampling.topP = options.topP
    case "min-p": settings.sampling.minP = options.minP
    case "typical-p": settings.sampling.typicalP = options.typicalP
    case "repeat-penalty": settings.sampling.repeatPenalty = options.repeatPenalty
    default: break
    }
    tell("\(name) is \(parts[1])")
  }

  private func save(to path: String) throws {
    guard !path.isEmpty else { throw Failure(.usage, "/save takes the path of a file") }
    if kind(ofPath: path) == .folder { throw Failure(.usage, "'\(path)' is a folder; /save takes the path of a file") }
    if kind(ofPath: path) == .file, (try? JSONValue(contentsOf: path))?["messages"] == nil {
      throw Failure(.usage, "'\(path)' is there and is no conversation; it is not replaced")
    }
    var document = JSONObject()
    document["model"] = .string(name)
    document["messages"] = .array(conversation.messages)
    try writeAtomically(JSONValue.object(document).serialized(pretty: true) + "\n", to: path)
    tell("\(conversation.messages.count) messages are in \(path)")
  }

  private mutating func load(from path: String) throws {
    guard !path.isEmpty else { throw Failure(.usage, "/load takes the path of a file") }
    if path == "-" { throw Failure(.usage, "/load takes the path of a file; turns come through standard input") }
    conversation.messages = try MessageFile.messages(at: path)
    last = nil
    tell("\(conversation.messages.count) messages are loaded")
  }

  /// Shows for each token of the last answer how likely it was, and what else was.
  private func why() throws {
    guard let last, !last.probabilities.isEmpty else { throw Failure(.usage, "there is no answer yet") }
    func shown(_ choice: TokenProbability.Choice) -> String {
      let text = tokenizer.decode([choice.id]).replacing("\n", with: "⏎").replacing("\t", with: "⇥")
      return "'\(text)' \(percent(choice.logProbability))"
    }
    for probability in last.probabilities {
      let others = probability.mostLikely.map(shown).joined(separator: "  ")
      Console.note("\(shown(probability.token))  of  \(others)")
    }
  }

  private func percent(_ logProbability: Double) -> String {
    let value = exp(logProbability) * 100
    return value >= 9.95 ? "\(Int(rounding: value, .toNearestOrAwayFromZero)) %" : "\((value * 10).rounded() / 10) %"
  }
}
