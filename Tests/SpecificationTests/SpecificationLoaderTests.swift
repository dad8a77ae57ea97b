import Components
import Foundation
import Specification
import Testing

@Suite("Loading")
struct SpecificationLoaderTests {
  @Test("the examples resolve")
  func examples() throws {
    let zoo = try Zoo(Examples.zoo)
    let gpt2 = try zoo.load("gpt2")
    #expect(gpt2.name == "gpt2" && gpt2.family == "gpt2" && gpt2.expectedParams == 124_439_808)
    #expect(gpt2.shape == ModelShape(vocabSize: 50257, contextLength: 1024, hiddenSize: 768, layerCount: 12))
    #expect(gpt2[.position]?.type == "learned" && gpt2[.norm]?.type == "layernorm")
    #expect(gpt2[.norm]?.options["eps"]?.number == 1e-5 && gpt2[.norm]?.options["type"] == nil)
    #expect(gpt2[.embedding] == ComponentSpec(slot: .embedding))
    #expect(gpt2.layers[0][.attention]?.type == nil && gpt2.layers[0][.attention]?.options["num_heads"]?.integer == 12)
    #expect(gpt2[.head]?.options["tied"]?.flag == true)
    #expect(gpt2.tokenizer?.text == "gpt2")
    #expect(gpt2.checkpoint?[path: "layer.ln_1"]?.text == "attn_norm")
    #expect(gpt2.files == [zoo.folder + "/gpt2/gpt2.yaml"])

    let llama = try zoo.load("llama-3.2-1b")
    #expect(llama[.position]?.options["scaling"]?["factor"]?.number == 32)
    #expect(llama.checkpoint?["layer"]?["self_attn.q_proj"]?.text == "attn.q")
    #expect(llama.checkpoint?["naming"] == nil)
    #expect(llama.files == [zoo.folder + "/llama/llama-3.2-1b.yaml", zoo.folder + "/naming/hf-llama.yaml"])

    let gemma = try zoo.load("gemma-2-2b")
    #expect(gemma.checkpoint?["layer"]?["post_attention_layernorm"]?.text == "attn_out_norm")
    #expect(gemma.layerKinds.prefix(4) == [0, 1, 0, 1])
    #expect(gemma.layers[0][.attention]?.options["window"]?.integer == 4096 && gemma.layers[0].variant == "local")
    #expect(gemma.layers[1][.attention]?.options["window"] == nil && gemma.layers[1].variant == "global")
  }

  @Test("the hybrid has four kinds of layers, made in the order of the rules")
  func hybrid() throws {
    let zoo = try Zoo(Examples.zoo)
    let hybrid = try zoo.load("tiny-hybrid")
    #expect(hybrid.name == "tiny-hybrid" && hybrid.expectedParams == 199_088_640)
    #expect(hybrid.shape.contextLength == 2048 && hybrid.shape.layerCount == 12)
    #expect(hybrid.checkpoint == nil)
    #expect(hybrid.tokenizer?.text == "gpt2")
    #expect(hybrid.layerKinds == [0, 1, 1, 2, 1, 1, 3, 4, 3, 3, 3, 5])
    let first = hybrid.layers[0]
    #expect(first[.mlp]?.type == nil && first[.mlp]?.options["intermediate_size"]?.integer == 2048)
    #expect(first[.mlp]?.options["bias"] == nil && first[.mlp]?.options["activation"]?.text == "silu")
    #expect(first[.position]?.type == "rope" && first[.attention]?.options["window"]?.integer == 512)
    #expect(first[.attention]?.options["num_heads"]?.integer == 12 && first[.attention]?.options["bias"] == nil)
    let fourth = hybrid.layers[3]
    #expect(fourth[.position]?.type == "none" && fourth[.position]?.options.entries == [])
    #expect(fourth[.mlp]?.options["activation"]?.text == "relu2")
    let seventh = hybrid.layers[6]
    #expect(seventh[.mlp]?.type == "moe" && seventh[.mlp]?.options["intermediate_size"] == nil)
    #expect(hybrid.layers[11][.block]?.options["placement"]?.text == "sandwich")
    #expect(hybrid.layers[10][.block]?.options["placement"]?.text == "pre")
  }

  @Test("a member inherits from its family; facts only from there, name and count from nowhere")
  func families() throws {
    let zoo = try Zoo([
      "f/family.yaml": """
      facts: {licence: mit, authors: A and B, title: The family}
      position: {type: rope, theta: 10000}
      norm: rmsnorm
      attention: {bias: true}
      """,
      "f/small.yaml": """
      name: small
      extends: f/family
      facts: {title: Small, year: 2023}
      vocab_size: 100
      context_length: 64
      hidden_size: 32
      layers: {count: 2}
      expected_params: 12
      """,
      "f/large.yaml": "extends: small\nhidden_size: 64\nattention: {bias: null}\nnorm: {eps: 1e-6}\n",
      "mine.yaml": "extends: [f/large, ./patch]\nname: mine\n",
      "patch.yaml": "layers: {count: 3}\nposition: learned\n",
    ])
    let small = try zoo.load("small")
    #expect(small.facts.title == "Small" && small.facts.licence == "mit" && small.facts.authors == ["A and B"])
    #expect(small.facts.year == 2023 && small.expectedParams == 12)
    let large = try zoo.load("large")
    #expect(large.name == "large" && large.expectedParams == nil && large.family == "f")
    #expect(large.facts.title == "The family" && large.facts.year == nil && large.facts.licence == "mit")
    #expect(large.layers[0][.attention]?.options.entries == [])
    #expect(large[.norm]?.type == "rmsnorm" && large[.norm]?.options["eps"]?.number == 1e-6)
    #expect(
      large.files.map { $0.replacing(zoo.folder + "/", with: "") } == ["f/large.yaml", "f/small.yaml", "f/family.yaml"])
    let mine = try zoo.load(zoo.folder + "/mine.yaml")
    #expect(mine.name == "mine" && mine.family == "f" && mine.shape.layerCount == 3 && mine.shape.hiddenSize == 64)
    #expect(mine[.position]?.type == "learned" && mine[.position]?.options.entries == [])
    // What `resolved` writes is the same architecture, in one file that extends nothing.
    try zoo.write(Array(YAMLWriter().write(mine.resolved).utf8), to: "resolved.yaml")
    let again = try zoo.load(zoo.folder + "/resolved.yaml")
    #expect(again.resolved.isEquivalent(to: mine.resolved))
    #expect(again.layers.map { $0[.position]?.type } == mine.layers.map { $0[.position]?.type })
  }

  @Test("a family with the patches of a binding is a model; without them it says what it lacks")
  func bindings() throws {
    let zoo = try Zoo(["f/family.yaml": "position: learned\nnorm: {type: layernorm}\nattention: {bias: true}\n"])
    #expect(
      zoo.message(for: "f/family") == """
        f/family.yaml:1:1: error: these keys are missing: vocab_size, context_length, hidden_size, layers
          1 | position: learned
            | ^

        """)
    // A program's patch may delete what is not there.
    let patch = Setting(
      .group([
        .init("vocab_size", Setting(text: "10")), .init("context_length", Setting(text: "8")),
        .init("hidden_size", Setting(text: "4")),
        .init("layers", Setting(.group([.init("count", Setting(text: "1"))]))),
        .init("attention", Setting(.group([.init("window", .null), .init("num_heads", Setting(text: "2"))]))),
      ]))
    let model = try zoo.loader.load("f/family", patches: [patch])
    #expect(model.name == "f" && model.shape.vocabSize == 10)
    #expect(model.layers[0][.attention]?.options.entries?.map(\.key) == ["bias", "num_heads"])
    #expect(try zoo.loader.tree("f/family")["norm"]?["type"]?.text == "layernorm")
  }

  @Test("a changed model no longer has the published count of parameters")
  func changedCounts() throws {
    let zoo = try Zoo(Examples.zoo)
    #expect(try zoo.load("gpt2", set: ["position=rope"]).expectedParams == nil)
    #expect(try zoo.load("gpt2", set: ["position=rope", "expected_params=3"]).expectedParams == 3)
    #expect(try zoo.load("gpt2", set: ["tokenizer=other"]).expectedParams == 124_439_808)
  }

  @Test("another map of names drops the old one; the same map again changes nothing")
  func namings() throws {
    let zoo = try Zoo([
      "naming/a.yaml": "prefix: a.\nlayer: {x: attn.q, y: attn.k}\n",
      "naming/b.yaml": "extends: naming/a\nprefix: b.\nlayer: {z: attn.v}\n",
      "f/family.yaml": Examples.small + "\ncheckpoint: {naming: a, layer: {x: null, w: mlp.up}}\n",
      "f/same.yaml": "extends: f/family\ncheckpoint: {naming: a, layer: {y: null}}\n",
      "f/other.yaml": "extends: f/family\ncheckpoint: {naming: b}\n",
      "f/none.yaml": "extends: f/family\ncheckpoint: null\n",
      "f/again.yaml": "extends: none\ncheckpoint: {naming: a}\n",
    ])
    let checkpoint = { (name: String) in try zoo.load(name).checkpoint.map { YAMLWriter().write($0) } }
    #expect(try checkpoint("f/family") == "prefix: a.\nlayer: {y: attn.k, w: mlp.up}\n")
    #expect(try checkpoint("same") == "prefix: a.\nlayer: {w: mlp.up}\n")
    #expect(try checkpoint("other") == "prefix: b.\nlayer: {x: attn.q, y: attn.k, z: attn.v}\n")
    #expect(try checkpoint("none") == nil)
    #expect(try checkpoint("again") == "prefix: a.\nlayer: {x: attn.q, y: attn.k}\n")
  }

  @Test("a circle of files is told with every file in it")
  func circles() throws {
    let zoo = try Zoo([
      "f/a.yaml": "extends: b\n", "f/b.yaml": "extends: [c]\n", "f/c.yaml": "name: c\nextends: f/b\n",
      "naming/n.yaml": "extends: f/m\n", "f/m.yaml": Examples.small + "\ncheckpoint: {naming: n}\n",
    ])
    #expect(
      zoo.message(for: "a") == """
        f/c.yaml:2:10: error: files extend each other in a circle: f/b.yaml → f/c.yaml → f/b.yaml
          2 | extends: f/b
            |          ^~~

        """)
    #expect(
      zoo.message(for: "m") == """
        naming/n.yaml:1:10: error: files extend each other in a circle: f/m.yaml → naming/n.yaml → f/m.yaml
          1 | extends: f/m
            |          ^~~

        """)
  }

  @Test("files extend each other sixteen deep and no deeper, and a wide lattice of them is quick")
  func depth() throws {
    var files: [String: String] = ["f/m0.yaml": Examples.small]
    for i in 1...20 { files["f/m\(i).yaml"] = "extends: [m\(i - 1), m\(i - 1)]\n" }
    let zoo = try Zoo(files)
    #expect(try zoo.load("m15").shape.hiddenSize == 32)
    #expect(
      zoo.message(for: "m20") == """
        f/m5.yaml:1:11: error: files extend each other more than 16 deep
          1 | extends: [m4, m4]
            |           ^~
        f/m5.yaml:1:15: error: files extend each other more than 16 deep
          1 | extends: [m4, m4]
            |               ^~

        """)
    // The same loader reads a shorter chain through the same files.
    let loader = zoo.loader
    #expect(throws: Problems.self) { try loader.load("m20") }
    #expect(try loader.load("m12").shape.hiddenSize == 32)
  }

  @Test("a file of the zoo cannot extend what is outside")
  func escapes() throws {
    let zoo = try Zoo(["zoo/f/a.yaml": "extends: ../../outside.yaml\n", "outside.yaml": Examples.small])
    let loader = SpecificationLoader(
      catalog: Catalog(folders: [zoo.folder + "/zoo"]), choosingOptions: [:], terms: FieldTerms(),
      composing: { _ in Problems() })
    let problems = #expect(throws: Problems.self) { try loader.load("a") }
    #expect(problems?.list.map(\.sentence) == ["'../../outside.yaml' leads out of the zoo"])
    // A file of the user's may stand wherever the user puts it.
    try zoo.write(Array("extends: ../outside.yaml\n".utf8), to: "mine/a.yaml")
    #expect(try loader.load(zoo.folder + "/mine/a.yaml").shape.hiddenSize == 32)
  }

  @Test("only plain files within the budget are read")
  func files() throws {
    let zoo = try Zoo(["f/big.yaml": "name: " + String(repeating: "x", count: 1 << 20)])
    #expect(
      zoo.message(for: "big").hasPrefix("error: the file has 1048582 bytes, and a specification has at most 1048576: "))
    #expect(zoo.message(for: zoo.folder) == "error: '\(zoo.folder)' is a folder, not a specification\n")
    #expect(zoo.message(for: "/dev/zero") == "error: '/dev/zero' is not a file\n")
    #expect(zoo.message(for: zoo.folder + "/no.yaml") == "error: there is no file 'no.yaml'\n")
    #expect(zoo.message(for: "bgi") == "error: no model is named 'bgi'\n  did you mean 'big'?\n")
  }

  @Test("problems of all files are told at once, sorted by file and place")
  func allAtOnce() throws {
    let zoo = try Zoo([
      "f/family.yaml": "norms: x\nnorm: [a]\nposition: learned\n",
      "f/a.yaml": "extends: f/family\nvocab: 4\nlayers: {count: 0}\ncontext_length: 3\nhidden_size: 4\nvocab_size: 1\n",
    ])
    #expect(
      zoo.message(for: "a") == """
        f/family.yaml:1:1: error: 'norms' is not a key of a specification
          1 | norms: x
            | ^~~~~ did you mean 'norm'?
        f/family.yaml:2:7: error: 'norm' takes a component's name or a group with its options, not a list
          2 | norm: [a]
            |       ^
        f/a.yaml:2:1: error: 'vocab' is not a key of a specification
          2 | vocab: 4
            | ^~~~~ did you mean 'vocab_size'?
        f/a.yaml:3:17: error: 'count' must be at least 1, not 0
          3 | layers: {count: 0}
            |                 ^

        """)
  }

  @Test("a component's place is where it was chosen")
  func places() throws {
    let zoo = try Zoo(["a.yaml": Examples.small.replacing("learned", with: "{theta: 1, type: rope}")])
    let model = try zoo.load(zoo.folder + "/a.yaml")
    #expect(
      model[.position]?.place?.line == 6 && model[.position]?.place?.column == 28
        && model[.position]?.place?.length == 4)
    #expect(model[.position]?.options.place == model[.position]?.place)
    #expect(model[.norm]?.options.entries?.first?.place?.column == 25)
  }
}
