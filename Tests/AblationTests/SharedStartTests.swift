import Ablation
import Execution
import Testing

@Suite("what arms share") struct SharedStartTests {
  @Test("tensors that arms share start from the same numbers, and differ between seeds") func start() throws {
    let plan = try Studies.plan(
      """
      ablation: q
      base: gpt2-mini
      data: text.txt
      arms: {rope: {position: rope}, gated: {mlp: {gated: true, activation: silu, intermediate_size: 341}}}
      """)
    let base = plan.baseline.plan
    let numbers = try Parameters(base, seed: 1)
    for arm in plan.arms.dropFirst() {
      let own = try Parameters(arm.plan, seed: 1)
      var shared = 0
      for (index, tensor) in arm.plan.parameters.enumerated() {
        guard let place = base.parameters.firstIndex(where: { $0.name == tensor.name && $0.shape == tensor.shape })
        else { continue }
        shared += 1
        #expect(own.values(index) == numbers.values(place), "\(arm.name): \(tensor.name)")
      }
      #expect(shared > base.parameters.count / 2)
    }
    #expect(try Parameters(base, seed: 2).values(0) != numbers.values(0))
  }
}
