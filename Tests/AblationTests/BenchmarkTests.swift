import Ablation
import Components
import Files
import Foundation
import Specification
import Testing

@Suite("questions for trained arms") struct BenchmarkTests {
  private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "questions-\(UUID().uuidString).jsonl").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    try body(path)
  }

  private func benchmark(_ text: String) throws -> Benchmark {
    var read: Benchmark?
    try withFile(text) { path in
      let study = try Studies.read(
        "ablation: q\nbase: gpt2-mini\ndata: text.txt\ntasks: [\(path)]\narms: {none: {position: none}}")
      read = try Benchmark(try #require(study.benchmarks.first))
    }
    return try #require(read)
  }

  @Test("questions are read as the well-known sets write them") func reading() throws {
    let read = try benchmark(
      """
      {"context": "The sky is", "choices": ["round", "blue"], "answer": 1}
      {"context": "The sky is", "choices": ["round", "blue"], "answer": "B"}

      {"prompt": "The sky is", "choices": ["round", "blue"], "answer": "blue"}
      {"question": "Which?", "choices": {"text": ["a", "b", "c"], "label": ["1", "2", "3"]}, "answerKey": "3"}
      {"ctx": "He jumps", "endings": ["up", "down", "off", "in"], "label": "2"}
      {"goal": "open it", "sol1": "push", "sol2": "pull", "label": 1}
      {"text": "and so to bed"}
      {"context": "The sky is", "answer": "blue"}
      """)
    #expect(read.items.map(\.right) == [1, 1, 1, 2, 2, 1, 0, 0])
    #expect(read.items.map(\.line) == [1, 2, 4, 5, 6, 7, 8, 9])
    #expect(read.items[6].context == "and so to" && read.items[6].choices == ["bed"] && read.items[6].isCloze)
    let chance = (0.5 * 4 + 1.0 / 3 + 0.25) / 8
    #expect(abs(read.chance - chance) < 1e-12 && read.hasChoices)
  }

  @Test(
    "a line that is no question is a sentence with its file and line",
    arguments: [
      (#"{"context": "a", "choices": ["b", "c"], "answer": 2}"#, "'answer' takes which of the 2 choices is right"),
      (#"{"context": "a", "choices": ["b"], "answer": 0}"#, "'choices' takes a list of at least two texts"),
      (#"{"context": "a", "choices": ["b", "b"], "answer": 0}"#, "two choices are the same"),
      (#"{"context": " ", "choices": ["b", "c"], "answer": 0}"#, "the context is empty"),
      (#"{"context": "a"}"#, "'answer' is no text to predict"), (#"{"a": 1}"#, "it has no 'context'"),
      (#"[1]"#, "a question is a JSON object"), (#"{"context": "#, "JSON"), (#"{"text": "word"}"#, "no last word"),
    ])
  func refused(_ line: String, _ sentence: String) throws {
    do {
      _ = try benchmark(#"{"text": "this is fine"}"# + "\n" + line + "\n")
      Issue.record("it was read")
    } catch let problems as Problems {
      let text = problems.list.map(\.sentence).joined()
      #expect(text.contains(sentence) || text.contains(":2: "), "\(text)")
      #expect(text.contains(".jsonl:2: "), "\(text)")
    }
  }

  @Test("adding questions changes what is run, and a study without them is as it was") func keys() throws {
    let text = "ablation: q\nbase: gpt2-mini\ndata: text.txt\nseeds: 2\nhold: none\narms: {none: {position: none}}\n"
    let plain = try Studies.plan(text)
    try withFile(#"{"text": "and so to bed"}"#) { path in
      let plan = try Studies.plan(text + "tasks: {bed: {file: \(path), limit: 1}}\n")
      #expect(plan.benchmarks.map(\.name) == ["bed"] && plan.tasks.count == plain.tasks.count)
      #expect(Set(plan.tasks.map(\.key)).isDisjoint(with: plain.tasks.map(\.key)))
    }
    for (lines, sentence) in [
      ("[missing.jsonl]", "there is no file 'missing.jsonl'"), ("{a: {limit: 3}}", "names no file"),
      ("{a: {file: b, limit: 0}}", "'limit' takes how many"), ("{a: {file: b, limits: 1}}", "'limits' is not a key"),
    ] {
      let message = Studies.message(text + "tasks: \(lines)\n")
      #expect(message.contains(sentence) && message.contains("study.yaml:"), "\(message)")
    }
  }

  @Test("the report compares bits per byte and tells accuracies beside their chance") func report() throws {
    try withFile(#"{"context": "a", "choices": ["b", "c"], "answer": 0}"#) { path in
      let plan = try Studies.plan(
        "ablation: q\nbase: gpt2-mini\ndata: text.txt\nseeds: 4\nhold: none\ntasks: {ab: \(path)}\n"
          + "arms: {none: {position: none}}\n")
      let report = StudyReport(plan) { task in
        let bits = (task.arm == 0 ? 1 : 1.5) + 0.01 * Double(task.seed * (task.arm + 1) % 3)
        return TaskOutcome(
          TaskResult(
            loss: 2, curve: [], contexts: [],
            benchmarks: [
              BenchmarkScore(name: "ab", accuracy: 0.75, normalized: 0.5, bitsPerByte: bits, items: [])
            ]), TaskTimes(seconds: 1, tokensPerSecond: 10, decodedPerSecond: 50, machine: "a fake"))
      }
      #expect(report.benchmarks.first?.comparisons.first??.verdict == .worse)
      for text in [report.markdown, report.page] {
        #expect(text.contains("ab (chance 50 %)") && text.contains("75.0") && text.contains("bits per byte"))
      }
      #expect(report.json["tasks"]?.array?[0]["arms"]?.array?[1]["accuracy"]?.number == 0.75)
      let outcome = try #require(report.rows[0].outcomes.first?.outcome)
      #expect(outcome.result.benchmarks.count == 1)
      // Through the file of an outcome and back.
      let read = try TaskOutcome(outcome.json(key: "k"), key: "k")
      #expect(read.result == outcome.result && read.times.decodedPerSecond == 50)
    }
  }
}
