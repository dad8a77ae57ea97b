import Checkpoints
import Components
import Files
import Testing

/// What bindings say of nulls, layers and groups.
@Suite struct BindingLanguageTests {
  private func text(_ setting: Setting?) -> String {
    guard let setting else { return "nothing" }
    switch setting.content {
    case .scalar(let text, _): return text
    case .list(let items): return "[" + items.map { text($0) }.joined(separator: ", ") + "]"
    case .group(let entries): return "{" + entries.map { "\($0.key): \(text($0.value))" }.joined(separator: ", ") + "}"
    }
  }

  private func source(_ config: String) throws -> ConfigSource {
    let bytes = Array(config.utf8)
    let json = try bytes.withUnsafeBytes { try JSONValue(parsing: $0, name: "config.json", literals: true) }
    return ConfigSource(name: "config.json", config: json, tensors: [])
  }

  private func binding(_ bind: String) throws -> ConfigBinding {
    try ConfigBinding(Setting(json: #"{"bind": \#(bind)}"#))
  }

  /// The patch of `bind` for `config`, or the first reason why there is none.
  private func patch(_ bind: String, _ config: String) throws -> String {
    do { return text(try binding(bind).bind(source(config)).patch) } catch let problems as Problems {
      return problems.list.first?.sentence ?? ""
    }
  }

  private static let softcap = #"{"head.softcap": {"from": "cap", "off": [null], "default": 30}}"#
  private static let dense =
    #"{"layers.pattern": {"runs": {"dense": {"from": "k", "default": 3}, "sparse": {"difference": ["n", {"from": "k", "default": 3}]}}}}"#
  private static let joined = """
    {"layers.pattern": {"join": [{"runs": {"dense": "k", "sparse": {"difference": ["n", "k"]}}},
      {"first": ["types", {"value": ["full"]}]}], "layers": "n"}}
    """
  private static let rope = """
    {"position": {"under": ["rope_scaling", "rope_parameters"], "write": "rope_parameters", "each": {
       "theta": {"from": ["rope_theta", "/rope_theta"], "default": 10000},
       "scaling.type": {"from": ["rope_type", "type"], "map": {"default": "none", "yarn": "yarn"}},
       "scaling.original": {"from": "original", "when": {"rope_type or type": "yarn"}}}},
     "local": {"like": "position", "under": ["rope_parameters.sliding"]}}
    """

  @Test(
    "an explicit null is not an absent key",
    arguments: [
      (softcap, "{}", "{head: {softcap: 30}}"),
      (softcap, #"{"cap": 20}"#, "{head: {softcap: 20}}"),
      (softcap, #"{"cap": null}"#, "{head: {softcap: null}}"),
      (
        #"{"a": {"from": "x", "default": 1}}"#, #"{"x": null}"#,
        "config.json: x is null, which this family's spec cannot say (for a)"
      ),
      (#"{"a": {"from": "x", "map": {"true": 1, "null": 2}, "default": 3}}"#, #"{"x": null}"#, "{a: 2}"),
      (#"{"a": {"from": ["x", "y"], "off": [null], "default": 1}}"#, #"{"x": null, "y": 5}"#, "{a: 5}"),
      (#"{"a": {"value": 1, "when": {"x": [null]}}}"#, #"{"x": null}"#, "{a: 1}"),
      (#"{"a": {"value": 1, "when": {"x": [null]}}}"#, "{}", "{}"),
      (#"{"a": {"value": 1, "when": {"x": "absent"}}}"#, #"{"x": null}"#, "{}"),
      (#"{"a": {"value": 1, "when": {"x": "present"}}}"#, #"{"x": 0}"#, "{a: 1}"),
      (#"{"a": {"value": 1, "when": {"x": "present"}}}"#, #"{"x": null}"#, "{}"),
      (#"{"a": {"value": 1, "when": {"x or y": true}}}"#, #"{"y": true}"#, "{a: 1}"),
    ])
  func nulls(_ bind: String, config: String, result: String) throws {
    #expect(try patch(bind, config) == result)
  }

  @Test(
    "runs of no layers are left out, whatever makes them empty",
    arguments: [
      (dense, #"{"n": 4, "k": 1}"#, "{layers: {pattern: [1*dense, 3*sparse]}}"),
      (dense, #"{"n": 4, "k": 0}"#, "{layers: {pattern: [4*sparse]}}"),
      (dense, #"{"n": 4, "k": 4}"#, "{layers: {pattern: [4*dense]}}"),
      (dense, #"{"n": 4, "k": 28}"#, "{layers: {pattern: [28*dense]}}"),
      (dense, #"{"n": 4, "k": -1}"#, "{layers: {pattern: [5*sparse]}}"),
      (dense, #"{"n": 4}"#, "{layers: {pattern: [3*dense, 1*sparse]}}"),
      (
        joined, #"{"n": 3, "k": 1, "types": ["full", "local", "full"]}"#,
        "{layers: {pattern: [dense+full, sparse+local, sparse+full]}}"
      ),
      (joined, #"{"n": 3, "k": 0}"#, "{layers: {pattern: [sparse+full, sparse+full, sparse+full]}}"),
      (
        #"{"p": {"runs": [{"a": 1}, {"b": "n"}, {"a": 2}]}}"#, #"{"n": 0}"#, "{p: [1*a, 2*a]}"
      ),
      (#"{"p": {"unroll": "t"}}"#, #"{"t": [[["g", "l"], 2], [["g"], 1]]}"#, "{p: [g, l, g, l, g]}"),
      (
        #"{"p": {"listed": "m", "in": "s", "out": "d", "layers": "n"}}"#, #"{"m": [1, 3], "n": 4}"#, "{p: [d, s, d, s]}"
      ),
      (#"{"k": {"same": "top"}}"#, #"{"top": [2, 2]}"#, "{k: 2}"),
      (#"{"k": {"same": "top"}}"#, #"{"top": 3}"#, "{k: 3}"),
      (
        #"{"k": {"same": "top"}}"#, #"{"top": [2, 3]}"#,
        "config.json: top is not the same in all layers, which this family's spec cannot say (for k)"
      ),
    ])
  func layers(_ bind: String, config: String, result: String) throws {
    #expect(try patch(bind, config) == result)
  }

  @Test(
    "a group is read under each of its prefixes",
    arguments: [
      ("{}", "{position: {theta: 10000}, local: {theta: 10000}}"),
      (#"{"rope_theta": 5}"#, "{position: {theta: 5}, local: {theta: 5}}"),
      (
        #"{"rope_scaling": {"rope_theta": 6, "type": "yarn", "original": 8}, "rope_theta": 5}"#,
        "{position: {theta: 6, scaling: {type: yarn, original: 8}}, local: {theta: 5}}"
      ),
      (
        #"{"rope_parameters": {"rope_theta": 7, "rope_type": "default", "original": 8, "sliding": {"rope_theta": 9}}}"#,
        "{position: {theta: 7, scaling: {type: none}}, local: {theta: 9}}"
      ),
    ])
  func groups(config: String, result: String) throws {
    #expect(try patch(Self.rope, config) == result)
  }

  @Test("numbers that JSON has no word for are read, and switch off what they are the limit of")
  func literals() throws {
    let bind = #"{"least": {"from": "limit.0", "off": [0]}, "most": {"from": "limit.1", "off": ["Infinity"]}}"#
    #expect(try patch(bind, #"{"limit": [0.0, Infinity], "other": [NaN, -Infinity]}"#) == "{least: null, most: null}")
    #expect(try patch(bind, #"{"limit": [0.5, 2]}"#) == "{least: 0.5, most: 2}")
    #expect(try patch(bind, #"{"limit": [0.5, {"__float__": "Infinity"}]}"#) == "{least: 0.5, most: null}")
    #expect(throws: FileProblem.self) { try JSONValue(parsing: #"{"a": Infinity}"#) }
    #expect(throws: FileProblem.self) { try source(#"{"a": Infinit}"#) }
  }

  @Test("what must be there is asked for, and what must hold holds for null too")
  func requirements() throws {
    let binding = try ConfigBinding(
      Setting(json: #"{"require": {"rope or scaling": "present", "clip": [null], "flag": false}}"#))
    func reasons(_ config: String) throws -> [String] {
      do { _ = try binding.bind(source(config)) } catch let problems as Problems {
        return problems.list.map(\.sentence)
      }
      return []
    }
    #expect(try reasons(#"{"scaling": {"a": 1}}"#) == [])
    #expect(try reasons(#"{"rope": 1, "clip": null, "flag": false}"#) == [])
    #expect(
      try reasons("{}") == [
        "config.json: there is no rope or scaling, and what holds without it this family's spec cannot say"
      ])
    #expect(
      try reasons(#"{"rope": 1, "clip": 8, "flag": null}"#) == [
        "config.json: clip is 8, which this family's spec cannot say; it holds for null",
        "config.json: flag is null, which this family's spec cannot say; it holds for false",
      ])
  }

  @Test("of groups that are whole the first that has keys counts, and no other")
  func wholeGroups() throws {
    let bind = #"""
      {"p": {"under": ["a", "b"], "whole": true, "write": "b", "each": {"x": {"from": ["x", "/x"], "default": 7}, "y": "y"}}}
      """#
    #expect(try patch(bind, #"{"a": {"y": 1}, "b": {"x": 2, "y": 3}}"#) == "{p: {x: 7, y: 1}}")
    #expect(try patch(bind, #"{"a": {"y": 1}, "b": {"x": 2, "y": 3}, "x": 9}"#) == "{p: {x: 9, y: 1}}")
    #expect(try patch(bind, #"{"a": {}, "b": {"x": 2, "y": 3}}"#) == "{p: {x: 2, y: 3}}")
    #expect(try patch(bind, #"{"a": null, "b": {"y": 3}}"#) == "{p: {x: 7, y: 3}}")
    #expect(
      try binding(bind).configuration(for: Setting(json: #"{"p": {"x": 4, "y": 5}}"#)).serialized()
        == #"{"b":{"x":4,"y":5}}"#)
  }

  @Test("of a family's names the one is written under which the spec can be said")
  func severalNames() throws {
    let section = #"""
      {"match": {"model_type": ["plain", "shared"]}, "write": {"who": {"from": "model_type", "map": {"plain": "P", "shared": "S"}}},
       "bind": {"a": "a", "b": {"from": "b", "when": {"model_type": "shared"}}}}
      """#
    let binding = try ConfigBinding(Setting(json: section))
    #expect(
      try binding.configuration(for: Setting(json: #"{"a": 1}"#)).serialized()
        == #"{"model_type":"plain","a":1,"who":"P"}"#)
    #expect(
      try binding.configuration(for: Setting(json: #"{"a": 1, "b": 2}"#)).serialized()
        == #"{"model_type":"shared","a":1,"b":2,"who":"S"}"#)
  }

  @Test("a value may have to be another one, where it is said")
  func requiredExpression() throws {
    let binding = try ConfigBinding(Setting(json: #"{"require": {"width": {"product": ["half", 2]}}}"#))
    #expect(try binding.bind(source(#"{"half": 3}"#)).unused == [])
    #expect(try binding.bind(source(#"{"half": 3, "width": 6}"#)).unused == [])
    for (width, word) in [("4", "4"), ("null", "null")] {
      do {
        _ = try binding.bind(source(#"{"half": 3, "width": \#(width)}"#))
        Issue.record("\(width) passed")
      } catch let problems as Problems {
        #expect(
          problems.list.map(\.sentence) == [
            "config.json: width is \(word), which this family's spec cannot say; it holds for 6 or absent"
          ])
      }
    }
    #expect(binding.ignores("width") == false)
  }

  @Test(
    "a configuration that is written says the same when it is read",
    arguments: [
      (softcap, "{}", #"{"cap":null}"#),
      (softcap, #"{"head": {"softcap": 20}}"#, #"{"cap":20}"#),
      (
        #"{"n": "n", \#(dense.dropFirst())"#, #"{"n": 4, "layers": {"pattern": ["2*dense", "2*sparse"]}}"#,
        #"{"n":4,"k":2}"#
      ),
      (
        #"{"n": "n", \#(joined.dropFirst())"#, #"{"n": 2, "layers": {"pattern": ["dense+local", "sparse+full"]}}"#,
        #"{"n":2,"k":1,"types":["local","full"]}"#
      ),
      (
        rope, #"{"position": {"theta": 7, "scaling": {"type": "yarn", "original": 8}}, "local": {"theta": 9}}"#,
        #"{"rope_parameters":{"rope_theta":7.0,"rope_type":"yarn","original":8,"sliding":{"rope_theta":9.0}}}"#
      ),
    ])
  func written(_ bind: String, spec: String, config: String) throws {
    #expect(try binding(bind).configuration(for: Setting(json: spec)).serialized() == config)
  }
}
