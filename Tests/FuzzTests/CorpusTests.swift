import Foundation
import FuzzParsers
import Testing

@Suite("hostile inputs")
struct CorpusTests {
  private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../Fuzz/Corpus").standardizedFileURL

  /// The inputs that are kept for `parser`.
  private static func inputs(of parser: HostileParser) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(
      at: corpus.appending(path: parser.rawValue), includingPropertiesForKeys: nil
    ).sorted { $0.path < $1.path }
  }

  @Test("every input that was kept ends with a value or an error", arguments: HostileParser.allCases)
  func replay(_ parser: HostileParser) throws {
    let inputs = try Self.inputs(of: parser)
    #expect(!inputs.isEmpty, "Tests/Fuzz/Corpus/\(parser.rawValue) holds nothing to replay")
    for input in inputs { parser.parse(try Array(Data(contentsOf: input))) }
  }

  // Cut anywhere, and with any byte changed: what a full disk and a bad one make of a file.
  @Test("every input cut short and with single bytes changed ends too", arguments: HostileParser.allCases)
  func damaged(_ parser: HostileParser) throws {
    for input in try Self.inputs(of: parser) {
      let bytes = try Array(Data(contentsOf: input).prefix(2048))
      let step = max(1, bytes.count / 24)
      for end in stride(from: 0, to: bytes.count, by: step) { parser.parse(Array(bytes[..<end])) }
      for place in stride(from: 0, to: bytes.count, by: step) {
        for value in [0x00, 0xFF, bytes[place] ^ 0x80, bytes[place] &+ 1] as [UInt8] {
          var damaged = bytes
          damaged[place] = value
          parser.parse(damaged)
        }
      }
    }
  }

  @Test("every folder of the corpus belongs to a parser, so that none is forgotten")
  func folders() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path).filter { !$0.hasPrefix(".") }
    #expect(Set(names) == Set(HostileParser.allCases.map(\.rawValue)))
  }
}
