import Ablation
import Components
import Testing

@Suite("planning a study") struct StudyPlannerTests {
  /// The file of the taxonomy, §5.5.
  static let components = """
    ablation: gpt2-components
    base: gpt2
    hold: {params: 1%, tokens: 50000000, data_order: same}
    seeds: [1, 2, 3]
    data: text.txt
    arms:
      rope:     {position: {type: rope, theta: 10000}}
      alibi:    {position: {type: alibi}}
      nope:     {position: {type: none}}
      rmsnorm:  {norm: {type: rmsnorm, eps: 1.0e-5}}
      swiglu:   {mlp: {gated: true, activation: silu, intermediate_size: match_params}}
      gqa-4:    {attention: {num_kv_heads: 4}}
      no-bias:  {attention: {bias: false}, mlp: {bias: false}}
      parallel: {block: {parallel: true, shared_norm: true}}
      untied:   {head: {tied: false}}
    """

  @Test("the arms of the taxonomy's study have exactly its parameters, and say which are matched")
  func taxonomy() throws {
    let plan = try Studies.plan(Self.components)
    let deltas = Dictionary(
      uniqueKeysWithValues: plan.arms.map { ($0.name, $0.parameterCount - plan.baseline.parameterCount) })
    #expect(
      deltas == [
        "baseline": 0, "rope": -786_432, "alibi": -786_432, "nope": -786_432, "rmsnorm": -19_200, "swiglu": 12_288,
        "gqa-4": -9_449_472, "no-bias": -82_944, "parallel": -18_432, "untied": 38_597_376,
      ])
    #expect(plan.arms.filter { !$0.isMatched }.map(\.name) == ["gqa-4", "untied"])
    let swiglu = try #require(plan.arms.first { $0.name == "swiglu" })
    #expect(swiglu.sizing == .init(path: "mlp.intermediate_size", width: 2048))
    #expect(abs(swiglu.mismatch - 12_288.0 / 124_439_808) < 1e-15)
    #expect(plan.tasks.count == 30)
    #expect(plan.tasks.prefix(10).map(\.arm) == Array(0..<10), "all arms of one seed first")
  }

  @Test("with a width to size by, every arm outside the tolerance is sized")
  func sizedBy() throws {
    let text = Self.components.replacing(
      "params: 1%", with: "params: 0.1%, by: mlp.intermediate_size")
    let plan = try Studies.plan(text)
    #expect(plan.arms.allSatisfy { $0.isMatched && abs($0.mismatch) <= 0.001 })
    #expect(plan.arms.first { $0.name == "rmsnorm" }?.sizing == nil, "it is near enough as it is")
    #expect(plan.arms.first { $0.name == "gqa-4" }?.sizing?.width ?? 0 > 3072)
    #expect(plan.arms.first { $0.name == "untied" }?.sizing?.width ?? 9999 < 3072)
  }

  @Test("operations can be held instead of parameters") func flops() throws {
    let plan = try Studies.plan(
      """
      ablation: q
      base: gpt2-mini
      data: text.txt
      hold: {flops: 1%}
      arms:
        untied: {head: {tied: false}}
        gated: {mlp: {gated: true, activation: silu, intermediate_size: {match: flops, multiple_of: 8}}}
      """)
    #expect(plan.arms[1].mismatch == 0, "an untied head computes nothing more")
    #expect(plan.arms[1].parameterCount > plan.baseline.parameterCount)
    let width = try #require(plan.arms[2].sizing?.width)
    #expect(width % 8 == 0 && plan.arms[2].isMatched)
    #expect(width == 344, "two thirds of 512, to the next multiple of 8")
  }

  @Test("widths that do not compose are passed over") func gaps() throws {
    let plan = try Studies.plan(
      """
      ablation: q
      base: gpt2-mini
      data: text.txt
      hold: {params: 5%}
      arms:
        shallow: {layers: {count: 2}, hidden_size: match_params}
      """)
    let width = try #require(plan.arms[1].sizing?.width)
    #expect(width % 4 == 0 && (170...190).contains(width), "four heads divide it: \(width)")
  }

  @Test("a value that is the base's own is the baseline, under its own name") func ownValue() throws {
    let plan = try Studies.plan(
      """
      ablation: q
      base: gpt2-mini
      data: text.txt
      seeds: 2
      vary: {position: [learned, rope, none]}
      """)
    #expect(plan.arms.map(\.name) == ["learned", "rope", "none"])
    #expect(plan.arms.map(\.isBaseline) == [true, false, false])
    #expect(plan.tasks.count == 6)
  }

  @Test("a grid has every value of one key with every value of the others") func grid() throws {
    let plan = try Studies.plan(
      """
      ablation: q
      base: gpt2-mini
      data: text.txt
      combine: grid
      vary: {norm.type: [layernorm, rmsnorm], block.placement: [pre, post, output]}
      """)
    #expect(plan.arms.count == 6)
    #expect(plan.baseline.name == "norm.type=layernorm, block.placement=pre")
    #expect(plan.arms.map(\.name).contains("norm.type=rmsnorm, block.placement=post"))
  }

  @Test("keys of results are decided by what is computed, not by names, and by all of it") func keys() throws {
    func keys(_ changes: [String: String] = [:]) throws -> [String] {
      var text = """
        ablation: q
        base: gpt2-mini
        data: text.txt
        seeds: 1
        contexts: [2x]
        train: {lr: 0.001}
        arms: {a: {norm: rmsnorm}, b: {norm: {type: rmsnorm}}, again: {}}
        """
      for (old, new) in changes { text = text.replacing(old, with: new) }
      return try Studies.plan(text).tasks.map(\.key)
    }
    let first = try keys()
    #expect(Set(first).count == 2, "two arms that compose the same share a result, and so do two that are the base")
    #expect(try keys(["ablation: q": "ablation: other", "a: {": "c: {"]) == first)
    for (old, new) in [
      ("seeds: 1", "seeds: [2]"), ("lr: 0.001", "lr: 0.002"), ("text.txt", "other.txt"), ("2x", "4x"),
      ("gpt2-mini", "llama-mini"),
    ] {
      #expect(Set(try keys([old: new])).isDisjoint(with: first), "\(new)")
    }
    let own = try keys(["seeds: 1": "seeds: 1\nhold: {data_order: own}"])
    #expect(Set(own).count == 4, "with orders of their own, even equal arms run by themselves")
  }

  // MARK: What is refused

  /// A study that is right, with one line replaced.
  static func broken(_ old: String, _ new: String) -> String {
    """
    ablation: q
    base: gpt2-mini
    data: text.txt
    seeds: 3
    hold: {params: 1%}
    arms:
      a: {norm: rmsnorm}
      b: {mlp: {gated: true, activation: silu}}

    """.replacing(old, with: new)
  }

  static let refused: [(old: String, new: String, words: [String])] = [
    ("seeds: 3", "seeds: 0", ["4:8", "from 1 to 1000"]),
    ("seeds: 3", "seeds: [1, 1]", ["4:12", "there already"]),
    ("seeds: 3", "seed: 3", ["4:1", "'seed' is not a key of a study", "did you mean 'seeds'?"]),
    ("data: text.txt", "", ["there is no data to train on"]),
    ("data: text.txt", "data: missing.txt", ["3:7", "there is no file 'missing.txt'"]),
    ("gpt2-mini", "gpt2-minni", ["2:7", "no model is named 'gpt2-minni'", "did you mean 'gpt2-mini'?"]),
    ("norm: rmsnorm", "nrom: rmsnorm", ["7:7", "'nrom' is not a key of a specification", "did you mean 'norm'?"]),
    ("norm: rmsnorm", "norm: rms_norm", ["7:13", "'rms_norm'", "did you mean 'rmsnorm'?"]),
    ("  b: {mlp", "  a: {mlp", ["8:3", "a second time"]),
    ("  b: {mlp", "  baseline: {mlp", ["8:3", "the name of the base"]),
    ("  b: {mlp: {gated: true, activation: silu}}", "  b: rope", ["8:6", "takes a group of changes"]),
    ("1%", "101%", ["5:16", "how far an arm may be off"]),
    ("{params: 1%}", "{parms: 1%}", ["5:8", "'parms'", "did you mean 'params'?"]),
    ("{params: 1%}", "parms", ["5:7", "'parms'", "did you mean 'params'?"]),
    ("{params: 1%}", "{params: 1%, flops: 1%}", ["not both"]),
    ("{params: 1%}", "{by: mlp.intermediate_size}", ["neither params nor flops is held"]),
    ("silu}", "silu, intermediate_size: {match: parms}}", ["8:71", "'match' takes params or flops"]),
    ("silu}", "silu, intermediate_size: {match: params, multiple_off: 8}}", ["multiple_off"]),
    ("silu}", "silu, intermediate_size: match_params}, hidden_size: match_params", ["8:91", "a second"]),
    (
      "silu}", "silu, intermediate_size: {match: params, multiple_of: 512}}",
      [
        "8:63", "no width of 'mlp.intermediate_size' brings the arm 'b' within 1 %", "baseline's 834,304 parameters",
        "the nearest is 512, with 1,098,496 (+31.7 %)",
      ]
    ),
    ("seeds: 3", "train: {lr: 1, bacth: 2}", ["4:16", "'bacth' is not a key of 'train'"]),
    ("seeds: 3", "contexts: [2x, many]", ["4:16", "a context is a number of tokens"]),
    ("seeds: 3", "combine: gird", ["4:10", "takes each, grid, fractional, path, not 'gird'", "did you mean 'grid'?"]),
    ("seeds: 3", "vary: {norm: rmsnorm}", ["4:14", "takes a list of values to try, or changes by name"]),
    ("seeds: 3", "vary: {norm: {type: rmsnorm}}", ["4:21", "takes a group of changes"]),
    ("seeds: 3", "vary: {norm: {}}", ["4:14", "takes a list of values to try, or changes by name"]),
    ("seeds: 3", "vary: {form: {a1: {}, baseline: {}}}", ["4:23", "the name of the base"]),
    ("seeds: 3", "vary: {norm: [rmsnorm, rmsnorm, rmsnorm]}", ["4:24", "an arm is named 'rmsnorm' already at 4:15"]),
  ]

  @Test("a bad study is refused with its place and the reason", arguments: refused.indices)
  func refuses(_ index: Int) {
    let (old, new, words) = Self.refused[index]
    let message = Studies.message(Self.broken(old, new))
    for word in words { #expect(message.contains(word), "\(message)") }
  }

  @Test("everything wrong is listed at once") func allAtOnce() {
    let message = Studies.message(
      Self.broken("norm: rmsnorm", "nrom: rmsnorm").replacing("activation: silu", with: "activation: silo"))
    #expect(message.contains("study.yaml:7:7: error") && message.contains("study.yaml:8:"), "\(message)")
  }

  @Test("the study that the broken ones are made of is right") func good() {
    #expect(Studies.message(Self.broken("", "")) == "no problem")
  }
}
