import Checkpoints
import Components
import Testing

/// Planned tensors that stand for several, which a checkpoint names one by one.
@Suite struct SeveralTensorsTests {
  static let plan = [
    PlannedTensor(
      name: "layers.0.moe.experts.*.up.weight", shape: [3, 1, 2], initialization: .zeros, chosen: 2)
  ]

  @Test("a planned tensor of several is each of them by its number")
  func members() {
    let tensor = Self.plan[0]
    #expect(tensor.members.map(\.name.text) == (0..<3).map { "layers.0.moe.experts.\($0).up.weight" })
    #expect(tensor.members.allSatisfy { $0.shape == [1, 2] && $0.chosen == nil })
    #expect(tensor.count == 6)
    #expect(tensor.activeCount == 4)
  }

  @Test("several may be stored each by itself or all in one, outermost, transposed or folded into the rows")
  func stored() throws {
    let forms: [(rule: String, tensors: [(String, [Int], Float)])] = [
      (#""e.*.u": "moe.experts.*.up""#, (0..<3).map { ("l.0.e.\($0).u.weight", [1, 2], Float($0)) }),
      (#""u": {"to": "moe.experts.*.up", "layout": "e out in"}"#, [("l.0.u.weight", [3, 1, 2], 5)]),
      (#""u": {"to": "moe.experts.*.up", "layout": "e m f"}"#, [("l.0.u.weight", [3, 2, 1], 5)]),
      (#""u": {"to": "moe.experts.*.up.weight", "layout": "(e out) in", "exact": true}"#, [("l.0.u", [3, 2], 5)]),
    ]
    for (rule, tensors) in forms {
      let map = try CheckpointMap(Setting(json: #"{"layer_prefix": "l.*.", "layer": {\#(rule)}}"#))
      try withStored(tensors) { stored throws in
        let loaded = try map.match(Self.plan, with: stored).load()
        #expect(Set(loaded.keys) == Set(Self.plan[0].members.map(\.name.text)))
        #expect(loaded["layers.0.moe.experts.2.up.weight"]?.floats == Array(repeating: tensors.last?.2 ?? 0, count: 2))
        let saved = try map.save(Self.plan[0].members.compactMap { loaded[$0.name.text] })
        #expect(saved.map(\.name) == tensors.map(\.0))
        #expect(saved.map(\.shape) == tensors.map(\.1))
      }
    }
  }

  @Test("one that is missing among several is named")
  func missing() throws {
    let map = try CheckpointMap(Setting(json: #"{"layer_prefix": "l.*.", "layer": {"e.*.u": "moe.experts.*.up"}}"#))
    try withStored([("l.0.e.0.u.weight", [1, 2], 0), ("l.0.e.2.u.weight", [1, 2], 0)]) { stored throws in
      let said = sentences { () throws(Problems) in _ = try map.match(Self.plan, with: stored) }
      #expect(said.count == 1)
      #expect(said[0].contains("'layers.0.moe.experts.1.up.weight' [1, 2] needs 'l.0.e.1.u.weight'"))
    }
  }

  @Test("an axis of length one may be left out of what is stored")
  func axesOfOne() throws {
    let map = try CheckpointMap(Setting(json: #"{"tensors": {"g": "gate"}}"#))
    let plan = [PlannedTensor(name: "gate.weight", shape: [1, 2], initialization: .zeros)]
    try withStored([("g.weight", [2], 4)]) { stored throws in
      let loaded = try map.match(plan, with: stored).load()
      #expect(loaded["gate.weight"]?.shape == [1, 2])
      #expect(loaded["gate.weight"]?.floats == [4, 4])
    }
  }
}
