import ArgumentParser
import Files
import Generation
import Models
import Templates
import Tokenization

/// One conversation: lines in, answers out.
struct ChatLoop {
  let name: String
  var conversation: Conversation
  var settings: TextGenerator.Settings
  let template: ChatTemplate
  let tokenizer: Tokenizer
  let session: TextSession
  let isQuiet: Bool
  /// The last answer, for /why.
  var last: TextGenerator.Result?
  private var reader: LineReader
  private var failed = false

  init(
    name: String, conversation: Conversation, settings: TextGenerator.Settings, template: ChatTemplate,
    tokenizer: Tokenizer, session: TextSession, isQuiet: Bool
  ) {
    self.name = name
    self.conversation = conversation
    self.settings = settings
    self.template = template
    self.tokenizer = tokenizer
    self.session = session
    self.isQuiet = isQuiet
    reader = LineReader(completing: ChatWord.allCases.map { "/" + $0.rawValue })
  }

  /// Reads turns until the end of input or /quit; throws exit status 1 where standard input was no terminal and a turn failed.
  mutating func run() throws {
    ChatSignals.watch()
    if reader.isInteractive { tell("\(name): /help lists what can be done, /quit or Ctrl-D ends") }
    while let line = reader.next(prompt: "> ") {
      if line.allSatisfy(\.isWhitespace) { continue }
      do {
        if line.hasPrefix("/") {
          if try !execute(line) { break }
        } else {
          try answer(to: line)
        }
      } catch {
        failed = true
        _ = Failure.report(error)
      }
    }
    if failed, !reader.isInteractive { throw ExitCode(Failure.Status.failed.rawValue) }
  }

  /// Says something beside the conversation.
  func tell(_ text: String) { if !isQuiet { Console.note(text) } }

  /// Takes up `text` as the user's turn and answers it. A turn that cannot be answered is not kept.
  private mutating func answer(to text: String) throws {
    let before = conversation
    conversation.messages.append(["role": "user", "content": .string(text)])
    do { try answer() } catch {
      conversation = before
      throw error
    }
  }

  /// Answers the last turn.
  mutating func answer() throws {
    let prompt = try fittingPrompt()
    settings.stops = settings.grammar == nil ? prompt.stops : []
    settings.ends = prompt.ends
    ChatSignals.beginAnswer()
    defer { ChatSignals.endAnswer() }
    let result = try session.generate(prompt.ids, settings) { text, _ in
      Console.write(generated: text)
      return !ChatSignals.wantsStop
    }
    Console.write("\n")
    last = result
    conversation.messages.append(["role": "assistant", "content": .string(result.text)])
    // Each answer draws anew, and all of them from the one seed.
    settings.sampling.seed &+= 1
    if result.isComplete == false, result.ending != .cancelled { tell("(the answer ends before the grammar does)") }
    switch result.ending {
    case .cancelled: tell("(stopped)")
    case .length: tell("(the answer ends at --max-tokens \(settings.maximumTokens); /set max-tokens N allows more)")
    case .context:
      tell(
        "(the answer ends where the model's context of \(session.limit.grouped) tokens does; the next turn leaves out the oldest)"
      )
    case .end, .stop, .grammar: break
    }
  }

  /// The tokens of the conversation. Where it leaves no room for an answer, the oldest turns behind the system's are left out
  /// for good, and that is said.
  private mutating func fittingPrompt() throws -> ChatPrompt {
    let room = max(1, min(settings.maximumTokens, session.limit / 4))
    var dropped = 0
    while true {
      let prompt = try ChatPrompt(conversation, template, tokenizer)
      if prompt.ids.count + room <= session.limit {
        if dropped > 0 {
          Console.note(
            "note: the conversation no longer fits the model's context of \(session.limit.grouped) tokens; its oldest "
              + "\(dropped) messages are left out from here on")
        }
        return prompt
      }
      let first = conversation.messages.first?["role"]?.string == "system" ? 1 : 0
      // The newest turn stays; a question goes with its answer.
      var end = first
      repeat {
        end += 1
      } while end < conversation.messages.count - 1
        && conversation.messages[end]["role"]?.string != "user"
      guard end < conversation.messages.count, conversation.messages[end]["role"]?.string == "user" else {
        throw Failure(
          .failed,
          "the turn has \(prompt.ids.count.grouped) tokens, and the model's context of \(session.limit.grouped) leaves no room "
            + "for an answer; make it shorter")
      }
      conversation.messages.removeSubrange(first..<end)
      dropped += end - first
    }
  }
}

extension Conversation {
  /// Makes `text` what the system says; an empty text takes it away.
  mutating func set(system text: String) {
    if messages.first?["role"]?.string == "system" { messages.removeFirst() }
    if !text.isEmpty { messages.insert(["role": "system", "content": .string(text)], at: 0) }
  }
}
