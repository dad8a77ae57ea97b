import Composition
import Describing
import Testing

@Suite("the sections of a plan")
struct PlanSectionsTests {
  @Test("what layers share stands before them, though the first of them writes it")
  func shared() throws {
    let sections = PlanSections(try ZooModels().sheet("llama-2-7b").plan).sections
    #expect(sections.count == 3)
    #expect(sections[0].steps.map(\.operation.name) == ["lookup", "rope angles"])
    #expect(sections[1].layers == Array(0..<32))
    #expect(sections[2].steps.map(\.operation.name) == ["select rows", "rmsnorm", "linear"])
  }

  @Test("every step of every model is in one section, and every parameter is counted once", arguments: ZooModels.names)
  func complete(_ name: String) throws {
    let plan = try ZooModels().sheet(name).plan
    let sections = PlanSections(plan).sections
    #expect(sections.reduce(0) { $0 + $1.steps.count * max(1, $1.layers.count) } == plan.steps.count)
    #expect(
      sections.reduce(0) { $0 + $1.parameterCount * max(1, $1.layers.count) + $1.sharedCount } == plan.parameterCount)
  }
}
