import ArgumentParser
import Describing
import Files
import Images

/// `chimera data`: data that is made, not collected.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Make data to train on.",
    discussion: """
        chimera data shapes shapes --count 5000
      """,
    subcommands: [ShapesData.self])
}

/// `chimera data shapes`.
struct ShapesData: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shapes", abstract: "Draw pictures with questions and answers.",
    discussion: """
      Draws shapes, numbers and words, each picture with three to five questions that it alone answers: PNG files, a \
      data.jsonl for train and eval, and a captions.jsonl for --objective contrastive. The same count, seed and size give \
      the same bytes; another seed gives other pictures. With --conversations all questions about a picture are one line, \
      in any order: a model that is trained on them learns all answers at the price of reading the picture once.

        chimera data shapes shapes --count 5000
        chimera data shapes shapes --count 40000 --only shapes --conversations
        chimera data shapes held-out --count 300 --seed 2
      """)

  @Argument(help: "The folder to write.") var folder: String
  @Option(parsing: .unconditional, help: "Number of pictures.") var count = 1000
  @Option(parsing: .unconditional, help: "Random seed.") var seed: UInt64 = 1
  @Option(parsing: .unconditional, help: "Width and height of a picture in pixels.") var size = 64
  @Option(help: "What to draw, separated by commas: shapes, numbers, words. [all]") var only: DrawnKinds?
  @Flag(help: "Write a picture's questions as one conversation.") var conversations = false

  func validate() throws {
    var mistakes = Mistakes()
    mistakes.note("the folder has no name", if: folder.isEmpty)
    mistakes.note("--count takes a number from 1 to 1000000", if: !(1...1_000_000).contains(count))
    mistakes.note("--size takes a number from 48 to 1024", if: !(48...1024).contains(size))
    try mistakes.check()
  }

  func run() throws {
    try DrawnScene.write(
      0..<count, seed: seed, side: size, of: only?.kinds ?? DrawnScene.Kind.allCases, conversations: conversations,
      to: folder)
    Console.write("\(folder)/data.jsonl: questions about \(count.grouped) pictures\n")
  }
}

/// Kinds of pictures, separated by commas.
struct DrawnKinds: ExpressibleByArgument {
  let kinds: [DrawnScene.Kind]

  init?(argument: String) {
    let kinds = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      DrawnScene.Kind(rawValue: String($0))
    }
    guard !kinds.contains(nil) else { return nil }
    self.kinds = kinds.compactMap(\.self)
  }
}
