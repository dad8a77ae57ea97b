import Files
import Generation
import ServingLink
import Synchronization

/// The answer to a request with several choices, as it comes together from the jobs' events.
final class Reply: Sendable {
  /// How a request wants its answer written.
  struct Form: Sendable {
    let id: String
    let created: Int
    let model: String
    let isChat: Bool
    let streams: Bool
    let streamsUsage: Bool
    /// How many likeliest tokens stand beside each; nil for no probabilities.
    let likeliest: Int?
    /// What a completion begins with: its prompts, repeated.
    let echoes: Bool
    /// For each job, its prompt's text and tokens.
    let prompts: [(text: String, ids: [Int], startsWithMark: Bool)]
    /// Choices for each prompt, and how many continuations are written to choose them from.
    let choices: Int
    let continuations: Int
    let words: TokenWords
    /// How the model writes that it calls one of the tools it was told of, and their names; nil where it was told of none.
    var calls: (form: ToolCallForm, tools: Set<String>)? = nil
  }

  struct Choice {
    var text = ""
    var probabilities: [TokenProbability] = []
    var tokens: [Int] = []
    var result: TextGenerator.Result?
    var offset = 0
    var reader: ToolCallReader?
    var calls: [JSONValue] = []
  }

  private struct State {
    var hasBegun = false
    var isOver = false
    var choices: [[Choice]]
    var prompts: [[TokenProbability]]
    var left: Int
    /// Tokens of the prompts that were read before, for others.
    var reused = 0
  }

  private let form: Form
  private let answer: Answer
  private let ended: @Sendable (Int) -> Void
  private let firstToken: @Sendable () -> Void
  private let state: Mutex<State>

  /// The answer to a request for `form`; `ended` is told the status once it is whole, `firstToken` when there is one.
  init(
    _ form: Form, _ answer: Answer, firstToken: @escaping @Sendable () -> Void, ended: @escaping @Sendable (Int) -> Void
  ) {
    (self.form, self.answer, self.firstToken, self.ended) = (form, answer, firstToken, ended)
    var choice = Choice()
    choice.reader = form.calls.map { ToolCallReader($0.form, tools: $0.tools) }
    let row = Array(repeating: choice, count: form.continuations)
    state = Mutex(
      State(
        choices: Array(repeating: row, count: form.prompts.count),
        prompts: Array(repeating: [], count: form.prompts.count), left: form.prompts.count * form.continuations))
  }

  /// Takes what became of the job of prompt `prompt`.
  func take(_ event: Job.Event, prompt: Int) {
    state.withLock { state in
      if state.isOver { return }
      switch event {
      case .failed(let error): fail(error, &state)
      case .batch(.failed(let error)): fail(Scheduler.answer(to: error), &state)
      case .embedded, .probed: break
      case .batch(.read(let probabilities, let reused, _)):
        state.prompts[prompt] = probabilities
        state.reused += reused
        begin(prompt, &state)
      case .batch(.wrote(let place, let text, let token, let probability)):
        // Without a tokenizer the text is the numbers of the tokens.
        let written = form.words.tokenizer == nil ? "\(token) " : text
        if state.choices[prompt][place].tokens.isEmpty { firstToken() }
        let (text, calls) = read(written, isEnd: false, prompt, place, &state)
        state.choices[prompt][place].text += text
        state.choices[prompt][place].tokens.append(token)
        if let probability { state.choices[prompt][place].probabilities.append(probability) }
        if form.streams, !text.isEmpty || !calls.isEmpty || form.likeliest != nil {
          write(text, calls, [(token, probability)], prompt, place, &state)
        }
      case .batch(.ended(let place, let rest, let end, let result)):
        let (text, calls) = read(rest, isEnd: true, prompt, place, &state)
        state.choices[prompt][place].text += text
        state.choices[prompt][place].result = result
        // Readers of a completion's lists count on an entry for each token that was computed, the end's too.
        let last = form.isChat ? nil : end
        if let last {
          state.choices[prompt][place].tokens.append(last.token)
          if let probability = last.probability { state.choices[prompt][place].probabilities.append(probability) }
        }
        if form.streams {
          write(
            text, calls, last.map { [($0.token, $0.probability)] } ?? [], prompt, place, ending: result.ending, &state)
        }
        state.left -= 1
        if state.left == 0 { finish(&state) }
      }
    }
  }

  /// What of `text`, the next of a choice, is text, and which calls of tools are known with it.
  private func read(
    _ text: String, isEnd: Bool, _ prompt: Int, _ place: Int, _ state: inout State
  ) -> (text: String, calls: [JSONValue]) {
    guard var reader = state.choices[prompt][place].reader else { return (text, []) }
    let pieces = reader.take(text) + (isEnd ? reader.finish() : [])
    state.choices[prompt][place].reader = reader
    var (plain, calls): (String, [JSONValue]) = ("", [])
    for piece in pieces {
      switch piece {
      case .text(let text): plain += text
      case .call(let name, let arguments):
        let index = state.choices[prompt][place].calls.count
        let call: JSONValue = [
          "id": .string("call_\(form.id.dropFirst("chatcmpl-".count))_\(place)_\(index)"), "type": "function",
          "function": ["name": .string(name), "arguments": .string(arguments)],
        ]
        state.choices[prompt][place].calls.append(call)
        var part = JSONObject()
        part["index"] = .integer(index)
        for key in call.object?.keys ?? [] { part[key] = call[key] }
        calls.append(.object(part))
      }
    }
    return (plain, calls)
  }

  private func fail(_ error: ErrorAnswer, _ state: inout State) {
    state.isOver = true
    // The other prompts of the request are for nobody.
    answer.leave()
    if state.hasBegun {
      answer.event(error.json)
      answer.endStream()
    } else {
      answer.finish(error)
    }
    ended(error.status)
  }

  /// The first events of a prompt's choices: the role, or the prompt itself.
  private func begin(_ prompt: Int, _ state: inout State) {
    guard form.streams else { return }
    if !state.hasBegun { answer.beginStream() }
    state.hasBegun = true
    for place in 0..<form.continuations {
      if form.isChat {
        answer.event(
          chunk([
            [
              "index": .integer(place), "delta": ["role": "assistant", "content": ""], "logprobs": .null,
              "finish_reason": .null,
            ]
          ]))
      } else if form.echoes {
        let choice = choice(
          form.prompts[prompt].text, [], promptTokens(prompt, state), prompt, place, ending: nil, &state)
        answer.event(chunk([choice]))
      }
    }
  }

  private func promptTokens(_ prompt: Int, _ state: State) -> [(id: Int, probability: TokenProbability?)] {
    if form.likeliest == nil { return [] }
    return form.prompts[prompt].ids.enumerated().map { place, id in
      (id, place == 0 ? nil : state.prompts[prompt][place - 1])
    }
  }

  private func write(
    _ text: String, _ calls: [JSONValue], _ tokens: [(id: Int, probability: TokenProbability?)], _ prompt: Int,
    _ place: Int, ending: TextGenerator.Ending? = nil, _ state: inout State
  ) {
    answer.event(chunk([choice(text, calls, tokens, prompt, place, ending: ending, &state)]))
  }

  /// A choice with a piece of its text.
  private func choice(
    _ text: String, _ calls: [JSONValue], _ tokens: [(id: Int, probability: TokenProbability?)], _ prompt: Int,
    _ place: Int, ending: TextGenerator.Ending?, _ state: inout State
  ) -> JSONValue {
    let index = prompt * form.choices + place
    let called = !state.choices[prompt][place].calls.isEmpty
    let reason = ending.map { JSONValue.string(Self.reason($0, called: called)) } ?? .null
    if form.isChat {
      let known = tokens.compactMap(\.probability)
      var delta = JSONObject()
      if !text.isEmpty { delta["content"] = .string(text) }
      if !calls.isEmpty { delta["tool_calls"] = .array(calls) }
      return [
        "index": .integer(index), "delta": .object(delta),
        "logprobs": form.likeliest == nil || tokens.isEmpty
          ? .null : ["content": form.words.content(known), "refusal": .null], "finish_reason": reason,
      ]
    }
    let lists =
      form.likeliest.map { likeliest -> JSONValue in
        if tokens.isEmpty { return .null }
        return form.words.lists(tokens, likeliest: likeliest, start: &state.choices[prompt][place].offset)
      } ?? .null
    return ["index": .integer(index), "text": .string(text), "logprobs": lists, "finish_reason": reason]
  }

  private func finish(_ state: inout State) {
    state.isOver = true
    let (read, written) = (
      form.prompts.reduce(0) { $0 + $1.ids.count },
      state.choices.joined().reduce(0) { $0 + ($1.result?.tokens.count ?? 0) }
    )
    let usage: JSONValue = [
      "prompt_tokens": .integer(read), "completion_tokens": .integer(written), "total_tokens": .integer(read + written),
      "prompt_tokens_details": ["cached_tokens": .integer(state.reused)],
    ]
    ended(200)
    if form.streams {
      if form.streamsUsage { answer.event(chunk([], usage: usage)) }
      return answer.endStream()
    }
    var choices: [JSONValue] = []
    for (prompt, all) in state.choices.enumerated() {
      // Of more than are wanted the likeliest; of equal ones the first.
      let order = all.indices.sorted {
        let (a, b) = (all[$0].result?.meanLogProbability ?? 0, all[$1].result?.meanLogProbability ?? 0)
        return a != b ? a > b : $0 < $1
      }
      let places = form.choices == form.continuations ? Array(all.indices) : Array(order.prefix(form.choices))
      for place in places { choices.append(whole(all[place], prompt, index: choices.count, state)) }
    }
    answer.finish([
      "id": .string(form.id), "object": form.isChat ? "chat.completion" : "text_completion",
      "created": .integer(form.created), "model": .string(form.model), "choices": .array(choices), "usage": usage,
    ])
  }

  /// A choice of an answer that comes whole.
  private func whole(_ choice: Choice, _ prompt: Int, index: Int, _ state: State) -> JSONValue {
    let called = !choice.calls.isEmpty
    let reason = JSONValue.string(Self.reason(choice.result?.ending ?? .length, called: called))
    if form.isChat {
      var message = JSONObject()
      message["role"] = "assistant"
      message["content"] = called && choice.text.isEmpty ? .null : .string(choice.text)
      message["refusal"] = .null
      if called { message["tool_calls"] = .array(choice.calls) }
      return [
        "index": .integer(index), "message": .object(message),
        "logprobs": form.likeliest == nil
          ? .null : ["content": form.words.content(choice.probabilities), "refusal": .null], "finish_reason": reason,
      ]
    }
    let written = zip(choice.tokens, choice.probabilities).map { (id: $0, probability: Optional($1)) }
    var start = 0
    let lists = form.likeliest.map { likeliest -> JSONValue in
      let all = (form.echoes ? promptTokens(prompt, state) : []) + written
      // A mark that the tokenizer put in front is no part of the text.
      if form.echoes, form.prompts[prompt].startsWithMark, let mark = all.first {
        start -= form.words.bytes(mark.id).count { $0 & 0xC0 != 0x80 }
      }
      return form.words.lists(all, likeliest: likeliest, start: &start)
    }
    return [
      "index": .integer(index), "text": .string((form.echoes ? form.prompts[prompt].text : "") + choice.text),
      "logprobs": lists ?? .null, "finish_reason": reason,
    ]
  }

  /// A piece of a stream.
  private func chunk(_ choices: [JSONValue], usage: JSONValue? = nil) -> JSONValue {
    var chunk = JSONObject()
    chunk["id"] = .string(form.id)
    chunk["object"] = .string(form.isChat ? "chat.completion.chunk" : "text_completion")
    chunk["created"] = .integer(form.created)
    chunk["model"] = .string(form.model)
    chunk["choices"] = .array(choices)
    if form.streamsUsage { chunk["usage"] = usage ?? .null }
    return .object(chunk)
  }

  /// The reason in OpenAI's words.
  private static func reason(_ ending: TextGenerator.Ending, called: Bool) -> String {
    switch ending {
    case .end, .stop, .grammar, .cancelled: called ? "tool_calls" : "stop"
    case .length, .context: "length"
    }
  }
}
