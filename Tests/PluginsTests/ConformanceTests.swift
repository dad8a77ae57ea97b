import Components
import Conformance
import TestSupport
import Testing

@Suite("every component, without being named")
struct ConformanceTests {
  @Test("is tried with some options at least")
  func tried() {
    for component in Standard.components {
      #expect(
        Standard.cases.contains { $0.component.slot == component.slot && $0.component.name == component.name },
        "\(component.name)")
    }
  }

  @Test(
    "says what it is, gives an equation and cites a source",
    arguments: Standard.components.map { "\($0.slot) \($0.name)" })
  func documented(_ name: String) throws {
    let component = try #require(Standard.components.first { "\($0.slot) \($0.name)" == name })
    #expect(Standard.kit.documentationFaults(of: component) == [])
  }

  @Test("is conformant, whatever it is set to", arguments: Standard.cases)
  func conformant(_ sample: ConformanceCase) {
    #expect(Standard.kit.check(sample) == [])
  }
}
