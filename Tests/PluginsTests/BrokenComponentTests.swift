import Components
import Conformance
import StandardComponents
import Testing

@Suite("what is broken on purpose is named")
struct BrokenComponentTests {
  /// What the kit says of `type`, whose doc comment is in order.
  private func sentences(_ type: any Component.Type, documentation: String = "A test.\n\n    y = x\n\nSource: none.")
    throws -> [String]
  {
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
    #expect(
      sentence.contains("the operator 'running sum' of layers.0.attn is the first to differ, in row 0"), "\(sentence)")
    // A sum that keeps nothing cannot be continued either.
    #expect(
      all.contains { $0.hasPrefix("decoding: a prompt computed at once and token by token differ at token 1") },
      "\(all)")
  }

  @Test("a block that does not say where results join the residual stream")
  func unsaidSum() throws {
    let all = try sentences(UnsaidSum.self)
    #expect(
      all == [
        "roles: layer 0 adds to the residual stream outside PlanBuilder.joining, so that dropout does not find it"
      ])
  }

  @Test("an option that changes results and is no attribute of an operator")
  func hidden() throws {
    let all = try sentences(HiddenGain.self)
    #expect(
      all.contains {
        $0.hasPrefix("attributes: 'gain' changes results, and no attribute of an operator tells it")
      }, "\(all)")
  }

  @Test("more memory than was declared")
  func greedy() throws {
    let all = try sentences(Greedy.self)
    #expect(
      all.contains(
        "memory: the operator 'greedy copy' of layers.0.attn uses more scratch memory than the 8 numbers that it declares"
      ), "\(all)")
  }

  @Test("a gradient that is assigned instead of added")
  func assigning() throws {
    let all = try sentences(Assigning.self)
    #expect(
      all.contains {
        $0.hasPrefix(
          "memory: the operator 'broken scale' of layers.0 assigns the gradient of input 0, which others have added to already"
        )
      }, "\(all)")
  }

  @Test("a result that is not that of exact arithmetic")
  func inexact() throws {
    let all = try sentences(Inexact.self)
    #expect(!all.isEmpty && all.allSatisfy { $0.hasPrefix("reference: the operator 'inexact' of layers.") }, "\(all)")
  }

  @Test("a residual with a wrong sign in a gradient, and one that peeks: the operators")
  func residuals() throws {
    let wrong = try sentences(WrongFactor.self)
    let sentence = try #require(wrong.first { $0.hasPrefix("gradients: ") })
    #expect(sentence.contains("residual.scale by the operator 'wrong factor' of layers.0"), "\(sentence)")
    #expect(wrong.allSatisfy { $0.hasPrefix("gradients: ") }, "nothing else is wrong: \(wrong)")
    let peeking = try sentences(PeekingResidual.self)
    #expect(
      peeking.contains { $0.hasPrefix("causality: it looks ahead") && $0.contains("the operator 'peek' of layers.0") },
      "\(peeking)")
  }

  /// A fault of an optimizer or a schedule, and what the kit says of it: this, and nothing of another kind.
  struct Training: CustomTestStringConvertible, Sendable {
    let type: any Component.Type
    let sentence: String
    var testDescription: String { "\(type)" }
  }

  static let training = [
    Training(
      type: Uphill.self,
      sentence:
        "descent: it goes uphill: 8 steps at its usual rate take the loss of a bowl over layers.0.attn.q.weight [12, 20] from "
    ),
    Training(
      type: Standing.self,
      sentence:
        "descent: it does not go downhill: 8 steps at its usual rate take the loss of a bowl over layers.0.attn.q.weight "
    ),
    Training(
      type: Uncut.self,
      sentence:
        "descent: gradients of twice the size with a gradientScale of 0.5 move layers.0.attn.q.weight [12, 20] elsewhere: "
        + "it does not multiply by gradientScale"),
    Training(type: Restless.self, sentence: "descent: at a rate of 0 it moves layers.0.attn.q.weight [12, 20]"),
    Training(
      type: Unguarded.self,
      sentence:
        "descent: where all gradients are zero it gives layers.0.attn.q.weight [12, 20] numbers that are not finite"),
    Training(type: Rough.self, sentence: "reference: step 1 takes number 0 of layers.0.attn.q.weight [12, 20] to "),
    Training(
      type: Divided.self, sentence: "threads: 1 and 3 threads give layers.0.mlp.down.weight [160, 320] other bits"),
    Training(
      type: Counting.self,
      sentence:
        "saving: stopped after 4 steps and continued from its moments, layers.0.attn.q.weight [12, 20] ends in other bits: "
        + "it keeps something that is not saved"),
    Training(
      type: Hoarding.self,
      sentence: "memory: it declares the moment 'v' of layers.0.attn.q.weight [12, 20] and keeps nothing in it"),
    Training(type: Overlong.self, sentence: "memory: it writes beyond the numbers of layers.0.attn.q.weight [12, 20]"),
    Training(type: Negative.self, sentence: "rates: its factor at a progress of 0.500"),
    Training(type: Overshooting.self, sentence: "rates: its factor at a progress of 0.001"),
    Training(
      type: Upwards.self, sentence: "rates: its factor at a progress of 0 is 0.0, not 1: warm-up never reaches the peak"
    ),
    Training(
      type: Elsewhere.self, sentence: "rates: it says that it ends at 0.1, and its factor at a progress of 1 is 0.0"),
    Training(type: Returning.self, sentence: "rates: it says that it never rises, and its factor rises from 0.00"),
    Training(type: Endless.self, sentence: "rates: its factor at a progress of 1.0 is inf, no finite number"),
  ]

  @Test("an optimizer or a schedule: the tensor, the place in the run, and nothing else", arguments: training)
  func partOfTraining(_ sample: Training) throws {
    let all = try sentences(sample.type)
    #expect(all.count == 1 && all.first?.hasPrefix(sample.sentence) == true, "\(all)")
  }

  @Test("a doc comment without an equation or a source, and none at all")
  func undocumented() throws {
    #expect(try sentences(Peeking.self, documentation: "").first == "documentation: it has no doc comment")
    let all = try sentences(Peeking.self, documentation: "A test.")
    #expect(all.contains { $0.hasPrefix("documentation: its doc comment has no equation") }, "\(all)")
    #expect(all.contains { $0.hasPrefix("documentation: its doc comment cites no source") }, "\(all)")
  }
}
