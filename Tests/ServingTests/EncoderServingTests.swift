import Checkpoints
import Files
import Serving
import TestSupport
import Testing

/// Encoders behind the API: vectors as the files beside them say, and no texts.
@Suite struct EncoderServingTests {
  private static let folder = Here.package + "/Tests/Encoders/sentences"

  @Test("an encoder's vectors are those of sentence-transformers, which pools and normalizes as its files say")
  func vectors() throws {
    let server = try Served.server([Served.model(Self.folder, id: "sentences")])
    let texts = try #require(JSONValue(contentsOf: Self.folder + "/texts.json").array)
    let expected = try #require(try SafetensorsFile(path: Self.folder + "/expected.safetensors").tensors.first)
    for (row, text) in texts.enumerated() {
      let answer = server.ask("/v1/embeddings", ["input": text])
      // The fifth is longer than the files let texts be: it is refused rather than cut.
      if row == 4 {
        #expect(answer.status == 400 && answer.parameter == "input" && answer.message.contains("24"), "\(answer.text)")
        continue
      }
      let vector = try #require(answer.json["data"]?.array?.first?["embedding"]?.array, "\(answer.text)")
      for (column, number) in vector.enumerated() {
        let wanted = expected.bytes.loadUnaligned(fromByteOffset: (row * 16 + column) * 4, as: Float.self)
        // Roundings of a dozen matrices of numbers near 1.
        #expect(abs(try #require(number.number) - Double(wanted)) < 1e-5, "text \(row), number \(column)")
      }
    }
    let pooled = ["mean", "cls", "last", "max"].map { pooling in
      server.ask("/v1/embeddings", ["input": texts[0], "pooling": .string(pooling)]).json["data"]
    }
    #expect(pooled.allSatisfy { $0 != nil } && Set(pooled.map { "\(String(describing: $0))" }).count == 4)
  }

  @Test("what continues a text is refused for an encoder, as the client's error")
  func refusal() throws {
    let server = try Served.server([Served.model(Self.folder, id: "sentences")])
    let answer = server.ask("/v1/completions", ["prompt": "the cat"])
    #expect(answer.status == 400 && answer.message.contains("encoder"), "\(answer.text)")
  }
}
