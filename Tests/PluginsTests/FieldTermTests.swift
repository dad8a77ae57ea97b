import Components
import Composition
import Specification
import TestSupport
import Testing

@Suite("the words of the field that components know")
struct FieldTermTests {
  private static let base = """
    name: base
    vocab_size: 256
    context_length: 4096
    hidden_size: 768
    layers: {count: 2}
    position: learned
    norm: layernorm
    attention: {num_heads: 12, num_kv_heads: 12}
    mlp: {intermediate_size: 1024}

    """

  static let terms = Standard.kit.registry.terms.all

  @Test("each stands for a line that composes, of the component that brought it", arguments: terms.map(\.word))
  func composes(_ word: String) throws {
    let term = try #require(Standard.kit.registry.terms[word])
    let patch = try YAMLReader(source: term.word).read(term.line)
    if term.slot == .objective {
      // It is no part of a model.
      let objective = try Standard.kit.registry.make(
        .objective, try #require(patch["objective"]), as: (any Objective).self)
      #expect(type(of: objective).name == term.component)
      return
    }
    let loader = SpecificationLoader(
      catalog: Catalog(folders: []), for: Composer(Standard.kit.registry))
    var tree = try YAMLReader(source: "base").read(Self.base)
    // What reads another stack needs one.
    if term.slot == .crossAttention || term.component == "two_towers" {
      tree["stacks"] = try YAMLReader(source: "stacks").read("source: {like: text}")
    }
    // What a stack gives stands in the stack, of which the text makes something.
    if term.slot == .output {
      tree["cross_attention"] = try YAMLReader(source: "cross").read("num_heads: 12")
      tree["stacks"] = try YAMLReader(source: "stacks").read("source: {like: text, \(term.line)}")
    } else {
      tree = tree.merging(patch)
    }
    let architecture = try loader.load(tree, named: "base")
    let assembly = try Composer(Standard.kit.registry).assemble(architecture)
    #expect(try assembly.plan().parameterCount > 0)
    // How tensors start is no part of what is drawn.
    let isChosen =
      term.slot == .initialization
      ? architecture.initialization?["type"]?.text == term.component
      : assembly.choices.used.contains { $0.slot == term.slot && $0.name == term.component }
    #expect(
      isChosen,
      "\(word) is brought by \(term.slot) \(term.component), which its line does not use")
  }

  @Test("none is the name of a component or an option, which would answer before it")
  func names() {
    let components = Standard.components
    for term in Self.terms {
      #expect(!components.contains { $0.slot == term.slot && $0.name == term.word }, "\(term.word)")
    }
    #expect(Self.terms.count > 60)
  }

  @Test("case, underscores and dashes carry no meaning in them")
  func spelling() {
    let terms = Standard.kit.registry.terms
    for word in ["SwiGLU", "swi_glu", "swi-glu"] { #expect(terms[word]?.line == terms["swiglu"]?.line) }
    #expect(terms["rmsnorm"] == nil && terms[""] == nil)
  }
}
