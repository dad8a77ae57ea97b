import Components
import Composition
import Describing
import Specification
import StandardComponents
import TestSupport
import Testing

/// Stacks in files: what they start from, what they share, and what is told where they cannot be.
@Suite struct StackTests {
  private static let text = """
    vocab_size: 13
    context_length: 16
    hidden_size: 16
    layers: {count: 2}
    position: sinusoidal
    norm: {type: layernorm}
    attention: {num_heads: 4}
    mlp: {intermediate_size: 24, activation: relu}

    """

  private static func architecture(_ more: String) throws -> (Composer, Architecture) {
    let composer = Composer(try Registry(standardComponents))
    let tree = try YAMLReader(source: "spec.yaml").read(text + more)
    return (composer, try SpecificationLoader(catalog: Catalog(folders: []), for: composer).load(tree, named: "spec"))
  }

  private static func plan(_ more: String) throws -> Plan {
    let (composer, architecture) = try architecture(more)
    return try composer.compose(architecture)
  }

  private static func problems(_ more: String) -> [String] {
    do {
      _ = try plan(more)
      return []
    } catch { return (error as? Problems)?.list.map(\.sentence) ?? ["\(error)"] }
  }

  private static let read = "cross_attention: {num_heads: 2}\n"

  @Test("a stack that is like the text has its words, but for cross-attention and what it says itself")
  func like() throws {
    let more =
      Self.read
      + "stacks: {source: {like: text, hidden_size: 8, layers: {count: 3}, attention: {mask: full, num_heads: 2}}}"
    let stack = try #require(Self.architecture(more).1.stacks.first)
    #expect(stack.name == "source" && stack.shape.hiddenSize == 8 && stack.shape.vocabSize == 13)
    #expect(stack.layers.count == 3)
    #expect(stack.layers[0][.crossAttention] == nil && stack[.head] == nil)
    #expect(stack.layers[0][.attention]?.setting["num_heads"]?.integer == 2)
    let plan = try Self.plan(more)
    let names = plan.parameters.map(\.name.text)
    #expect(names.contains("source.layers.2.attn.q.weight") && names.contains("source.final_norm.weight"))
    #expect(names.contains("layers.1.cross_attn.k.weight") && !names.contains("source.layers.0.cross_attn.k.weight"))
    // Keys of the stack's width, computed on the stack's rows and cached there.
    #expect(plan.parameters.first { $0.name == "layers.1.cross_attn.k.weight" }?.shape == [16, 8])
    #expect(plan.states.first { $0.name == "layers.1.cross_attn.k" }?.axis == plan.otherAxes.first)
    #expect(plan.stateBytesPerToken(in: .f32) == 2 * 2 * 16 * 4)
  }

  @Test("what 'stacks' says of the text is what stands at the root")
  func textAtRoot() throws {
    let here = try Self.plan("head: {tied: true}\n")
    let there = try Self.plan("stacks: {text: {head: {tied: true}}}\n")
    #expect(here == there)
  }

  @Test("tied vectors are one tensor, and those of other widths are told")
  func tied() throws {
    let one = try Self.plan(
      Self.read + "stacks: {source: {like: text, embedding: {tied: true}, attention: {mask: full}}}")
    #expect(one.parameters.count { $0.shape == [13, 16] } == 2)
    let own = try Self.plan(Self.read + "stacks: {source: {like: text, attention: {mask: full}}}")
    #expect(own.parameters.count { $0.shape == [13, 16] } == 3)
    #expect(
      Self.problems(Self.read + "stacks: {source: {like: text, hidden_size: 8, embedding: {tied: true}}}").first
        == "the stacks share the tensor embed.tokens.weight, which is [13, 8] in one and [13, 16] in another")
    #expect(Self.problems("embedding: {tied: true}").first == "no option here is named 'tied'")
  }

  @Test(
    "what a file gets wrong about stacks is told in a sentence",
    arguments: [
      ("cross_attention: {num_heads: 2}", "there is no other stack whose rows could be read"),
      ("stacks: {source: {like: text}}", "nothing reads the stack 'source'"),
      (
        "cross_attention: {num_heads: 2, from: image}\nstacks: {source: {like: text}}",
        "no stack that is written before is named 'image'"
      ),
      (
        "cross_attention: {num_heads: 2}\nstacks: {a: {like: text}, b: {like: text}}",
        "there are several stacks to read: a, b"
      ),
      ("stacks: {source: {like: b}, b: {like: source}}", "stacks are like each other in a circle: source → b → source"),
      ("stacks: {source: {like: txet}}", "no stack is named 'txet'"),
      ("stacks: {source: {norm: rmsnorm, layers: {count: 1}}}", "the key 'position' is missing in the stack 'source'"),
      ("stacks: {source: {like: text, head: {tied: true}}}", "'head' is not a key of a stack"),
      ("stacks: {attn: {like: text}}", "'attn' cannot be a stack's name"),
      ("stacks: {source: 3}", "the stack 'source' takes a group of keys, not '3'"),
      ("stacks: [source]", "'stacks' takes a group of stacks by name, not a list"),
    ])
  func wrong(_ more: String, _ sentence: String) {
    #expect(Self.problems(more + "\n").contains(sentence), "\(Self.problems(more + "\n"))")
  }

  @Test("listings, drawings, costs and differences tell of every stack")
  func described() throws {
    let more = Self.read + "stacks: {source: {like: text, attention: {mask: full}}}"
    let (composer, architecture) = try Self.architecture(more)
    let assembly = try composer.assemble(architecture)
    let sheet = ModelSheet(architecture, assembly.choices, try assembly.plan())
    let listing = PlanListing(sheet.plan).text
    for line in [
      "source tokens\n", "source layers 0–1\n", "source states\n", "\ntokens\n", "\nlayers 0–1\n", "\nlogits\n",
    ] {
      #expect(listing.contains(line), "\(line)\n\(listing)")
    }
    let drawing = DiagramText(sheet.diagram).text
    #expect(drawing.contains("states of source") && drawing.contains("cross_attn") && drawing.contains("of source"))
    #expect(sheet.footprint.parameterCount == sheet.plan.parameterCount)
    #expect(try assembly.parameterCount(sketch: assembly.sketch()) == sheet.plan.parameterCount)
    #expect(sheet.footprint.flopsOfStacks.map(\.name) == ["source"])
    let (_, changed) = try Self.architecture(
      Self.read + "stacks: {source: {like: text, norm: rmsnorm, attention: {mask: full}}}")
    let other = try composer.assemble(changed)
    let diff = ArchitectureDiff(sheet, ModelSheet(changed, other.choices, try other.plan()))
    #expect(!diff.composesTheSame)
    #expect(diff.rows.contains { $0.group == "source: norm" && $0.second == "rmsnorm" })
  }
}
