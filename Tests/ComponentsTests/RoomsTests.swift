import Components
import Foundation
import StandardComponents
import TestSupport
import Testing

/// The rooms of the design, compared with the sources.
@Suite struct RoomsTests {
  private static func swiftFiles(in folder: String) -> [String] {
    let files = FileManager.default.enumerator(atPath: Here.package + "/" + folder)
    return (files?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".swift") }.map { folder + "/" + $0 }
  }

  /// Words that are also something else where they stand: slots, methods, and what file formats call their parts.
  private static let ordinary: Set<String> = Set(Slot.allCases.map(\.rawValue)).union([
    "none", "identity", "learned", "linear", "constant", "gated",
    // GGUF calls byte-level and SentencePiece vocabularies after the models that had them first.
    "gpt2", "llama",
  ])

  /// The names that GGUF and tiktoken give ways of splitting text, which are those of models.
  private static let splittingNames = "Sources/Tokenization/Reading/SplittingNames.swift"
  /// The names that transformers gives kinds of layers, one of which is a component's.
  private static let layerWords = "Sources/Export/LayerWords.swift"

  @Test("nothing in Sources but the command line names a component or a model")
  func namesNothing() throws {
    var names = Set(standardComponents.map { $0.name })
    // A study is no model, and is called after what it asks about.
    for family in try FileManager.default.contentsOfDirectory(atPath: Here.architectures) where family != "studies" {
      let files = (try? FileManager.default.contentsOfDirectory(atPath: Here.architectures + "/" + family)) ?? []
      names.formUnion(files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) })
    }
    names.subtract(Self.ordinary)
    names.subtract(["family", "config", "gguf", "hf-llama"])
    #expect(names.count > 20)
    let excepted = [Self.splittingNames, Self.layerWords]
    for file in Self.swiftFiles(in: "Sources") where !file.hasPrefix("Sources/chimera/") && !excepted.contains(file) {
      let text = try String(contentsOfFile: Here.package + "/" + file, encoding: .utf8)
      for line in text.split(separator: "\n") where !line.trimmingCharacters(in: .whitespaces).hasPrefix("//") {
        for name in names where line.contains("\"\(name)\"") { Issue.record("\(file) names '\(name)': \(line)") }
      }
    }
  }

  @Test("a component is one file, named like its type")
  func oneFileEach() {
    let files = Self.swiftFiles(in: "Plugins").map { String($0.split(separator: "/").last?.dropLast(6) ?? "") }
    let types = standardComponents.map { String(describing: $0) }
    #expect(Set(files.filter { !$0.contains("+") }) == Set(types))
    #expect(files.filter { $0.contains("+") }.allSatisfy { types.contains(String($0.prefix { $0 != "+" })) })
  }
}
