import Conformance
import DyT
import StandardComponents
import Testing

@Test("dyt is conformant")
func conformant() throws {
  let kit = try ConformanceKit(
    checking: dyTComponents, documentation: dyTComponentDocumentation, among: standardComponents)
  #expect(kit.check(dyTComponents) == [])
}
