import Components
import Files
import Foundation
import Specification
import TestSupport
import Testing

import Ablation

/// What stands in a study's folder is checked when it is read, and never taken by another study.
@Suite struct StudyFolderTests {
  private static let text = """
    ablation: q
    base: gpt2-mini
    data: text.txt
    seeds: 2
    hold: none
    arms:
      none: {position: none}
      slow: {train: {lr: 0.0005}}
    """

  private func withFolder(_ body: (StudyFolder) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "study-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(StudyFolder(path: path))
  }

  private func tree(_ text: String) throws -> Setting { try YAMLReader(source: "study.yaml").read(text) }

  /// A study that was begun and run in `folder`.
  private func run(in folder: StudyFolder, _ text: String = text) throws -> StudyPlan {
    let plan = try Studies.plan(text)
    try folder.begin(tree(text), plan)
    #expect(try StudyRunner(plan, in: folder, trainer: FakeTrainer()).run { _ in true })
    return plan
  }

  // MARK: Outcomes

  /// What is done to the text of an outcome.
  static let damages: [(name: String, change: @Sendable (String) -> String)] = [
    ("a digit of a loss", { $0.replacing("\"loss\": 2", with: "\"loss\": 3", maxReplacements: 1) }),
    ("a digit of the times", { $0.replacing("\"seconds\": 1", with: "\"seconds\": 7") }),
    ("the machine", { $0.replacing("a fake", with: "another") }),
    ("the hash itself", { $0.replacing("\"sha256\": \"", with: "\"sha256\": \"0") }),
    ("no hash", { $0.replacing("\"sha256\"", with: "\"sha-256\"") }),
    ("another task's", { $0.replacing("\"key\": \"", with: "\"key\": \"0") }),
    ("half of it", { String($0.prefix($0.count / 2)) }),
    ("nothing", { _ in "" }),
    ("no object", { _ in "[1, 2]" }),
    ("a format of the future", { $0.replacing("\"format\": 2", with: "\"format\": 3") }),
  ]

  @Test("a damaged outcome is told with its task's name, never merged, and run again", arguments: damages.map(\.name))
  func damaged(_ name: String) throws {
    let change = try #require(Self.damages.first { $0.name == name }).change
    try withFolder { folder in
      let plan = try run(in: folder)
      let path = folder.outcomePath(of: plan.tasks[3])
      let whole = try String(contentsOfFile: path, encoding: .utf8)
      let damaged = change(whole)
      #expect(damaged != whole)
      try damaged.write(toFile: path, atomically: true, encoding: .utf8)
      #expect(folder.outcome(of: plan.tasks[3]) == nil)
      do {
        try folder.requireWhole(plan)
        Issue.record("it is merged")
      } catch let problem as StudyProblem {
        #expect("\(problem)".hasPrefix("task 3 (baseline, seed 2): the outcome "), "\(problem)")
      }
      var told: [String] = []
      #expect(
        try StudyRunner(plan, in: folder, trainer: FakeTrainer()).run { event in
          if case .damaged(let task, _) = event { told.append(plan.name(of: task)) }
          return true
        })
      #expect(told == ["task 3 (baseline, seed 2)"])
      #expect(try String(contentsOfFile: path, encoding: .utf8) == whole)
      try folder.requireWhole(plan)
    }
  }

  @Test(
    "a number that cannot have been measured is damage, also in a file of before hashes",
    arguments: [
      #""loss": -1e9"#, #""loss": 1e308"#, #""seconds": 1e308"#, #""seconds": -1"#, #""tokens_per_second": 1e19"#,
      #""tokens_per_second": -1e19"#, #""loss": "2""#, #""curve": [[-1, 2]]"#, #""curve": [[1e30, 2]]"#,
      #""curve": 1"#, #""contexts": [{"context": 0, "loss": 1}]"#,
    ])
  func ranges(_ member: String) throws {
    let members = [
      "loss": #""loss": 2.5"#, "seconds": #""seconds": 1"#, "tokens_per_second": #""tokens_per_second": 5"#,
      "curve": #""curve": [[100, 2.5]]"#, "contexts": #""contexts": []"#,
    ]
    func json(_ members: [String: String]) throws -> JSONValue {
      let result = ["loss", "curve", "contexts"].compactMap { members[$0] }.joined(separator: ", ")
      let times = ["seconds", "tokens_per_second"].compactMap { members[$0] }.joined(separator: ", ")
      return try JSONValue(
        parsing: #"{"format": 1, "key": "k", "result": {\#(result)}, "times": {\#(times), "machine": "m"}}"#)
    }
    #expect(throws: Never.self) { try TaskOutcome(json(members), key: "k") }
    var changed = members
    changed[try #require(member.split(separator: "\"").first.map(String.init))] = member
    #expect(throws: OutcomeDamage.self) { try TaskOutcome(json(changed), key: "k") }
  }

  @Test("an outcome comes back from its file as it was, NaN and infinity of before training included") func roundTrip()
    throws
  {
    let outcome = TaskOutcome(
      TaskResult(
        loss: .nan, curve: [.init(tokens: 10, loss: 2.25), .init(tokens: 20, loss: .nan)],
        contexts: [.init(context: 5, loss: nil)], windows: [1, 0.1], divergedAfter: 3),
      TaskTimes(seconds: 0.5, tokensPerSecond: 1e6, machine: "m"))
    let json = try JSONValue(parsing: outcome.json(key: "k").serialized(pretty: true))
    let back = try TaskOutcome(json, key: "k")
    #expect(back.result.loss.isNaN && back.result.curve[1].loss.isNaN && back.result.curve[0].loss == 2.25)
    #expect(back.result.windows == [1, 0.1] && back.result.divergedAfter == 3)
    #expect(back.json(key: "k").serialized() == outcome.json(key: "k").serialized())
  }

  @Test("what a process that died has left of a finished task is removed, and a run that is to be kept is not")
  func leftovers() throws {
    try withFolder { folder in
      let plan = try run(in: folder)
      let (dead, kept) = (plan.tasks[0], plan.tasks[1])
      for task in [dead, kept] {
        try makeFolder(folder.runFolder(of: task))
        try writeAtomically("weights", to: folder.runFolder(of: task) + "/model")
      }
      try folder.mark(dead, keepsRun: false)
      try writeAtomically("half", to: folder.folder(of: kept) + "/outcome.json.1-x.tmp")
      #expect(try StudyRunner(plan, in: folder, trainer: FakeTrainer()).run { _ in true })
      #expect(kind(ofPath: folder.runFolder(of: dead)) == .nothing)
      #expect(kind(ofPath: folder.runFolder(of: kept) + "/model") == .file)
      #expect(try namesInFolder(folder.folder(of: kept)) == ["lock", "outcome.json", "run"])
    }
  }

  // MARK: Whose folder it is

  static let others: [(name: String, from: String, to: String, words: String)] = [
    ("other arms", "slow: {train: {lr: 0.0005}}", "slow: {train: {lr: 0.0007}}", "(arms differ)"),
    ("fewer seeds", "seeds: 2", "seeds: 1", "(seeds differ)"),
    ("other data", "text.txt", "other.txt", "(data differ)"),
    ("another base", "gpt2-mini", "gpt2-nano", "(base differ)"),
    ("other training", "seeds: 2", "seeds: 2\ntrain: {lr: 0.01}", "(train differ)"),
  ]

  @Test("a study is not begun in another one's folder, and nothing there changes", arguments: others.map(\.name))
  func another(_ name: String) throws {
    let other = try #require(Self.others.first { $0.name == name })
    try withFolder { folder in
      _ = try run(in: folder)
      let before = try contents(of: folder)
      let text = Self.text.replacing(other.from, with: other.to)
      let plan = try Studies.plan(text)
      do {
        try folder.begin(tree(text), plan)
        Issue.record("it is begun")
      } catch let problem as StudyProblem {
        #expect("\(problem)".contains("another study was begun in '\(folder.path)' \(other.words)"), "\(problem)")
      }
      #expect(try contents(of: folder) == before)
    }
  }

  @Test("the same study goes on, and with more seeds or arms it keeps what it has") func extended() throws {
    try withFolder { folder in
      _ = try run(in: folder)
      let before = try contents(of: folder)
      try folder.begin(tree(Self.text), Studies.plan(Self.text))
      #expect(try contents(of: folder) == before)
      let text = Self.text.replacing("seeds: 2", with: "seeds: 3") + "\n  gated: {mlp: {activation: relu}}\n"
      let plan = try Studies.plan(text)
      try folder.begin(tree(text), plan)
      #expect(plan.tasks.count { folder.outcome(of: $0) != nil } == 6)
      #expect(throws: StudyProblem.self) { try folder.begin(tree(Self.text), Studies.plan(Self.text)) }
    }
  }

  @Test("a study of before tasks.json goes on by its file, or by the tasks that it has") func older() throws {
    try withFolder { folder in
      _ = try run(in: folder)
      try FileManager.default.removeItem(atPath: folder.tasksPath)
      let other = Self.text.replacing("lr: 0.0005", with: "lr: 0.0007")
      #expect(throws: StudyProblem.self) { try folder.begin(tree(other), Studies.plan(other)) }
      let more = Self.text.replacing("seeds: 2", with: "seeds: 3")
      try folder.begin(tree(more), Studies.plan(more))
      #expect(kind(ofPath: folder.tasksPath) == .file)
    }
  }

  @Test(
    "a folder with files of a study's names and no study is not taken",
    arguments: ["base.yaml", "report.md", "report.html", "results.json", "tasks", "training.json"])
  func occupied(_ name: String) throws {
    try withFolder { folder in
      try makeFolder(folder.path)
      try writeAtomically("mine", to: folder.path + "/" + name)
      #expect(throws: StudyProblem.occupied(path: folder.path, name: name)) {
        try folder.begin(tree(Self.text), Studies.plan(Self.text))
      }
    }
  }

  @Test("a study whose data has changed is not gone on with") func changed() throws {
    try withFolder { folder in
      _ = try run(in: folder)
      try folder.requireSame(Studies.plan(Self.text))
      let other = try Studies.plan(Self.text.replacing("text.txt", with: "changed.txt"))
      #expect(throws: StudyProblem.changed(path: folder.path)) { try folder.requireSame(other) }
    }
  }

  private func contents(of folder: StudyFolder) throws -> [String: Data] {
    var contents: [String: Data] = [:]
    for case let name as String in try #require(FileManager.default.enumerator(atPath: folder.path)) {
      if let data = FileManager.default.contents(atPath: folder.path + "/" + name) { contents[name] = data }
    }
    return contents
  }
}
