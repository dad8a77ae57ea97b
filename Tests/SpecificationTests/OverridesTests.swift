import Components
import Specification
import Testing

@Suite("Changes from the command line")
struct OverridesTests {
  private func merged(_ changes: [String]) throws -> String {
    let base = try yaml("{hidden_size: 8, attention: {num_heads: 2, bias: true}, position: learned}")
    return YAMLWriter().write(try Overrides(changes).patches.reduce(base) { $0.merging($1) })
  }

  @Test("a path and a value set, '~' and null delete, later changes win")
  func changes() throws {
    #expect(
      try merged(["attention.num_heads=4", "~attention.bias", "hidden_size=16", "hidden_size=32"])
        == "hidden_size: 32\nattention: {num_heads: 4}\nposition: learned\n")
    #expect(try merged(["attention.bias=null", "attention=~"]) == "hidden_size: 8\nposition: learned\n")
  }

  @Test("a value is YAML on one line")
  func values() throws {
    #expect(
      try merged([
        "position={type: rope, theta: 5e5}", "attention.bias={q: true}", "layers.overrides=[{layers: \"1:\"}]",
      ])
        == """
        hidden_size: 8
        attention: {num_heads: 2, bias: {q: true}}
        position: {type: rope, theta: 5e5}
        layers:
          overrides:
            - {layers: "1:"}

        """)
    #expect(try merged(["position=a=b"]) == "hidden_size: 8\nattention: {num_heads: 2, bias: true}\nposition: a=b\n")
  }

  @Test("places are those of the command line")
  func places() throws {
    let overrides = try Overrides(["a=1", "bb.cc={d: ee}"])
    #expect(overrides.text == "a=1\nbb.cc={d: ee}")
    let patch = overrides.patches[1]
    #expect(patch.entries?[0].place == Place(source: "--set", line: 2, column: 1, length: 2))
    #expect(patch["bb"]?.entries?[0].place == Place(source: "--set", line: 2, column: 4, length: 2))
    #expect(patch[path: "bb.cc.d"]?.place == Place(source: "--set", line: 2, column: 11, length: 2))
  }

  @Test("what is unclear is said, all at once")
  func problems() throws {
    let changes = [
      "norm", "a=", "+a=1", "~a=1", "a..b=1", "=1", "a b=1", "a={b: 1", "a=1,2", "a=\n1", "~", "a=[1]]", "a.=1",
    ]
    let problems = #expect(throws: Problems.self) { try Overrides(changes) }
    let renderer = ProblemRenderer(texts: [
      "--set": changes.map { $0.replacing("\n", with: " ") }.joined(separator: "\n")
    ])
    #expect(
      renderer.render(try #require(problems)) == """
        --set:1:1: error: 'norm' sets nothing
          1 | norm
            | ^~~~ write 'key=value', or '~key' to delete it
        --set:2:2: error: no value follows '='
          2 | a=
            |  ^ 'null' deletes the key, '""' is an empty text
        --set:3:1: error: a change does not begin with '+'
          3 | +a=1
            | ^ 'key.sub=value' sets a key, new or not
        --set:4:3: error: '~' deletes a key, so no value follows
          4 | ~a=1
            |   ^ leave out '~' or '=…'
        --set:5:1: error: 'a..b' is not a path of keys
          5 | a..b=1
            | ^~~~ keys are joined by single dots: 'attention.num_heads'
        --set:6:1: error: '' is not a path of keys
          6 | =1
            | ^ keys are joined by single dots: 'attention.num_heads'
        --set:7:1: error: 'a b' is not a path of keys
          7 | a b=1
            | ^~~ keys are joined by single dots: 'attention.num_heads'
        --set:8:8: error: ',' or '}' is expected here, in the group that begins at 8:3
          8 | a={b: 1
            |        ^ is a '}' missing before this?
        --set:9:3: error: one value is expected, and '1,2' has a comma
          9 | a=1,2
            |   ^~~ a list is written [a, b]; a text with a comma is quoted
        --set:10:1: error: a change is one line of text without control characters
          10 | a= 1
             | ^
        --set:11:2: error: '' is not a path of keys
          11 | ~
             |  ^ keys are joined by single dots: 'attention.num_heads'
        --set:12:6: error: the text goes on here, after what it describes is complete
          12 | a=[1]]
             |      ^ is a bracket or an indentation wrong?
        --set:13:1: error: 'a.' is not a path of keys
          13 | a.=1
             | ^~ keys are joined by single dots: 'attention.num_heads'

        """)
  }

  @Test("a change is held against the model like a line of its file")
  func inModels() throws {
    let zoo = try Zoo(Examples.zoo)
    #expect(
      zoo.message(for: "gpt2", set: ["postion=rope", "hidden_size=big", "~mlp.gated"]) == """
        --set:1:1: error: 'postion' is not a key of a specification
          1 | postion=rope
            | ^~~~~~~ did you mean 'position'?
        --set:2:13: error: 'hidden_size' takes an integer, not 'big'
          2 | hidden_size=big
            |             ^~~
        --set:3:6: error: there is no 'gated' here that null could delete
          3 | ~mlp.gated
            |      ^~~~~ leave the line out

        """)
  }
}
