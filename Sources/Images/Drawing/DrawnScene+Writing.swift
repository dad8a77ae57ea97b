import Essentials
import Files

extension DrawnScene {
  /// Writes the scenes `indices` of `seed` as data for training: `pictures/000000.png` …; `data.jsonl`, a line for each
  /// question, or with `conversations` one for each picture, whose path starts at the folder; and `captions.jsonl`, a line for each
  /// picture.
  ///
  /// The folder at `path` is written whole or not at all, and the same arguments give the same bytes everywhere. Throws
  /// where it holds something, and where the system cannot write.
  public static func write(
    _ indices: Range<Int>, seed: UInt64, side: Int = 64, of kinds: [Kind] = Kind.allCases,
    conversations: Bool = false, to path: String
  ) throws {
    try writeFolderAtomically(to: path) { folder in
      try makeFolder(folder + "/pictures")
      var captions = ""
      try writeAtomically(to: folder + "/data.jsonl") { data in
        for index in indices {
          let scene = DrawnScene(seed: seed, index: index, side: side, of: kinds)
          let digits = String(index)
          let name = "pictures/" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".png"
          // Not synchronized one by one: there are many, and each can be drawn again.
          guard FileManager.default.createFile(atPath: folder + "/" + name, contents: Data(scene.picture.png)) else {
            throw FileProblem(path: path + "/" + name, sentence: "cannot write the picture", cause: .system)
          }
          let lines = conversations ? [scene.conversation(path: name)] : scene.lines(path: name)
          for line in lines { try data.write(line + "\n") }
          var line = JSONObject()
          line["image"] = .string(name)
          line["caption"] = .string(scene.caption)
          captions += JSONValue.object(line).serialized() + "\n"
        }
      }
      try writeAtomically(captions, to: folder + "/captions.jsonl")
    }
  }
}
