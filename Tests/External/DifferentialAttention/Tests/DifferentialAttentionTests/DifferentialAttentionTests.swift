import Conformance
import DifferentialAttention
import StandardComponents
import Testing

@Test("differential_attention is conformant")
func conformant() throws {
  let kit = try ConformanceKit(
    checking: differentialAttentionComponents, documentation: differentialAttentionComponentDocumentation,
    among: standardComponents)
  #expect(kit.check(differentialAttentionComponents) == [])
}
