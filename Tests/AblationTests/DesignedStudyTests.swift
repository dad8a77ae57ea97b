import Ablation
import Foundation
import Specification
import TestSupport
import Testing

/// Grids, fractions and paths, from a study's file to its report.
@Suite("designed studies") struct DesignedStudyTests {
  private static let beginning = """
    ablation: q
    base: gpt2-mini
    data: text.txt
    hold: none

    """
  private static let changes = """
    arms:
      rope: {position: {type: rope, theta: 10000}}
      rms: {norm: {type: rmsnorm, eps: 1.0e-5}}
      relu: {mlp: {activation: relu}}
      unbiased: {mlp: {bias: false}}
      untied: {head: {tied: false}}

    """

  private static func report(_ text: String) throws -> StudyReport {
    let plan = try Studies.plan(text)
    return StudyReport(plan) { task in
      try? FakeTrainer().train(plan.arms[task.arm], of: plan.study, seed: task.runSeed, contexts: [], in: "") { _ in
        true
      }
    }
  }

  @Test("a grid has main effects and interactions, and the value that is the base's is their reference") func grid()
    throws
  {
    let report = try Self.report(
      Self.beginning + "combine: grid\nvary: {norm.type: [rmsnorm, layernorm], block.placement: [post, pre]}\n")
    #expect(report.plan.arms.count == 4 && report.plan.baseline.coordinates == [1, 1])
    #expect(
      report.effects.map(\.contrast.name) == [
        "norm.type=rmsnorm", "block.placement=post", "norm.type=rmsnorm × block.placement=post",
      ])
    for text in [report.markdown, report.page] { #expect(text.contains("Main effects and interactions")) }
    #expect(report.json["effects"]?.array?.count == 3)
    #expect(
      report.notes.contains { $0.contains("corrected by Holm for 6 comparisons") }, "three arms and three effects")
  }

  @Test("what all varied keys begin with is left out of names") func labels() throws {
    let plan = try Studies.plan(
      Self.beginning + "combine: grid\nvary: {mlp.activation: [gelu_tanh, relu], mlp.bias: [true, false]}\n")
    #expect(
      plan.arms.map(\.name).sorted() == [
        "activation=gelu_tanh, bias=false", "activation=gelu_tanh, bias=true", "activation=relu, bias=false",
        "activation=relu, bias=true",
      ])
    #expect(plan.contrasts.map(\.name) == ["activation=relu", "bias=false", "activation=relu × bias=false"])
    let same = try Studies.plan(
      Self.beginning + "combine: grid\nvary: {mlp.activation: [gelu_tanh, relu], mlp: [{bias: false}, {bias: true}]}\n")
    #expect(same.arms.allSatisfy { $0.name.contains("mlp.activation=") }, "\(same.arms.map(\.name))")
  }

  @Test("a factor's values may be changes by name, of several keys, with settings of their own")
  func namedChanges() throws {
    let report = try Self.report(
      Self.beginning
        + """
        combine: grid
        vary:
          norm.type: [layernorm, rmsnorm]
          form:
            own: {}
            gated: {mlp: {gated: true, activation: silu}, head: {tied: false}, train: {batch: 3}}

        """)
    let plan = report.plan
    #expect(plan.baseline.name == "norm.type=layernorm, form=own" && plan.baseline.coordinates == [0, 0])
    #expect(
      plan.arms.dropFirst().map(\.name) == [
        "norm.type=layernorm, form=gated", "norm.type=rmsnorm, form=own", "norm.type=rmsnorm, form=gated",
      ])
    #expect(
      plan.contrasts.map(\.name) == ["norm.type=rmsnorm", "form=gated", "norm.type=rmsnorm × form=gated"])
    let both = plan.arms[3]
    #expect(both.patch[path: "head.tied"]?.flag == false && both.patch[path: "norm.type"]?.text == "rmsnorm")
    #expect(both.trainingPatch["batch"]?.integer == 3 && plan.arms[2].trainingPatch["batch"] == nil)
    // One by one, and as the changes of a fraction.
    let each = try Studies.plan(Self.beginning + "vary: {form: {own: {}, relu: {mlp: {activation: relu}}}}\n")
    #expect(each.arms.map(\.name) == ["own", "relu"] && each.arms[0].isBaseline)
    let fraction = try Studies.plan(
      Self.beginning
        + "combine: fractional\nvary: {norm.type: [layernorm, rmsnorm], form: {own: {}, b: {mlp: {bias: false}}}}\n")
    #expect(fraction.arms.count == 4)
  }

  @Test("five changes in eight models, whose names say what they have, and what cannot be told apart is said")
  func fraction() throws {
    let report = try Self.report(Self.beginning + "combine: fractional\n" + Self.changes)
    #expect(report.plan.arms.count == 8 && report.plan.baseline.name == "baseline")
    #expect(
      report.effects.filter { $0.contrast.kind == .main }.map(\.contrast.name) == [
        "rope", "rms", "relu", "unbiased", "untied",
      ])
    #expect(
      report.plan.arms.dropFirst().allSatisfy { $0.name.contains(" + ") || $0.name.contains("all") },
      "\(report.plan.arms.map(\.name))")
    #expect(report.notes.contains { $0.contains("cannot be told from that of") })
    #expect(report.markdown.contains("a fraction of resolution III"))
    let whole = try Studies.plan(Self.beginning + "combine: {type: fractional, runs: 32}\n" + Self.changes)
    #expect(whole.arms.count == 32 && whole.study.design.aliases.isEmpty)
  }

  @Test("a path over all orders: the shares add up to the difference of its ends") func path() throws {
    let report = try Self.report(Self.beginning + "combine: path\n" + Self.changes)
    #expect(report.plan.arms.count == 32)
    let last = try #require(report.rows.first { $0.arm.name == "all" }?.comparison?.difference.mean)
    let shares = report.effects.filter { $0.contrast.kind == .shapley }.compactMap(\.comparison.difference.mean)
    #expect(shares.count == 5 && abs(shares.reduce(0, +) - last) < 1e-12)
    #expect(report.markdown.contains("Shapley"))
    #expect(report.effects.last?.contrast.kind == .whole && report.effects.last?.comparison.difference.mean == last)
    #expect(report.statistics.tests.contrasts == 6)
    #expect(report.notes.contains { $0.contains("comparisons, of which the 6 that the design was made for") })
    #expect(report.headline.hasPrefix("What each change contributes: ") && report.headline.contains("Of 31 models"))
    let some = try Studies.plan(Self.beginning + "combine: {type: path, orders: 4}\n" + Self.changes)
    #expect(some.arms.count < 20 && some.contrasts.count == 6)
  }

  @Test("two values each may be varied in a fraction") func varied() throws {
    let plan = try Studies.plan(
      Self.beginning
        + "combine: fractional\nvary: {norm.type: [layernorm, rmsnorm], block.placement: [pre, post], mlp.activation: [gelu_tanh, relu]}\n"
    )
    #expect(plan.arms.count == 4 && plan.contrasts.map(\.name) == ["norm.type", "block.placement", "mlp.activation"])
  }

  @Test("names that are cut stay apart") func longNames() throws {
    let values = (0..<3).map { "{type: formula, formula: 'max(x, 0) * \($0 + 1).123456789 + 0 * x * x * x * x * x'}" }
    let plan = try Studies.plan(
      Self.beginning
        + "combine: grid\nvary: {mlp.activation: [\(values.joined(separator: ", "))], norm.type: [layernorm, rmsnorm]}\n"
    )
    #expect(Set(plan.arms.map(\.name)).count == plan.arms.count)
  }

  // MARK: Refusals

  @Test(
    "what cannot be is a sentence with its place",
    arguments: [
      ("combine: sideways", "'combine' takes each, grid, fractional, path, not 'sideways'"),
      ("combine: [each]", "'combine' takes each, grid"),
      ("combine: {type: fractional, runs: 12}", "a fraction of 5 changes has 8, 16, 32 runs, not 12"),
      ("combine: {type: fractional, runs: 4}", "a fraction of 5 changes has 8, 16, 32 runs, not 4"),
      ("combine: {type: fractional, runs: 64}", "a fraction of 5 changes has 8, 16, 32 runs, not 64"),
      ("combine: {type: fractional, orders: 3}", "'orders' is not a key"),
      ("combine: {type: path, orders: 1}", "'orders' takes how many orders are averaged over, from 2 to 200, not 1"),
      ("combine: {type: path, runs: 8}", "'runs' is not a key"),
      ("combine: path\nvary: {norm: [layernorm, rmsnorm]}", "combines the arms or what is varied, not both"),
      ("seeds: {from: 2, to: 9}", "seeds that are added go from at least 3 to more"),
      ("seeds: {from: 5, to: 5}", "seeds that are added go from at least 3 to more"),
      ("seeds: {from: 3, upto: 5}", "'upto' is not a key"),
      ("seeds: {from: 3, to: 9}\ncombine: path", "seeds are added for one change at a time"),
      ("seeds: {from: 3, to: 9}\ntune: auto", "do not go together"),
      ("tune: lr", "'tune' takes auto, or a setting with factors, not 'lr'"),
      ("tune: {lr: [0.5, 1]}", "a factor is x and a number above 0, as x0.5, x½ or ×2, not '0.5'"),
      ("tune: {lr: [x0, x1]}", "not 'x0'"), ("tune: {lr: [x-2, x1]}", "not 'x-2'"),
      ("tune: {lr: [xnan]}", "not 'xnan'"),
      ("tune: {lr: [x1e9]}", "not 'x1e9'"), ("tune: {lr: [x1]}", "one factor leaves nothing to tune"),
      ("tune: {lr: []}", "takes auto or a list of factors"), ("tune: {steps: [x2]}", "'steps' is not a key"),
      ("tune: {lr: auto, clip: auto}", "one setting can be tuned, and 'clip' is a second"),
      ("tune: {clip: auto}", "has no clip above 0 to tune"),
      ("tune: auto\ntrain: {lr: 0}", "has no lr above 0 to tune"),
    ])
  func refused(_ lines: String, _ sentence: String) {
    let message = Studies.message(Self.beginning + lines + "\n" + Self.changes)
    #expect(message.contains(sentence) && message.contains("study.yaml:"), "\(message)")
  }

  @Test(
    "too many changes, and too few, are refused",
    arguments: [(1, "fractional"), (16, "fractional"), (16, "path"), (1, "path")])
  func counts(_ count: Int, _ word: String) {
    let arms = (0..<count).map { "  a\($0): {mlp: {intermediate_size: \(64 + $0)}}\n" }.joined()
    let message = Studies.message(Self.beginning + "combine: \(word)\narms:\n" + arms)
    #expect(message.contains("takes from 2 to 15 changes, and there are \(count)"), "\(message)")
  }

  @Test(
    "factors are written in several ways", arguments: ["[x½, ×1, x2]", "[×0.5, x2]", "[x1/2, x2]", "auto", "[x2, x½]"])
  func factors(_ text: String) throws {
    let study = try Studies.read(Self.beginning + "tune: {lr: \(text)}\n" + Self.changes)
    #expect(study.tuning?.factors == [0.5, 1, 2])
  }
}
