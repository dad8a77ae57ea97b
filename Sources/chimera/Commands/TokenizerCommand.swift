import Describing
import ArgumentParser
import Files
import Tokenization
import Training

/// `chimera tokenizer`: vocabularies made from text.
struct TokenizerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Train tokenizers.",
    discussion: """
        chimera tokenizer train --vocab-size 2048 --data book.txt -o book-tokenizer
      """,
    subcommands: [TrainTokenizer.self])
}

/// `chimera tokenizer train`.
struct TrainTokenizer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a tokenizer on text.",
    discussion: """
      bpe: byte-level BPE as in GPT-2, written as a tokenizer.json that Hugging Face's tools read too; char: an id for each \
      character, written as a vocab.json.

        chimera tokenizer train --vocab-size 2048 --data book.txt -o book-tokenizer
      """)

  enum Kind: String, ExpressibleByArgument, CaseIterable { case bpe, char }

  @Option(help: "Kind of tokenizer: bpe or char.") var type = Kind.bpe
  @Option(parsing: .unconditional, help: "Vocabulary size, for bpe.") var vocabSize = 4096
  @Option(help: "Text or JSON lines: a file or folder. May be repeated.") var data: [String]
  @Option(help: "The key of the text in JSON lines.") var jsonKey = "text"
  @Option(help: "A mark such as <image> that is one token wherever it stands, for bpe. May be repeated.") var mark:
    [String] = []
  @Option(name: [.customShort("o"), .long], help: "The folder to write.") var output: String

  func validate() throws {
    if type == .char, !mark.isEmpty { throw ValidationError("--mark is for bpe") }
    let marks = [BytePairTrainer.endOfText] + mark
    if mark.contains("") || Set(marks).count < marks.count {
      throw ValidationError("--mark takes a text that is no mark already")
    }
    if output.isEmpty { throw ValidationError("--output takes the path of a folder") }
    if !(257...(1 << 20)).contains(vocabSize) {
      throw ValidationError("--vocab-size takes a number from 257 to 1048576")
    }
  }

  func run() throws {
    try makeFolder(output)
    switch type {
    case .char:
      let characters = try TextCharacters.all(in: data, jsonKey: jsonKey)
      if characters.isEmpty { throw Failure(.invalid, "the data is empty") }
      try writeAtomically(CharacterVocabulary.json(characters), to: output + "/vocab.json")
      Console.write("\(output)/vocab.json: \(characters.count.grouped) characters\n")
    case .bpe:
      var trainer = try BytePairTrainer(marks: mark)
      try DataTexts.forEach(in: data, jsonKey: jsonKey) { trainer.add($0) }
      let vocabulary = trainer.train(size: vocabSize)
      try writeAtomically(vocabulary.json, to: output + "/tokenizer.json")
      let count = vocabulary.pieces.count
      if count < vocabSize { Console.note("note: the text has no further pair that occurs twice") }
      Console.write("\(output)/tokenizer.json: \(count.grouped) pieces\n")
    }
  }
}
