import Conformance
import XPos
import StandardComponents
import Testing

@Test("xpos is conformant")
func conformant() throws {
  let kit = try ConformanceKit(
    checking: xPosComponents, documentation: xPosComponentDocumentation, among: standardComponents)
  #expect(kit.check(xPosComponents) == [])
}
