import Settings
import Plans
import Testing

/// A source of rows, and a scale: operators without kernels, for plans that nobody runs.
struct Source: Operator {
  let name = "source"
  let width: Int
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
    [ValueShape(width: width, axis: .tokens)]
  }
  func flops(step: Step, context: Int) -> Int { 0 }
}

struct Factor: Operator {
  let name = "factor"
  let factor: Float
  var isBroken = false
  var attributes: [Attribute] { [Attribute("factor", factor)] }
  var traits: OperatorTraits { OperatorTraits(isRowwise: true, overwritableInput: isBroken ? 3 : 0) }
  func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
}

@Suite("plans")
struct PlanRuleTests {
  private func plan(_ factors: [Float], broken: Bool = false) throws -> Plan {
    var builder = PlanBuilder(shape: ModelShape(vocabSize: 8, contextLength: 4, hiddenSize: 8, layerCount: 1))
    var x = builder.apply(Source(width: 8), to: [])[0]
    for factor in factors {
      x = builder.layer(0) { $0.apply(Factor(factor: factor, isBroken: broken), to: x) }
    }
    return try builder.finish(name: "test", logits: x)
  }

  @Test("one that a builder finished keeps the rules")
  func whole() throws { #expect(try plan([1, 2]).verify().isEmpty) }

  @Test("an operator that speaks of an input which is not there finishes no plan")
  func traits() throws {
    let problems = try #require(throws: Problems.self) { try plan([1], broken: true) }
    #expect(problems.list[0].sentence.contains("speaks of input 3 of 1"))
  }

  @Test("a value read before it is written, written twice, or taken for another shape is told")
  func order() throws {
    let plan = try plan([1, 2])
    let swapped = plan.rewritten(steps: [plan.steps[0], plan.steps[2], plan.steps[1]])
    #expect(swapped.verify().contains { $0.contains("reads value 1 before it is written") })
    let twice = plan.rewritten(steps: plan.steps + [plan.steps[2]])
    #expect(twice.verify().contains { $0.contains("writes value 2 a second time") })
    let wide = plan.steps[1].with(outputs: [Value(index: 1, width: 4, axis: .tokens)])
    let reshaped = plan.rewritten(steps: [plan.steps[0], wide, plan.steps[2]])
    #expect(!reshaped.verify().isEmpty)
    #expect(plan.rewritten(steps: Array(plan.steps.dropLast())).verify() == ["nothing writes the logits"])
  }

  @Test("two that differ in one attribute are unequal, and the attribute is named")
  func difference() throws {
    let (a, b) = (try plan([1, 2]), try plan([1, 4]))
    #expect(a == a && a != b)
    #expect(a.difference(from: a) == nil)
    #expect(a.difference(from: b) == .init(own: "factor in layers.0: factor 2", other: "factor in layers.0: factor 4"))
  }

  @Test("a step more at the end is a difference, in either direction")
  func longer() throws {
    let (a, b) = (try plan([1]), try plan([1, 2]))
    #expect(a.difference(from: b) == .init(own: "nothing", other: "factor in layers.0"))
    #expect(b.difference(from: a) == .init(own: "factor in layers.0", other: "nothing"))
  }

  @Test("listings leave out what is plain, and equality does not")
  func plain() {
    let (a, b) = (Attribute("window", Int?.none), Attribute("window", 8))
    #expect([a, b].listing == "window 8" && a != b)
    #expect(Attribute("bias", true, plain: true) == Attribute("bias", true))
    #expect(
      [Attribute("eps", Float(1e-5)), Attribute("tied", true), Attribute("bias", false)].listing
        == "eps 1e-05, tied, no bias")
    #expect(
      [Attribute("scaling", Attribute.Value.group("yarn", [Attribute("factor", 4.0)]))].listing
        == "scaling yarn (factor 4)")
  }
}
