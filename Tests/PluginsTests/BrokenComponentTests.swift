import Components
import Conformance
import StandardComponents
import Testing

@Suite("what is broken on purpose is named")
struct BrokenComponentTests {
  /// What the kit says of `type`, whose doc comment is in order.
  private func sentences(_ type: any Component.Type, documentation: String = "A test.\n\n    y = x\n\nSource: none.") throws -> [String] {
    let kit = try ConformanceKit(checking: [type], documentation: [documentation], among: standardComponents)
    return kit.check([type]).map { "\($0.check): \($0.sentence)" }
  }

  @Test("a wrong sign in a gradient: the tensor, the number, and both gradients")
  func wrongSign() throws {
    let all = try sentences(WrongSign.self)
    let sentence = try #require(all.first { $0.hasPrefix("gradients: ") })
    #expect(sentence.contains(".scale by the operator 'broken scale' of layers.0"), "\(sentence)")
    #expect(sentence.contains(": analytic ") && sentence.contains(", finite difference "), "\(sentence)")
    #expect(all.allSatisfy { $0.hasPrefix("gradients: ") }, "nothing else is wrong: \(all)")
  }

  @Test("a peek at the future: the token, and the operator")
  func peek() throws {
    let all = try sentences(Peeking.self)
    let sentence = try #require(all.first { $0.hasPrefix("causality: ") })
    #expect(sentence.hasPrefix("causality: it looks ahead: token 9 changes the logits of token"), "\(sentence)")
    #expect(sentence.contains("the operator 'peek' of layers.0.attn is the first to differ, in row 8"), "\(sentence)")
    #expect(!all.contains { $0.hasPrefix("gradients: ") }, "\(all)")
  }

  @Test("a dropped batch index: the sequence, and the operator")
  func batch() throws {
    let all = try sentences(Running.self)
    let sentence = try #require(all.first { $0.hasPrefix("batches: ") })
    #expect(sentence.contains("sequence 1 of a batch has other logits than by itself"), "\(sentence)")
    #expect(sentence.contains("the operator 'running sum' of layers.0.attn is the first to differ, in row 0"), "\(sentence)")
    // A sum that keeps nothing cannot be continued either.
    #expect(all.contains { $0.hasPrefix("decoding: a prompt computed at once and token by token differ at token 1") }, "\(all)")
  }

  @Test("more memory than was declared")
  func greedy() throws {
    let all = try sentences(Greedy.self)
    #expect(all.contains("memory: the operator 'greedy copy' of layers.0.attn uses more scratch memory than the 8 numbers that it declares"), "\(all)")
  }

  @Test("a gradient that is assigned instead of added")
  func assigning() throws {
    let all = try sentences(Assigning.self)
    #expect(
      all.contains {
        $0.hasPrefix("memory: the operator 'broken scale' of layers.0 assigns the gradient of input 0, which others have added to already")
      }, "\(all)")
  }

  @Test("a result that is not that of exact arithmetic")
  func inexact() throws {
    let all = try sentences(Inexact.self)
    #expect(!all.isEmpty && all.allSatisfy { $0.hasPrefix("reference: the operator 'inexact' of layers.") }, "\(all)")
  }

  @Test("a doc comment without an equation or a source, and none at all")
  func undocumented() throws {
    #expect(try sentences(Peeking.self, documentation: "").first == "documentation: it has no doc comment")
    let all = try sentences(Peeking.self, documentation: "A test.")
    #expect(all.contains { $0.hasPrefix("documentation: its doc comment has no equation") }, "\(all)")
    #expect(all.contains { $0.hasPrefix("documentation: its doc comment cites no source") }, "\(all)")
  }
}
