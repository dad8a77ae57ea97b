import Components
import Specification
import Testing

@Suite("Mutated files")
struct MutationTests {
  /// SplitMix64, so that a failure can be repeated.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private static let texts = [
    Examples.gpt2, Examples.llama, Examples.gemma, Examples.hybrid, Examples.study, Examples.naming,
    "a: &a [1, 2]\nb: *a\nc: &c {d: *a}\ne: [*c, *c]\n? f\n: |\n  g\n  h\n--- !!map\n",
    "layers: {count: 4, pattern: [3*a, b], variants: {a: {}, b: {}}, overrides: [{layers: \"0:4:2\", norm: x}]}\n",
  ].map { Array($0.utf8) }

  /// Pieces that change the meaning of YAML most.
  private static let pieces =
    [
      "\n", " ", "  ", "\t", ":", ": ", "- ", "{", "}", "[", "]", ",", "\"", "'", "*a", "&a ", "!!str ", "|\n", ">\n",
      "#",
      "?", "~", "null", "%", "---\n", "...\n", "<<: ", "\\", "\u{FEFF}", "é", "9999999999", "-1", "1e999", "0x", "*",
      "layers", "type: ", "extends: ", "naming: ",
    ].map { Array($0.utf8) } + [[0], [0xFF], [0xC3], [0x80], [0xED, 0xA0, 0x80], [0x0D], [0x1B]]

  @Test("no change of bytes makes a trap, and what is read is written and read again", arguments: 0..<8)
  func mutations(seed: Int) throws {
    var generator = Generator(state: UInt64(seed))
    let zoo = try Zoo(Examples.zoo)
    for round in 0..<500 {
      var bytes = Self.texts.randomElement(using: &generator) ?? []
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let index = Int.random(in: 0...bytes.count, using: &generator)
        let end = min(bytes.count, index + Int.random(in: 0...8, using: &generator))
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes.removeSubrange(index..<end)
        case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
        case 2: bytes.insert(contentsOf: bytes[index..<end], at: Int.random(in: 0...bytes.count, using: &generator))
        case 3: bytes.removeSubrange(index...)
        default: bytes.insert(contentsOf: Self.pieces.randomElement(using: &generator) ?? [], at: index)
        }
      }
      do throws(Problems) {
        let tree = try YAMLReader(source: "text").read(bytes)
        let written = YAMLWriter().write(tree)
        let again = try YAMLReader(source: "written").read(written)
        #expect(again.isEquivalent(to: tree), "\(written)")
        _ = YAMLWriter(showsOrigins: true).write(tree.merging(again))
      } catch {
        #expect(!error.isEmpty)
        let text = ProblemRenderer(texts: ["text": String(decoding: bytes, as: UTF8.self)], readsFiles: false).render(
          error)
        #expect(!text.contains("written:"), "\(text)")
      }
      try zoo.write(bytes, to: "f/mutant.yaml")
      // Whatever it says: an architecture or problems with sentences, never a trap.
      if round % 2 == 0 {
        _ = zoo.message(for: zoo.folder + "/f/mutant.yaml")
      } else {
        _ = zoo.message(for: "mutant", set: ["norm.eps=1"])
      }
    }
  }
}
