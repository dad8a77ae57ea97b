import Components
import Describing
import Specification

/// Reads `tasks: [arc.jsonl]`, or `tasks: {arc: arc.jsonl, cloze: {file: cloze.jsonl, limit: 200}}`.
struct BenchmarksReader {
  private static let keys = ["file", "limit"]

  private let setting: Setting?
  /// What a path in the file means.
  private let path: (String) -> String

  init(_ setting: Setting?, path: @escaping (String) -> String) { (self.setting, self.path) = (setting, path) }

  func read(_ problems: inout Problems) -> [BenchmarkRequest] {
    guard let setting else { return [] }
    var requests: [BenchmarkRequest] = []
    func add(_ name: String, _ file: Setting, _ limit: Int?, _ place: Place?) {
      guard let text = file.text, !text.isEmpty, !text.utf8.contains(0) else {
        problems.add(Problem("a task takes the path of a file, not \(file.kindInWords)", at: file.place ?? place))
        return
      }
      guard Arm.isName(name) else {
        problems.add(Problem("a task's name is a text of one line and at most 80 characters", at: place))
        return
      }
      if requests.contains(where: { $0.name == name }) {
        problems.add(Problem("a task is named '\(name)' already", at: place, hint: "tasks: {one: …, other: …}"))
      }
      requests.append(BenchmarkRequest(name: name, path: path(text), limit: limit, place: file.place ?? place))
    }
    guard let entries = setting.entries else {
      for item in setting.list ?? [setting] {
        let file = item.text?.split(separator: "/").last.map(String.init) ?? ""
        add(file.split(separator: ".").first.map(String.init) ?? file, item, nil, item.place ?? setting.place)
      }
      return requests
    }
    for entry in entries {
      guard let options = entry.value.entries else {
        add(entry.key, entry.value, nil, entry.place)
        continue
      }
      for option in options where !Self.keys.contains(option.key) {
        problems.add(unknownKey(option, in: "a task", among: Self.keys))
      }
      guard let file = entry.value["file"] else {
        problems.add(Problem("the task '\(entry.key)' names no file", at: entry.place, hint: "file: questions.jsonl"))
        continue
      }
      var limit: Int?
      if let setting = entry.value["limit"] {
        guard let count = setting.integer, (1...1 << 30).contains(count) else {
          problems.add(Problem("'limit' takes how many questions are asked, at least 1", at: setting.place))
          continue
        }
        limit = count
      }
      add(entry.key, file, limit, entry.place)
    }
    return requests
  }
}
