import Checkpoints
import Components
import Files
import SharedData
import Testing

private func planned(_ tensors: [(String, [Int])]) -> [PlannedTensor] {
  tensors.map { PlannedTensor(name: TensorName($0.0), shape: $0.1, use: .matrix, initialization: .zeros) }
}

@Suite struct CheckpointMapTests {
  @Test(
    "each fixture's tensors are all covered, and saving gives its names, shapes and bytes back", .needs("fixtures"),
    arguments: fixtureMaps)
  func fixtures(_ fixture: FixtureMap) throws {
    let counts = ["attention.num_heads": 4, "attention.num_kv_heads": 2]
    let stored = try CheckpointFolder(path: SharedData.path("fixtures/\(fixture.folder)")).tensors
    let map = try CheckpointMap(Setting(json: fixture.map))
    let loaded = try map.match(fixture.tensors, with: stored) { path, _ in counts[path] }.load()
    #expect(Set(loaded.keys) == Set(fixture.tensors.map(\.name.text)))
    for tensor in fixture.tensors { #expect(loaded[tensor.name.text]?.shape == tensor.shape) }
    let saved = try map.save(fixture.tensors.compactMap { loaded[$0.name.text] }) { path, _ in counts[path] }
    let original = stored.sorted { $0.name < $1.name }
    #expect(saved.map(\.name) == original.map(\.name))
    for (saved, original) in zip(saved, original) {
      #expect(saved.shape == original.shape)
      #expect(saved.contents == original.contents, "\(saved.name)")
    }
  }

  private let small = #"""
    {"prefix": "model.", "tensors": {"emb": "embed", "/out": "head"}, "tied": {"head": "embed"},
     "layer_prefix": "l.*.", "layer": {"a": "attn.q", "b": "attn.k"}, "ignore": ["mask", "l.*.old.**"]}
    """#

  private let plan = planned([
    ("embed.weight", [2, 2]), ("layers.0.attn.q.weight", [2, 2]), ("layers.0.attn.k.weight", [1, 2]),
  ])
  private let good: [(String, [Int], Float)] = [
    ("model.emb.weight", [2, 2], 1), ("model.l.0.a.weight", [2, 2], 2), ("model.l.0.b.weight", [1, 2], 3),
  ]

  @Test("the prefix may be absent, whole or one of several spellings", arguments: ["model.", "", "old."])
  func prefix(_ prefix: String) throws {
    let map = try CheckpointMap(Setting(json: small.replacing("\"model.\"", with: "[\"model.\", \"old.\"]")))
    try withStored(good.map { ($0.0.replacing("model.", with: prefix), $0.1, $0.2) }) { stored throws in
      let loaded = try map.match(plan, with: stored).load()
      #expect(loaded["layers.0.attn.k.weight"]?.floats == [3, 3])
      let saved = try map.save(Array(loaded.values))
      #expect(saved.map(\.name) == good.map(\.0).sorted())
    }
  }

  @Test("ignored tensors are listed and not loaded")
  func ignored() throws {
    let map = try CheckpointMap(Setting(json: small))
    let extra: [(String, [Int], Float)] = [
      ("model.mask", [1], 0), ("model.l.0.mask", [1], 0), ("model.l.7.old.x.y", [1], 0), ("model.l.7.old.bias", [1], 0),
    ]
    try withStored(good + extra) { stored throws in
      let match = try map.match(plan, with: stored)
      #expect(Set(match.ignored) == Set(extra.map(\.0)))
      #expect(try match.load().count == 3)
    }
  }

  @Test("a stored copy of a tied tensor is accepted when it is the same, and refused when it differs")
  func tied() throws {
    let map = try CheckpointMap(Setting(json: small))
    try withStored(good + [("out.weight", [2, 2], 1)]) { stored throws in
      #expect(try map.match(plan, with: stored).load().count == 3)
    }
    try withStored(good + [("out.weight", [2, 2], 9)]) { stored throws in
      let match = try map.match(plan, with: stored)
      #expect(
        sentences { () throws(Problems) in _ = try match.load() } == [
          "'out.weight' is stored and differs from 'embed.weight', which it is tied to; "
            + "untie it in the model's file, or list it under 'ignore'"
        ])
    }
    let untied = planned([("embed.weight", [2, 2]), ("head.weight", [2, 2])])
    try withStored([("model.emb.weight", [2, 2], 1), ("out.weight", [2, 2], 9)]) { stored throws in
      #expect(try map.match(untied, with: stored).load()["head.weight"]?.floats == [9, 9, 9, 9])
    }
  }

  @Test("everything that does not match is said at once")
  func mismatches() throws {
    let map = try CheckpointMap(Setting(json: small))
    let plan = plan + planned([("layers.0.attn.o.weight", [2, 2]), ("head.weight", [2, 2])])
    try withStored([
      ("model.emb.weight", [3, 2], 1), ("model.l.0.aa.weight", [2, 2], 2), ("model.l.0.b.weight", [1, 2], 3),
      ("model.l.0.b.bias", [1], 3),
    ]) { stored throws in
      #expect(
        Set(sentences { () throws(Problems) in _ = try map.match(plan, with: stored) }) == [
          "'model.emb.weight' has shape [3, 2]; 'embed.weight' needs [2, 2]",
          "'layers.0.attn.q.weight' [2, 2] needs 'model.l.0.a.weight', which the checkpoint does not have; "
            + "the nearest name is 'model.l.0.aa.weight'",
          "the checkpoint's map has no rule for 'layers.0.attn.o.weight' [2, 2]",
          "'head.weight' [2, 2] needs 'out.weight', which the checkpoint does not have",
          "nothing uses 'model.l.0.aa.weight' [2, 2]; the nearest name is 'model.l.0.a.weight'",
          "'model.l.0.b.bias' [1] would be 'layers.0.attn.k.bias', which the model does not have",
        ])
    }
  }

  @Test("of two rules for one tensor the one that is stored is loaded, the later one saved, both refused")
  func alternatives() throws {
    let map = try CheckpointMap(
      Setting(
        json: #"{"tensors": {"q": "attn.q", "k": "attn.k", "qk": {"to": ["attn.q", "attn.k"], "layout": "(q|k) m"}}}"#))
    let plan = planned([("attn.q.weight", [1, 2]), ("attn.k.weight", [1, 2])])
    try withStored([("q.weight", [1, 2], 1), ("k.weight", [1, 2], 2)]) { stored throws in
      let loaded = try map.match(plan, with: stored).load()
      #expect(loaded["attn.k.weight"]?.floats == [2, 2])
      let saved = try map.save(plan.compactMap { loaded[$0.name.text] })
      #expect(saved.map(\.name) == ["qk.weight"])
      #expect(saved.first?.floats == [1, 1, 2, 2])
    }
    try withStored([("qk.weight", [2, 2], 1)]) { stored throws in
      #expect(try map.match(plan, with: stored).load().count == 2)
    }
    try withStored([("q.weight", [1, 2], 1), ("k.weight", [1, 2], 2), ("qk.weight", [2, 2], 1)]) { stored throws in
      #expect(
        sentences { () throws(Problems) in _ = try map.match(plan, with: stored) }.first
          == "'attn.q.weight' [1, 2] is stored more than once: q.weight, qk.weight")
    }
  }

  @Test("a stored tensor that joins more than the model has is refused")
  func incomplete() throws {
    let map = try CheckpointMap(
      Setting(json: #"{"tensors": {"qk": {"to": ["attn.q", "attn.k"], "layout": "(q|k) m"}}}"#))
    try withStored([("qk.weight", [2, 2], 1)]) { stored throws in
      let found = sentences { () throws(Problems) in
        _ = try map.match(planned([("attn.q.weight", [1, 2])]), with: stored)
      }
      #expect(
        found.first
          == "'attn.q.weight' [1, 2] would be in 'qk.weight', which also holds tensors that the model does not have")
    }
  }

  @Test("a type that cannot be computed with is refused by name")
  func types() throws {
    let header = #"{"emb.weight":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#
    let bytes =
      withUnsafeBytes(of: UInt64(header.utf8.count), Array.init) + Array(header.utf8) + [UInt8](repeating: 0, count: 8)
    let stored = try SafetensorsFile(MappedFile(copying: bytes, name: "f")).tensors
    let map = try CheckpointMap(Setting(json: small))
    #expect(
      sentences { () throws(Problems) in _ = try map.match(planned([("embed.weight", [1])]), with: stored) }
        == ["'emb.weight' is stored as I64, which is not computed with"])
  }

  @Test("a rule that is null is no rule")
  func deletedRules() throws {
    let map = try CheckpointMap(Setting(json: #"{"tensors": {"a": "x", "b": null, "c": "y"}}"#))
    try withStored([("a.weight", [1], 1), ("c.weight", [1], 2)]) { stored throws in
      #expect(try map.match(planned([("x.weight", [1]), ("y.weight", [1])]), with: stored).load().count == 2)
    }
  }

  @Test("tensors of different formats are not joined when saving")
  func mixedFormats() throws {
    let map = try CheckpointMap(Setting(json: #"{"tensors": {"qk": {"to": ["q", "k"], "layout": "(q|k) m"}}}"#))
    let found = try sentences {
      [tensors = [tensor("q.weight", [1, 1], [1]), tensor("k.weight", [1, 1], .f16, [0, 0])]] () throws(Problems) in
      _ = try map.save(tensors)
    }
    #expect(
      found == ["'qk.weight' joins 'q.weight' stored as f32 and 'k.weight' stored as f16; add --dtype bf16, f16 or f32"]
    )
  }

  @Test("a decay that is stored as its negative exponential is its logarithm here, and is saved as it was")
  func values() throws {
    let map = try CheckpointMap(
      Setting(json: #"{"tensors": {"a": {"to": "a_log", "exact": true, "values": "minus_exp", "layout": "out 1"}}}"#))
    let plan = planned([("a_log", [2])])
    try withStored([("a", [2, 1], -2)]) { stored throws in
      let loaded = try map.match(plan, with: stored).load()
      #expect(loaded["a_log"]?.floats.map { abs($0 - 0.693_147) < 1e-6 } == [true, true])
      let saved = try map.save(Array(loaded.values))
      #expect(saved.map(\.shape) == [[2, 1]])
      #expect(saved[0].floats.map { abs($0 + 2) < 1e-6 } == [true, true])
    }
    try withStored([("a", [2, 1], 0)]) { stored throws in
      let found = sentences { () throws(Problems) in _ = try map.match(plan, with: stored).load() }
      #expect(found == ["'a_log' holds numbers below zero, and here 0.0"])
    }
  }

  @Test("a tensor that is stored as two is made of their rows by turns, and the first may lie turned around")
  func joined() throws {
    let map = try CheckpointMap(
      Setting(
        json: #"""
          {"tensors": {"x": "x", "kv": {"to": "kv", "joins": {"k": "h in k", "v": "h v in"}}}, "axes": {"k": "keys"}}
          """#))
    let plan = planned([("x.weight", [1, 2]), ("kv.weight", [6, 2])])
    func entry(_ name: String, _ shape: [Int], from first: Int) throws -> StoredTensorEntry {
      let numbers = (0..<shape.reduce(1, *)).map { Float(first + $0) }
      let file = try MappedFile(copying: try tensor(name, shape, numbers).contents, name: name)
      return StoredTensorEntry(
        name: name, typeName: "F32", format: .f32, shape: shape, range: 0..<file.bytes.count, file: file)
    }
    // Of the first group the columns are 0, 1 and 2, 3.
    let (keys, values) = try (entry("k.weight", [2, 2, 2], from: 0), entry("v.weight", [2, 1, 2], from: 8))
    let other = try entry("x.weight", [1, 2], from: 0)
    let loaded = try map.match(plan, with: [values, keys, other]) { path, _ in path == "keys" ? 2 : nil }.load()
    #expect(loaded["kv.weight"]?.floats == [0, 2, 1, 3, 8, 9, 4, 6, 5, 7, 10, 11])
    // It is saved whole, and read so.
    let saved = try map.save(Array(loaded.values))
    #expect(saved.map(\.name) == ["kv.weight", "x.weight"])
    func problems(_ stored: [StoredTensorEntry], keys: Int? = nil) -> [String] {
      sentences { () throws(Problems) in _ = try map.match(plan, with: stored + [other]) { _, _ in keys } }
    }
    #expect(problems([keys, values], keys: 1).first == "'k.weight' [2, 2, 2] is not 'h in k' of 'kv.weight'")
    #expect(
      try problems([keys, entry("v.weight", [2, 1, 3], from: 0)]).first
        == "'v.weight' [2, 1, 3] is not 'h v in' of 'kv.weight', which is also in 'k.weight' [2, 2, 2]")
    #expect(!problems([keys]).isEmpty)
    #expect(try problems([keys, entry("v.weight", [2, 2, 2], from: 0)]).contains { $0.contains("[8, 2]") })
  }

  @Test(
    "each broken map is refused with its reason",
    arguments: [
      (#"{"tensor": {}}"#, "a checkpoint map has no key 'tensor'; did you mean 'tensors'?"),
      (#"{"layer": {"a": "b"}}"#, "'layer_prefix' is ''; expected a text with one '*' for the layer's number"),
      (#"{"tensors": []}"#, "'tensors' is a list; expected a group of names"),
      (
        #"{"tensors": {"a": ["b", "c"]}}"#,
        "the rule for 'a' names 2 tensors and no layout that joins them; a layout such as '(a|b) m' says how"
      ),
      (#"{"tensors": {"a": {"layout": "m f"}}}"#, "the rule for 'a' names no tensor under 'to'"),
      (
        #"{"tensors": {"a": {"to": "b", "lay": "m f"}}}"#,
        "a rule of a checkpoint map has no key 'lay'; its keys are to, layout, exact, beside, values and joins"
      ),
      (#"{"tensors": {"a": {"to": "b", "layout": "(q|"}}}"#, "the layout '(q|' ends where a name is expected"),
      (#"{"tensors": {"a": {"to": "b", "exact": "yes"}}}"#, "'exact' is 'yes'; expected true or false"),
      (#"{"tensors": {"a": {"to": "b", "values": "sqrt"}}}"#, "'values' is 'sqrt'; expected minus_exp"),
      (
        #"{"tensors": {"a": {"to": "b", "joins": {"c": "h in k", "d": "h v"}}}}"#,
        "'d' is joined by the axes 'h v'; expected groups, rows and 'in'; 'h v in' are h groups of v rows, and 'h in k' are groups whose columns come first"
      ),
      (
        #"{"tensors": {"a": {"to": "b", "joins": {"c": "h in k"}}}}"#,
        "'joins' is a group of keys; expected the names of at least two stored tensors, each with its axes"
      ),
      (
        #"{"tensors": {"a": {"to": ["q", "k"], "layout": "(q|v) m"}}}"#,
        "the parts of the layout '(q|v) m' are not the tensors q, k; a part is named by the last word of its tensor: q for attn.q"
      ),
      (
        #"{"tensors": {"a": "x.*.b"}}"#,
        "'a' has 0 '*', and 'x.*.b' has 1; a layout that begins with 'e' holds all experts in one tensor"
      ),
      (#"{"tensors": {"/": "b"}}"#, "a stored tensor's name is empty"),
      (#"{"prefix": {}}"#, "'prefix' is a group of keys; expected a text or a list of texts"),
      (#"{"tied": {"head": []}}"#, "'head' is a list; expected a name"),
      ("[]", "a checkpoint map is a list; expected a group of keys"),
    ])
  func refusals(_ map: String, reason: String) throws {
    let setting = try Setting(json: map)
    #expect(sentences { () throws(Problems) in _ = try CheckpointMap(setting) } == [reason])
  }
}
