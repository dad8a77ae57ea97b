import Checkpoints
import Components
import Files
import Kernels
import Testing

@Suite struct TensorLayoutTests {
  @Test(
    "every form of the grammar is read",
    arguments: [
      ("m (q|k|v)", ["q", "k", "v"], TensorLayout.Groups.one, false, true),
      ("(q|k|v) m", ["q", "k", "v"], .one, false, false),
      ("(h (q|k|v)) m", ["q", "k", "v"], .named("h"), false, false),
      ("(kv (q|k|v)) m", ["q", "k", "v"], .named("kv"), false, false),
      ("(4 (q|v|k)) m", ["q", "v", "k"], .number(4), false, false),
      ("hd m", [], .one, false, true),
      ("in out", [], .one, false, true),
      ("out in", [], .one, false, false),
      ("e (gate|up) m", ["gate", "up"], .one, true, false),
      ("e m (gate|up)", ["gate", "up"], .one, true, true),
      ("e m (f (gate|up))", ["gate", "up"], .named("f"), true, true),
      ("e f m", [], .one, true, true),
      ("e out in", [], .one, true, false),
      ("(e f) m", [], .one, true, true),
      ("(e out) in", [], .one, true, false),
      ("(e (gate|up)) m", ["gate", "up"], .one, true, false),
      ("(h (q|k|v))", ["q", "k", "v"], .named("h"), false, false),
      ("e m", [], .one, true, false),
    ] as [(String, [String], TensorLayout.Groups, Bool, Bool)])
  func grammar(_ text: String, parts: [String], groups: TensorLayout.Groups, experts: Bool, transposed: Bool) throws {
    let layout = try TensorLayout(parsing: text)
    #expect(layout.parts == parts)
    #expect(layout.groups == groups)
    #expect(layout.hasExperts == experts)
    #expect(layout.isTransposed == transposed)
  }

  @Test(
    "each broken layout is refused with its reason",
    arguments: [
      ("", "the layout '' has 0 axes besides the experts'; a matrix has two and a vector one"),
      ("a b c", "the layout 'a b c' has 3 axes besides the experts'; a matrix has two and a vector one"),
      ("e", "the layout 'e' has 0 axes besides the experts'; a matrix has two and a vector one"),
      ("(q|k", "the layout '(q|k' ends where ')' is expected"),
      ("(q|k)) m", "the layout '(q|k)) m' has ')' where a name is expected"),
      (
        "(q) m",
        "the layout '(q) m' has parentheses around 'q'; they hold parts (a|b), groups (n (a|b)) or experts (e out)"
      ),
      ("(h (q)) m", "the layout '(h (q)) m' has one part 'q'; two or more are joined by '|'"),
      ("(q|) m", "the layout '(q|) m' has ')' where a name is expected"),
      ("(q|q) m", "the layout '(q|q) m' names the part 'q' twice"),
      ("(0 (q|k)) m", "the layout '(0 (q|k)) m' counts '0' groups"),
      (
        "(9999999999999999999 (q|k)) m",
        "the layout '(9999999999999999999 (q|k)) m' counts '9999999999999999999' groups"
      ),
      ("(q|k) (a|b)", "the layout '(q|k) (a|b)' has parts on two axes"),
      ("m (e f)", "the layout 'm (e f)' folds experts into an axis that is not the first"),
      ("m , f", "the layout 'm , f' has ',' where a name is expected"),
    ])
  func refusals(_ text: String, reason: String) {
    let problem = #expect(throws: LayoutProblem.self) { _ = try TensorLayout(parsing: text) }
    #expect(problem?.sentence == reason)
  }

  /// Loads a stored tensor holding 0, 1, 2, … by `layout`; then saves it again, which must give the same.
  private func loaded(
    _ layout: String, stored: [Int], _ targets: [(String, [Int])], counts: [String: Int] = [:],
    to: String? = nil
  ) throws -> [String: [Float]] {
    let names = to.map { [$0] } ?? targets.map(\.0)
    let rule: JSONValue = [
      "to": .array(names.map(JSONValue.string)), "layout": .string(layout), "exact": true,
    ]
    let map = try CheckpointMap(
      Setting(["tensors": ["s": rule], "axes": ["h": "h", "kv": "kv"]]))
    let planned = targets.map {
      PlannedTensor(name: TensorName($0.0), shape: $0.1, use: .matrix, initialization: .zeros)
    }
    let values = (0..<stored.reduce(1, *)).map(Float.init)
    var result: [String: [Float]] = [:]
    try withFolder { folder throws in
      try SafetensorsFile.write([tensor("s", stored, values)], to: folder + "/f")
      let file = try SafetensorsFile(path: folder + "/f")
      let match = try map.match(planned, with: file.tensors) { path, _ in counts[path] }
      let loaded = try match.load()
      result = loaded.mapValues(\.floats)
      let saved = try map.save(planned.compactMap { loaded[$0.name.text] }) { path, _ in counts[path] }
      #expect(saved.map(\.name) == ["s"])
      #expect(saved.map(\.shape) == [stored])
      #expect(saved.first?.floats == values)
    }
    return result
  }

  @Test("a concatenation gives each part its rows")
  func concatenation() throws {
    let parts = try loaded("(q|k|v) m", stored: [4, 2], [("q", [2, 2]), ("k", [1, 2]), ("v", [1, 2])])
    #expect(parts == ["q": [0, 1, 2, 3], "k": [4, 5], "v": [6, 7]])
  }

  @Test("a concatenation on the second axis is transposed")
  func transposedConcatenation() throws {
    // Stored rows: 0 1 2 3 / 4 5 6 7; columns 0, 1 are q's outputs.
    let parts = try loaded("m (q|k|v)", stored: [2, 4], [("q", [2, 2]), ("k", [1, 2]), ("v", [1, 2])])
    #expect(parts == ["q": [0, 4, 1, 5], "k": [2, 6], "v": [3, 7]])
  }

  @Test("heads are groups of rows of each part")
  func heads() throws {
    // Two heads of one row each: rows q0 k0 v0 q1 k1 v1.
    let parts = try loaded(
      "(h (q|k|v)) m", stored: [6, 2], [("q", [2, 2]), ("k", [2, 2]), ("v", [2, 2])], counts: ["h": 2])
    #expect(parts == ["q": [0, 1, 6, 7], "k": [2, 3, 8, 9], "v": [4, 5, 10, 11]])
  }

  @Test("groups of a grouped attention hold more rows of q than of k and v")
  func groupedHeads() throws {
    // Two kv groups: rows q0 q1 k0 v0 q2 q3 k1 v1.
    let parts = try loaded(
      "(kv (q|k|v)) m", stored: [8, 1], [("q", [4, 1]), ("k", [2, 1]), ("v", [2, 1])], counts: ["kv": 2])
    #expect(parts == ["q": [0, 1, 4, 5], "k": [2, 6], "v": [3, 7]])
  }

  @Test("parts are found by name, in whatever order the layout has them")
  func partOrder() throws {
    let parts = try loaded("(2 (q|v|k)) m", stored: [6, 1], [("q", [2, 1]), ("k", [2, 1]), ("v", [2, 1])])
    #expect(parts == ["q": [0, 3], "v": [1, 4], "k": [2, 5]])
  }

  @Test("a plain layout of two axes transposes")
  func transposition() throws {
    #expect(try loaded("m f", stored: [2, 3], [("up", [3, 2])]) == ["up": [0, 3, 1, 4, 2, 5]])
  }

  @Test("transposing squares larger than one tile loses nothing")
  func largeTransposition() throws {
    let up = try #require(try loaded("in out", stored: [70, 45], [("up", [45, 70])])["up"])
    for row in 0..<45 { for column in 0..<70 { #expect(up[row * 70 + column] == Float(column * 45 + row)) } }
  }

  @Test("several threads load what one loads")
  func threads() throws {
    let map = try CheckpointMap(
      Setting(json: #"{"layer_prefix": "l.*.", "layer": {"a": {"to": ["q", "k"], "layout": "m (q|k)"}}}"#))
    try withFolder { folder throws in
      try SafetensorsFile.write(
        (0..<9).map { try tensor("l.\($0).a.weight", [20, 40], (0..<800).map { Float($0) }) }, to: folder + "/f")
      let planned = (0..<9).flatMap { layer in
        ["q", "k"].map { name in
          PlannedTensor(
            name: TensorName("layers.\(layer).\(name).weight"), shape: [20, 20], use: .matrix, initialization: .zeros)
        }
      }
      let match = try map.match(planned, with: SafetensorsFile(path: folder + "/f").tensors)
      let one = try match.load()
      let many = try match.load(pool: ThreadPool(threads: 3))
      #expect(one.count == 18)
      #expect(one.mapValues(\.contents) == many.mapValues(\.contents))
    }
  }

  @Test("experts are slices of the outermost axis")
  func experts() throws {
    let targets = [("x.0.gate", [2, 1]), ("x.1.gate", [2, 1]), ("x.0.up", [2, 1]), ("x.1.up", [2, 1])]
    func load(_ layout: String, stored: [Int]) throws -> [String: [Float]] {
      try loadedExperts(layout, stored: stored, targets)
    }
    #expect(
      try load("e (gate|up) m", stored: [2, 4, 1])
        == ["x.0.gate": [0, 1], "x.0.up": [2, 3], "x.1.gate": [4, 5], "x.1.up": [6, 7]])
    #expect(
      try load("(e (gate|up)) m", stored: [8, 1])
        == ["x.0.gate": [0, 1], "x.0.up": [2, 3], "x.1.gate": [4, 5], "x.1.up": [6, 7]])
    #expect(
      try load("e m (gate|up)", stored: [2, 1, 4])
        == ["x.0.gate": [0, 1], "x.0.up": [2, 3], "x.1.gate": [4, 5], "x.1.up": [6, 7]])
    #expect(
      try load("e m (f (gate|up))", stored: [2, 1, 4])
        == ["x.0.gate": [0, 2], "x.0.up": [1, 3], "x.1.gate": [4, 6], "x.1.up": [5, 7]])
    let down = [("x.0.down", [2, 3]), ("x.1.down", [2, 3])]
    #expect(
      try loaded("e f m", stored: [2, 3, 2], down, to: "x.*.down")
        == ["x.0.down": [0, 2, 4, 1, 3, 5], "x.1.down": [6, 8, 10, 7, 9, 11]])
    #expect(
      try loaded("(e out) in", stored: [4, 3], down, to: "x.*.down")
        == ["x.0.down": [0, 1, 2, 3, 4, 5], "x.1.down": [6, 7, 8, 9, 10, 11]])
    #expect(
      try loaded("(e in) out", stored: [6, 2], down, to: "x.*.down")
        == ["x.0.down": [0, 2, 4, 1, 3, 5], "x.1.down": [6, 8, 10, 7, 9, 11]])
  }

  private func loadedExperts(
    _ layout: String, stored: [Int], _ targets: [(String, [Int])]
  ) throws -> [String: [Float]] {
    let map = try CheckpointMap(
      Setting(["tensors": ["s": ["to": ["x.*.gate", "x.*.up"], "layout": .string(layout), "exact": true]]]))
    let planned = targets.map {
      PlannedTensor(name: TensorName($0.0), shape: $0.1, use: .matrix, initialization: .zeros)
    }
    let values = (0..<stored.reduce(1, *)).map(Float.init)
    var result: [String: [Float]] = [:]
    try withFolder { folder throws in
      try SafetensorsFile.write([tensor("s", stored, values)], to: folder + "/f")
      let loaded = try map.match(planned, with: SafetensorsFile(path: folder + "/f").tensors).load()
      result = loaded.mapValues(\.floats)
      let saved = try map.save(planned.compactMap { loaded[$0.name.text] })
      #expect(saved.first?.floats == values)
      #expect(saved.first?.shape == stored)
    }
    return result
  }

  @Test("vectors of a matrix layout follow its outputs")
  func vectors() throws {
    #expect(
      try loaded("m (q|k)", stored: [3], [("q", [2]), ("k", [1])]) == ["q": [0, 1], "k": [2]])
    #expect(
      try loaded("(h (q|k)) m", stored: [4], [("q", [2]), ("k", [2])], counts: ["h": 2]) == [
        "q": [0, 2], "k": [1, 3],
      ])
    #expect(try loaded("hd m", stored: [3], [("o", [3])]) == ["o": [0, 1, 2]])
  }

  @Test("rows that lie together are views, others are copies")
  func views() throws {
    let map = try CheckpointMap(
      Setting(
        json: #"{"tensors": {"a": {"to": ["q", "k"], "layout": "(q|k) m"}, "b": {"to": "o", "layout": "in out"}}}"#))
    try withFolder { folder throws in
      try SafetensorsFile.write(
        [tensor("a.weight", [3, 2], [0, 1, 2, 3, 4, 5]), tensor("b.weight", [1, 2], [6, 7])], to: folder + "/f")
      let file = try SafetensorsFile(path: folder + "/f")
      let planned = [("q.weight", [2, 2]), ("k.weight", [1, 2]), ("o.weight", [2, 1])].map {
        PlannedTensor(name: TensorName($0.0), shape: $0.1, use: .matrix, initialization: .zeros)
      }
      let loaded = try map.match(planned, with: file.tensors).load()
      let start = UInt(bitPattern: file.file.bytes.baseAddress)
      func isView(_ name: String) -> Bool {
        guard let address = loaded[name].map({ UInt(bitPattern: $0.bytes.baseAddress) }) else { return false }
        return (start..<start + UInt(file.file.bytes.count)).contains(address)
      }
      #expect(isView("q.weight") && isView("k.weight") && !isView("o.weight"))
      #expect(loaded["k.weight"]?.floats == [4, 5])
    }
  }

  @Test("numbers at an odd address are copied to an even one")
  func alignment() throws {
    let header = #"{"a.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} "#
    #expect(header.utf8.count % 4 != 0)
    let bytes = withUnsafeBytes(of: UInt64(header.utf8.count), Array.init) + Array(header.utf8) + [0, 0, 0x80, 0x3F]
    let file = try SafetensorsFile(MappedFile(copying: bytes, name: "f"))
    let map = try CheckpointMap(Setting(json: #"{"tensors": {"a": "o"}}"#))
    let planned = [PlannedTensor(name: "o.weight", shape: [1], use: .matrix, initialization: .zeros)]
    let loaded = try #require(try map.match(planned, with: file.tensors).load()["o.weight"])
    #expect(UInt(bitPattern: loaded.bytes.baseAddress) % 4 == 0)
    #expect(loaded.floats == [1])
  }

  @Test("whole rows of a quantised tensor are taken, anything else is refused")
  func quantised() throws {
    var gguf = GGUFBytes()
    gguf.tensor("a.weight", [32, 4], 8, offset: 0)
    gguf.data = (0..<136).map(UInt8.init)
    let file = try GGUFFile(MappedFile(copying: gguf.bytes, name: "f"))
    func load(_ layout: String, _ shape: [Int]) throws -> [String: StoredTensor] {
      let map = try CheckpointMap(
        Setting(["tensors": ["a": ["to": ["q", "k"], "layout": .string(layout)]], "axes": ["h": "h"]]))
      let planned = ["q.weight", "k.weight"].map {
        PlannedTensor(name: TensorName($0), shape: shape, use: .matrix, initialization: .zeros)
      }
      return try map.match(planned, with: file.tensors) { _, _ in 2 }.load()
    }
    let rows = try load("(h (q|k)) m", [2, 32])
    #expect(rows["q.weight"]?.contents == (0..<34).map(UInt8.init) + (68..<102).map(UInt8.init))
    #expect(rows["k.weight"]?.contents == (34..<68).map(UInt8.init) + (102..<136).map(UInt8.init))
    let problems = #expect(throws: Problems.self) { _ = try load("m (q|k)", [16, 4]) }
    #expect(
      problems?.list.first?.sentence
        == "'q.weight' is stored as q8_0 in blocks of 32; only whole rows of it can be taken or joined (in 'a.weight')")
  }

  @Test(
    "a layout that does not fit its shapes is refused with its reason",
    arguments: [
      ("(h (q|k)) m", [3, 2], [3, 2], "the layout '(h (q|k)) m' divides the 3 rows of 'q' into 2 groups"),
      (
        "(g (q|k)) m", [2, 2], [2, 2],
        "the layout '(g (q|k)) m' counts 'g', and nothing says how many that are; name it under 'axes'"
      ),
      (
        "(q|k) m", [2, 2], [2, 3],
        "the layout '(q|k) m' needs parts with as many inputs each; found shapes [[2, 2], [2, 3]]"
      ),
      ("(q|k) m", [2, 2], [2], "the layout '(q|k) m' is not one for shapes [[2, 2], [2]]"),
      ("(q|k)", [2, 2], [2, 2], "the layout '(q|k)' is not one for shapes [[2, 2], [2, 2]]"),
      (
        "(q|k) m", [1 << 62, 2], [1 << 62, 2],
        "the layout '(q|k) m' is not one for shapes [[4611686018427387904, 2], [4611686018427387904, 2]]"
      ),
    ])
  func misfits(_ layout: String, q: [Int], k: [Int], reason: String) throws {
    let layout = try TensorLayout(parsing: layout)
    let problem = #expect(throws: LayoutProblem.self) {
      _ = try LayoutBinding(layout, targets: [[q], [k]]) { $0 == "h" ? 2 : nil }
    }
    #expect(problem?.sentence == reason)
  }
}
