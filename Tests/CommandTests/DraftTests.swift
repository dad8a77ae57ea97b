import Testing

/// `run --draft`: what it writes is what the model writes without.
@Suite("Drafts") struct DraftTests {
  private static let text = [
    "run", "story-llama", "Once upon a time", "--threads", "1", "--exact", "--max-tokens", "60",
  ]

  @Test(
    "greedy texts are the same with any draft, and what was accepted is told",
    arguments: ["prompt", "story-gpt2", "story-hybrid", "story-llama"])
  func same(_ draft: String) throws {
    let plain = try Command(Self.text + ["--temperature", "0"])
    let drafted = try Command(Self.text + ["--temperature", "0", "--draft", draft])
    #expect(drafted.status == 0 && drafted.output == plain.output)
    #expect(drafted.notes.contains(" drafted tokens accepted ("), "\(drafted.notes)")
    #expect(!plain.notes.contains("drafted"))
  }

  @Test("repetitions of a sampled text change no token, and go with stop texts, a cache in blocks and chosen windows")
  func sampled() throws {
    for more in [
      ["--stop", "Lily"], ["--cache", "q8_0"], ["--top-p", "0.8", "--repeat-penalty", "1.1"], ["--jsonl"],
    ] {
      let settings = Self.text + ["--seed", "5"] + more
      let (plain, drafted) = (try Command(settings), try Command(settings + ["--draft", "prompt"]))
      // The last line of --jsonl has speeds.
      let lines = [plain, drafted].map { run in
        run.output.split(separator: "\n").filter { !$0.contains("tokens_per_second") }
      }
      #expect(drafted.status == 0 && lines[0] == lines[1], "\(more)")
    }
  }

  @Test("a grammar holds for drafted tokens")
  func grammar() throws {
    let run = try Command(
      Self.text + ["--grammar", "root ::= (\" \" [a-z]+){3} \".\"", "--seed", "2", "--draft", "story-gpt2"])
    #expect(run.status == 0)
    let words = run.output.split(whereSeparator: \.isWhitespace)
    #expect(words.count <= 3 && words.allSatisfy { $0.allSatisfy { $0.isLowercase || $0 == "." } }, "\(run.output)")
  }

  @Test(
    "what cannot draft is refused in one sentence",
    arguments: [
      (
        ["--draft", "shakespeare-char-gpt2"], Int32(3),
        "have vocabularies of 65 and 2,048 tokens, and token 0 is '\\n' in one"
      ),
      (["--draft", "no-such-model"], 4, "there is no model 'no-such-model'"),
      (["--draft", "prompt", "--count", "2"], 2, "--draft is for one text"),
      (["--draft", "prompt", "--beams", "2"], 2, "--draft is for one text"),
      (["--draft", "prompt", "--draft-tokens", "0"], 2, "--draft-tokens takes a number from 1 to 15"),
      (["--draft", ""], 2, "--draft takes the name of a model, or 'prompt'"),
      (["--draft", "bert-base-uncased", "--random-weights"], 3, "no text can be continued with it"),
    ])
  func refused(_ arguments: [String], status: Int32, sentence: String) throws {
    let run = try Command(Self.text + arguments)
    #expect(run.status == status && run.output.isEmpty)
    #expect(run.notes.contains(sentence), "\(run.notes)")
  }
}
