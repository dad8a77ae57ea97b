import Files
import Foundation
import Images
import Testing

/// Scenes for a model that is trained on drawn pictures.
@Suite struct DrawnSceneTests {
  @Test("a scene is decided by its seed, its index and its size alone")
  func isDeterministic() {
    let scene = DrawnScene(seed: 3, index: 11)
    #expect(DrawnScene(seed: 3, index: 11).picture == scene.picture)
    #expect(DrawnScene(seed: 3, index: 11).questions == scene.questions)
    #expect(DrawnScene(seed: 3, index: 12).picture != scene.picture)
    #expect(DrawnScene(seed: 4, index: 11).picture != scene.picture)
    #expect(DrawnScene(seed: 3, index: 11, side: 96).picture.size == PictureSize(width: 96, height: 96))
    // The first thousand scenes, as this test found them: a changed picture changes what a trained model was trained on.
    let levels = (0..<1000).reduce(into: [UInt8]()) {
      $0.append(UInt8(Vectors.check(DrawnScene(seed: 1, index: $1).picture.levels) & 255))
    }
    #expect(Vectors.check(levels) == 613_938_620)
  }

  @Test("answers agree with the caption, and every kind of scene and answer occurs")
  func questionsAgree() {
    var answers: [String: Set<String>] = [:]
    for index in 0..<2000 {
      let scene = DrawnScene(seed: 2, index: index)
      #expect(scene.questions.first?.answer == scene.caption)
      for question in scene.questions { answers[question.text, default: []].insert(question.answer) }
      // "How many circles are there?" counts what the caption lists.
      let numbers = ["a": 1, "two": 2, "three": 3, "four": 4]
      let words = scene.caption.split { $0 == " " || $0 == "," }.map(String.init)
      guard let total = scene.questions.first(where: { $0.text == "How many shapes are there?" }) else { continue }
      #expect(words.compactMap { numbers[$0] }.reduce(0, +) == Int(total.answer), "\(scene.caption)")
      for question in scene.questions where question.text.hasPrefix("How many") && question.text != total.text {
        let kind = String(question.text.split(separator: " ")[2])
        var count = 0
        for place in words.indices
        where words[place] == kind || words[place] + "s" == kind || words[place] + "es" == kind {
          count += numbers[words[place - 2]] ?? 0
        }
        #expect(count == Int(question.answer), "\(scene.caption): \(question)")
      }
    }
    #expect(answers["Is there a circle?"] == ["yes", "no"])
    #expect(answers["How many shapes are there?"] == ["1", "2", "3", "4"])
    #expect(answers["What word is it?"]?.count == 44)
    #expect(answers["What number is it?", default: []].count > 200)
    #expect(answers["What color is the square?"]?.count == 6)
  }

  @Test("a line of JSON holds the path, a question and its answer")
  func lines() throws {
    let scene = DrawnScene(seed: 1, index: 0)
    let lines = scene.lines(path: "pictures/0.png")
    #expect(lines.count == scene.questions.count)
    let line = try JSONValue(parsing: lines[0])
    #expect(line["images"] == ["pictures/0.png"])
    #expect(line["question"]?.string == scene.questions[0].text)
    #expect(line["answer"]?.string == scene.caption)
    // All of them in one line, in another order.
    let messages = try #require(JSONValue(parsing: scene.conversation(path: "pictures/0.png"))["messages"]?.array)
    let said = messages.compactMap { $0["content"]?.string }
    #expect(messages.enumerated().allSatisfy { $1["role"]?.string == ($0.isMultiple(of: 2) ? "user" : "assistant") })
    #expect(said.count == 2 * scene.questions.count && said.first != scene.questions[0].text)
    for question in scene.questions {
      let place = try #require(said.firstIndex(of: question.text))
      #expect(said[place + 1] == question.answer)
    }
  }

  @Test("only the kinds that are asked for are drawn", arguments: DrawnScene.Kind.allCases)
  func kinds(_ kind: DrawnScene.Kind) {
    let beginnings: [DrawnScene.Kind: String] = [
      .numbers: "What number", .words: "What word", .shapes: "How many shapes",
    ]
    for index in 0..<40 {
      let scene = DrawnScene(seed: 9, index: index, of: [kind])
      #expect(scene.questions[1].text.hasPrefix(beginnings[kind] ?? ""), "\(scene.caption)")
    }
  }

  @Test("scenes are written as pictures and lines that name them, and never over something")
  func writing() throws {
    let folder = NSTemporaryDirectory() + "scenes-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try DrawnScene.write(8..<12, seed: 5, side: 48, to: folder)
    let lines = try String(contentsOfFile: folder + "/data.jsonl", encoding: .utf8).split(separator: "\n")
    #expect(lines.count == (8..<12).reduce(0) { $0 + DrawnScene(seed: 5, index: $1, side: 48).questions.count })
    let path = try #require(JSONValue(parsing: String(lines[0]))["images"]?.array?.first?.string)
    #expect(path == "pictures/000008.png")
    let picture = try Picture(contentsOf: folder + "/" + path, transparency: .dropped)
    #expect(picture == DrawnScene(seed: 5, index: 8, side: 48).picture)
    #expect(throws: FileProblem.self) { try DrawnScene.write(0..<1, seed: 1, to: folder) }
  }
}
