import Files
import Foundation
import Testing

/// The bundled model has no chat template, so one is given.
private let template = ["--set", "chat={turn: \"{role}: {content}\\n\", prompt: \"assistant:\", stops: [\"\\n\"]}"]

/// Runs `chimera` with `input` piped in.
private func piped(_ input: String, _ arguments: [String]) throws -> Command {
  let file = FileManager.default.temporaryDirectory.appending(path: "chat-\(UUID().uuidString)")
  try input.write(to: file, atomically: true, encoding: .utf8)
  defer { try? FileManager.default.removeItem(at: file) }
  let quoted = arguments.map { "'" + $0.replacing("'", with: "'\\''") + "'" }.joined(separator: " ")
  let program = try #require(Command.program).path
  return try Command(running: "sh", ["-c", "cat '\(file.path)' | '\(program)' \(quoted)"])
}

private func inFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "chat-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

@Suite("Conversations on the command line")
struct ChatTests {
  private func chat(_ lines: String, _ more: [String] = []) throws -> Command {
    try piped(
      lines, ["chat", "story-llama", "--temperature", "0", "-n", "8", "-q", "--threads", "1"] + template + more)
  }

  @Test("each line that is piped in is a turn, and the second is answered with the first before it")
  func turns() throws {
    let two = try chat("Once upon\nThe dog\n")
    #expect(two.status == 0 && two.notes.isEmpty, "\(two.notes)")
    let lines = two.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 3)
    let first = try JSONValue(
      parsing: Command(
        [
          "run", "story-llama", "Once upon", "--chat", "--temperature", "0", "-n", "8", "--json", "-q", "--threads",
          "1",
        ] + template
      ).output)
    #expect(first["text"]?.string == String(lines[0]))
    let messages: JSONValue = [
      ["role": "user", "content": "Once upon"], ["role": "assistant", "content": .string(String(lines[0]))],
      ["role": "user", "content": "The dog"],
    ]
    let second = try piped(
      messages.serialized(),
      ["run", "story-llama", "--messages", "-", "--temperature", "0", "-n", "8", "--json", "-q", "--threads", "1"]
        + template)
    #expect(try JSONValue(parsing: second.output)["text"]?.string == String(lines[1]))
  }

  @Test("/retry at temperature 0 answers the same, /undo takes a turn back, /save and /load keep a conversation")
  func commands() throws {
    try inFolder { folder in
      let run = try chat(
        "Once upon\n/retry\n/save \(folder)/c.json\n/undo\n/save \(folder)/d.json\n/why\n/quit\nnever\n")
      let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count == 3 && lines[0] == lines[1])
      #expect(run.status == 1 && run.notes.contains("there is no answer yet"), "\(run.notes)")
      let saved = try JSONValue(contentsOf: folder + "/c.json")
      #expect(saved["messages"]?.array?.count == 2 && saved["model"] == "story-llama")
      #expect(try JSONValue(contentsOf: folder + "/d.json")["messages"]?.array?.count == 0)
      let again = try chat("/load \(folder)/c.json\n/retry\n")
      #expect(again.output == lines[0] + "\n")
      try "x".write(toFile: folder + "/other", atomically: true, encoding: .utf8)
      #expect(try chat("a\n/save \(folder)/other\n").notes.contains("it is not replaced"))
    }
  }

  @Test("a turn of several lines is one turn, and what is no command is said")
  func several() throws {
    #expect(try chat("Once\\\nupon\n").output.split(separator: "\n").count == 1)
    #expect(try chat("\"\"\"\nOnce\nupon\n\"\"\"\n").output.split(separator: "\n").count == 1)
    let run = try chat("/temperature 1\n/set temprature 1\n/set temperature 1000\n/sav x\n")
    #expect(run.status == 1 && run.output.isEmpty)
    #expect(
      run.notes.contains("there is no command '/temperature'") && run.notes.contains("did you mean 'temperature'?"))
    #expect(run.notes.contains("from 0 to 100") && run.notes.contains("did you mean '/save'?"), "\(run.notes)")
  }

  @Test("the oldest turns are left out when the context is full, and that is said")
  func shift() throws {
    let turn = "Once upon a time there was a little girl who had a red ball and a big dog\n"
    let run = try piped(
      String(repeating: turn, count: 6),
      ["chat", "story-llama", "--temperature", "0", "-n", "12", "--threads", "1", "--set", "context_length=96"]
        + template)
    #expect(run.status == 0 && run.notes.contains("its oldest 2 messages are left out"), "\(run.notes)")
    let long = try piped(
      String(repeating: "word ", count: 200) + "\nHi\n",
      ["chat", "story-llama", "--temperature", "0", "-n", "12", "-q", "--threads", "1", "--set", "context_length=96"]
        + template)
    #expect(
      long.status == 1 && long.notes.contains("leaves no room for an answer") && !long.output.isEmpty, "\(long.notes)")
  }

  @Test("a prompt comes from a pipe, from '-' and from a file, alike")
  func prompts() throws {
    try inFolder { folder in
      try "Once upon\n".write(toFile: folder + "/p", atomically: true, encoding: .utf8)
      let options = ["--temperature", "0", "-n", "6", "-q", "--threads", "1"]
      let given = try Command(["run", "story-llama", "Once upon"] + options).output
      #expect(try piped("Once upon\n", ["run", "story-llama"] + options).output == given)
      #expect(try piped("Once upon", ["run", "story-llama", "-"] + options).output == given)
      #expect(try Command(["run", "story-llama", "--prompt-file", folder + "/p"] + options).output == given)
    }
  }

  @Test("a seed is told where none is given, and gives the same again; several texts differ")
  func seeds() throws {
    let arguments = ["run", "story-llama", "The", "-n", "12", "--threads", "1"]
    let run = try Command(arguments)
    let seed = try #require(run.notes.split(separator: "--seed ").last?.split(separator: "\n").first)
    #expect(try Command(arguments + ["--seed", String(seed)]).output == run.output)
    let several = try JSONValue(parsing: Command(arguments + ["--seed", "5", "--count", "4", "--json", "-q"]).output)
    let texts = try #require(several["samples"]?.array).compactMap { $0["text"]?.string }
    #expect(texts.count == 4 && Set(texts).count > 1)
    #expect(several["prompt_tokens"]?.array?.isEmpty == false && several["seed"] == 5)
    let best = try JSONValue(parsing: Command(arguments + ["--seed", "5", "--best-of", "4", "--json", "-q"]).output)
    #expect(texts.contains(try #require(best["text"]?.string)))
  }

  @Test("--jsonl writes a line for each token and the document at the end, with the probabilities")
  func lines() throws {
    let run = try Command(
      "run", "story-llama", "Once upon", "-n", "5", "--temperature", "0", "--jsonl", "--logprobs", "3", "-q")
    let lines = try run.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    let last = try #require(lines.last)
    #expect(lines.dropLast().compactMap { $0["text"]?.string }.joined() == last["text"]?.string)
    let places = try #require(last["logprobs"]?.array)
    #expect(places.count == last["tokens"]?.array?.count)
    for place in places {
      let top = try #require(place["top"]?.array)
      #expect(top.count == 3 && top[0]["id"] == place["id"] && top[0]["logprob"] == place["logprob"])
      #expect(try #require(place["logprob"]?.number) <= 0)
    }
  }

  @Test("what excludes each other is a mistake of usage: 2; broken messages are invalid: 3")
  func refusals() throws {
    let model = ["run", "story-llama"]
    for wrong in [
      ["--chat"], ["x", "--messages", "m"], ["x", "--system", "s"], ["x", "--tools", "t"], ["x", "--count", "0"],
      ["x", "--count", "2", "--temperature", "0"], ["x", "--jsonl", "--json"], ["x", "--logprobs", "3"],
      ["x", "--best-of", "2", "--count", "2"], ["x", "--logit-bias", "a=1"], ["x", "--typical-p", "0"],
    ] {
      #expect(try Command(model + wrong).status == 2, "\(wrong)")
    }
    for messages in ["", "[]", "[{\"content\": \"x\"}]", "{\"role\": \"user\"}\n{", "[1]"] {
      let run = try piped(messages, model + ["--messages", "-"] + template)
      #expect(run.status == 3 && run.output.isEmpty, "\(messages): \(run.notes)")
    }
    let none = try Command("run", "story-llama", "Hi", "--chat")
    #expect(none.status == 1 && none.notes.contains("no chat template"))
    let broken = try Command(
      "run", "story-llama", "Hi", "--chat", "--set", "chat={template: \"{{ raise_exception('no') }}\"}")
    #expect(broken.status == 1 && broken.notes.contains(":1: error: the template refuses: no"), "\(broken.notes)")
    let unknown = try Command("run", "story-llama", "Hi", "--chat", "--set", "chat={template: \"a\\n{% foo %}\"}")
    #expect(unknown.status == 3 && unknown.notes.contains(":2: error: there is no statement 'foo'"), "\(unknown.notes)")
  }

  @Test("tokenize shows the text of a conversation and its tokens")
  func tokenized() throws {
    let shown = try Command(["tokenize", "story-llama", "--chat", "Hi", "--json"])
    #expect(shown.status == 1 && shown.notes.contains("no chat template"))
  }
}
