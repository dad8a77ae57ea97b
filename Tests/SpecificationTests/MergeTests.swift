import Components
import SharedData
import Specification
import Testing

@Suite("Merging")
struct MergeTests {
  /// The claim that `patch` laid over `base` gives `result`.
  private func expect(
    _ base: String, _ patch: String, gives result: String, _ location: SourceLocation = #_sourceLocation
  )
    throws
  {
    let merged = try yaml(base).merging(try yaml(patch))
    #expect(YAMLWriter().write(merged) == YAMLWriter().write(try yaml(result)), sourceLocation: location)
  }

  @Test("groups merge key by key, everything else is replaced")
  func keys() throws {
    try expect("{a: {b: 1, c: 2}, d: [1, 2]}", "{a: {c: 3, e: 4}, d: [3]}", gives: "{a: {b: 1, c: 3, e: 4}, d: [3]}")
    try expect("{a: 1}", "{a: {b: 1}}", gives: "{a: {b: 1}}")
    try expect("{a: {b: 1}}", "{a: x}", gives: "{a: x}")
  }

  @Test("null deletes, and nothing of it is left where nothing was")
  func deletion() throws {
    try expect("{a: 1, b: 2}", "{a: null}", gives: "{b: 2}")
    try expect("{b: 2}", "{a: ~, c: {d: null, e: 1}}", gives: "{b: 2, c: {e: 1}}")
    try expect(
      "{attention: {bias: true, num_heads: 2}}", "{attention: {bias: null}}", gives: "{attention: {num_heads: 2}}")
  }

  @Test("a patch that changes a type drops the old type's other keys")
  func types() throws {
    try expect(
      "{position: {type: rope, theta: 10000, scaling: {type: linear, factor: 2}}}", "{position: {type: learned}}",
      gives: "{position: {type: learned}}")
    try expect(
      "{position: {type: rope, theta: 10000}}", "{position: {type: rope, fraction: 0.5}}",
      gives: "{position: {type: rope, theta: 10000, fraction: 0.5}}")
    try expect(
      "{position: {type: rope, scaling: {type: linear, factor: 2}}}", "{position: {scaling: {type: yarn}}}",
      gives: "{position: {type: rope, scaling: {type: yarn}}}")
  }

  @Test("a name is the group with that type, on both sides")
  func names() throws {
    try expect("{norm: rmsnorm}", "{norm: {eps: 1e-6}}", gives: "{norm: {type: rmsnorm, eps: 1e-6}}")
    try expect("{norm: {type: rmsnorm, eps: 1e-6}}", "{norm: rmsnorm}", gives: "{norm: {type: rmsnorm, eps: 1e-6}}")
    try expect("{norm: {type: rmsnorm, eps: 1e-6}}", "{norm: layernorm}", gives: "{norm: layernorm}")
    try expect(
      "{mlp: {activation: silu}}", "{mlp: {activation: {type: xielu, a: 1}}}",
      gives: "{mlp: {activation: {type: xielu, a: 1}}}")
    try expect("{head: {norm: true}}", "{head: {norm: {eps: 1}}}", gives: "{head: {norm: {eps: 1}}}")
  }

  @Test("a component left unnamed is the one named like its slot, where there is one")
  func defaultTypes() throws {
    try expect("{mlp: {intermediate_size: 8}}", "{mlp: {type: moe, top_k: 2}}", gives: "{mlp: {type: moe, top_k: 2}}")
    try expect(
      "{mlp: {intermediate_size: 8}}", "{mlp: {type: mlp, gated: true}}",
      gives: "{mlp: {intermediate_size: 8, type: mlp, gated: true}}")
    try expect("{norm: {eps: 1e-6}}", "{norm: rmsnorm}", gives: "{norm: {eps: 1e-6, type: rmsnorm}}")
    try expect("{mlp: {type: moe, top_k: 2}}", "{mlp: {type: null, gated: true}}", gives: "{mlp: {gated: true}}")
  }

  @Test("keys of a checkpoint's map that are called like slots are only names")
  func maps() throws {
    try expect(
      "{checkpoint: {tensors: {norm: final_norm}}}", "{checkpoint: {tensors: {norm: {to: x}}}}",
      gives: "{checkpoint: {tensors: {norm: {to: x}}}}")
  }

  @Test("a variant keeps a null for the model, unless it takes back what the variant said")
  func variants() throws {
    let base = "{layers: {variants: {a: {attention: {window: 4}}}}}"
    try expect(
      base, "{layers: {variants: {a: {attention: {bias: null}}}}}",
      gives: "{layers: {variants: {a: {attention: {window: 4, bias: null}}}}}")
    try expect(
      base, "{layers: {variants: {a: {attention: {window: null}}, b: {mlp: {bias: null}}}}}",
      gives: "{layers: {variants: {a: {attention: {}}, b: {mlp: {bias: null}}}}}")
    try expect(base, "{layers: {variants: {a: null, b: {}}}}", gives: "{layers: {variants: {b: {}}}}")
  }

  @Test("merging nothing changes nothing, and merging twice is merging once")
  func laws() throws {
    let trees = try Self.trees()
    for base in trees {
      #expect(base.merging(Setting(.group([]))).isEquivalent(to: base))
      for patch in trees {
        let once = base.merging(patch)
        #expect(once.merging(patch).isEquivalent(to: once))
      }
    }
  }

  @Test("the minimal patch from A to B makes B of A")
  func minimalPatches() throws {
    let trees = try Self.trees()
    for base in trees {
      for target in trees {
        let patch = Setting.minimalPatch(from: base, to: target)
        #expect(base.merging(patch).isEquivalent(to: target), "\(YAMLWriter().write(patch))")
        // As text too, which is how a person uses it.
        #expect(base.merging(try yaml(YAMLWriter().write(patch))).isEquivalent(to: target))
      }
      #expect(Setting.minimalPatch(from: base, to: base).entries?.count == 0)
    }
  }

  @Test("the minimal patch says only what differs")
  func minimalPatch() throws {
    let base = try yaml(
      "{norm: {type: layernorm, eps: 1.0e-5}, attention: {num_heads: 12, bias: true}, hidden_size: 8}")
    let target = try yaml("{norm: {type: rmsnorm, eps: 1e-5}, attention: {num_heads: 12}, hidden_size: 8}")
    let patch = Setting.minimalPatch(from: base, to: target)
    #expect(YAMLWriter().write(patch) == "norm: {type: rmsnorm, eps: 1e-5}\nattention: {bias: null}\n")
    #expect(
      Setting.minimalPatch(from: try yaml("{norm: rmsnorm}"), to: try yaml("{norm: {type: rmsnorm}}")).entries == [])
    #expect(Setting.minimalPatch(from: try yaml("{a: 1.0e-5}"), to: try yaml("{a: 1e-5}")).entries == [])
  }

  @Test("places say where a value comes from")
  func origins() throws {
    let base = try YAMLReader(source: "base").read("norm: {type: rmsnorm, eps: 1}\nmlp: {gated: true}")
    let patch = try YAMLReader(source: "patch").read("norm: {eps: 2}")
    let merged = base.merging(patch)
    #expect(merged[path: "norm.eps"]?.place?.source == "patch")
    #expect(merged[path: "norm.type"]?.place?.source == "base")
    #expect(merged[path: "mlp.gated"]?.place?.source == "base")
  }

  @Test("a group of 45,000 keys is merged in linear time")
  func largeGroups() throws {
    let text = (0..<45_000).map { "k\($0): 1\n" }.joined()
    let tree = try yaml(text)
    #expect(endsSoon { _ = tree.merging(tree) })
    #expect(endsSoon { _ = Setting.minimalPatch(from: tree, to: tree) })
  }

  /// Trees of all kinds: the examples, and some made to be awkward together.
  private static func trees() throws -> [Setting] {
    let texts = [
      Examples.gpt2, Examples.llama, Examples.gemma, Examples.hybrid, "{}", "{norm: rmsnorm}", "{norm: {eps: 1}}",
      "{mlp: {type: moe, router: {score: softmax}}, attention: mla}",
      "{mlp: {type: mlp, activation: {type: xielu, a: 1}}}",
      "{attention: {bias: {q: true, o: false}, qk_norm: {type: rmsnorm, scope: head}}}", "{attention: {bias: false}}",
      "{position: {type: rope, scaling: {type: yarn, factor: 4}}}", "{position: {type: rope, scaling: {factor: 8}}}",
      "{layers: {count: 3, variants: {local: {norm: {eps: 2}}, b: {mlp: {bias: null}}}, pattern: [local, b]}}",
      "{head: {norm: false}, embedding: {norm: layernorm}}", "{head: {norm: {type: layernorm, eps: 2}}}",
    ]
    return try texts.map { text in Setting(.group([])).merging(try yaml(text)) }
  }
}
