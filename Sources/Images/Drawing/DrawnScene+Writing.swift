import Essentials
import Files

extension DrawnScene {
  /// Writes the scenes `indices` of `seed` as data for training: `pictures/000000.png` … and `data.jsonl`, a line for each
  /// question, whose path starts at the folder.
  ///
  /// The folder at `path` is written whole or not at all, and the same arguments give the same bytes everywhere. Throws
  /// where it holds something, and where the system cannot write.
  public static func write(_ indices: Range<Int>, seed: UInt64, side: Int = 64, to path: String) throws {
    try writeFolderAtomically(to: path) { folder in
      try makeFolder(folder + "/pictures")
      try writeAtomically(to: folder + "/data.jsonl") { data in
        for index in indices {
          let scene = DrawnScene(seed: seed, index: index, side: side)
          let digits = String(index)
          let name = "pictures/" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".png"
          // Not synchronized one by one: there are many, and each can be drawn again.
          guard FileManager.default.createFile(atPath: folder + "/" + name, contents: Data(scene.picture.png)) else {
            throw FileProblem(path: path + "/" + name, sentence: "cannot write the picture", cause: .system)
          }
          for line in scene.lines(path: name) { try data.write(line + "\n") }
        }
      }
    }
  }
}
