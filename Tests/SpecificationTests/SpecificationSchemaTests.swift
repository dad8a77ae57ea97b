import Components
import Files
import Specification
import Testing

/// Checked once by hand with PyPI's `jsonschema` 4 (Draft7Validator) and the package's own components: the four example
/// architectures pass, and each of them fails with any one key of it misspelt.
@Suite("The schema")
struct SpecificationSchemaTests {
  private static func option(
    _ path: String, _ kind: OptionKind, default text: String? = nil, required: Bool = false
  ) -> OptionDescription {
    OptionDescription(path: path, kind: kind, defaultText: text, meaning: "what \(path) means", isRequired: required)
  }

  private let schema = SpecificationSchema([
    ComponentDescription(
      slot: .norm, name: "rms", documentation: "Root mean square.",
      options: [option("eps", .number, default: "1e-6"), option("weight", .flag, default: "true")]),
    ComponentDescription(slot: .norm, name: "nothing", documentation: "", options: []),
    ComponentDescription(
      slot: .position, name: "turning", documentation: "",
      options: [
        option("pairs", .choice(["half", "whole"]), default: "half"), option("scaling", .group),
        option("scaling.factor", .number, required: true), option("scaling.parts", .numbers),
        option("scale", .numberOrWord(["auto"])),
      ]),
    ComponentDescription(
      slot: .mlp, name: "mlp", documentation: "",
      options: [
        option("activation", .component(.activation), default: "bent"), option("bias", .flags(["up", "down"])),
        option("width", .integer), option("inner", .group), option("inner.scope", .text),
        option("inner.*", .component(.norm)),
      ]),
    ComponentDescription(slot: .activation, name: "bent", documentation: "", options: []),
  ]).json

  private func definition(_ name: String) -> JSONValue? { schema["definitions"]?[name] }

  @Test("the root has exactly the keys of the language, each with its meaning")
  func root() throws {
    #expect(schema["$schema"] == "http://json-schema.org/draft-07/schema#")
    #expect(schema["additionalProperties"] == false)
    let keys = try #require(schema["properties"]?.object?.keys)
    #expect(
      keys == [
        "extends", "name", "facts", "vocab_size", "context_length", "hidden_size", "embedding", "position", "norm",
        "block", "attention", "cross_attention", "mlp", "head", "layers", "stacks", "tokenizer", "texts", "chat",
        "images", "init", "expected_params", "checkpoint", "config", "gguf",
      ])
    for key in keys {
      let property = schema["properties"]?[key]
      #expect(property?["description"] != nil || property?["$ref"] == .string("#/definitions/\(key)"))
    }
    #expect(schema["then"]?["required"]?.array?.count == 6)
  }

  @Test("the sections of a family's file have the keys of bindings and maps, and no others")
  func sections() {
    func keys(_ section: String) -> Set<String> {
      Set(schema["properties"]?[section]?["properties"]?.object?.keys ?? [])
    }
    #expect(
      keys("config") == [
        "naming", "match", "unless", "set", "bind", "require", "ignore", "floats", "write", "restore", "restate",
        "within", "outer",
      ])
    #expect(
      keys("checkpoint")
        == ["naming", "prefix", "tensors", "layer_prefix", "layer", "axes", "tied", "ignore", "constants", "stacks"])
    #expect(keys("gguf") == keys("config").union(keys("checkpoint")))
    for section in ["config", "checkpoint", "gguf"] {
      #expect(schema["properties"]?[section]?["additionalProperties"] == false)
    }
  }

  @Test("a slot takes a name, or a group with the options of that component and no others")
  func slots() throws {
    #expect(definition("norm")?["anyOf"]?.array?[0] == ["type": "string", "enum": ["rms", "nothing"]])
    let cases = definition("norm")?["anyOf"]?.array?[1]["allOf"]?.array
    #expect(cases?[0]["if"]?["properties"]?["type"] == ["const": "rms"])
    #expect(cases?[0]["then"] == ["$ref": "#/definitions/norm.rms"])
    #expect(
      definition("norm.rms") == [
        "type": "object",
        "properties": [
          "type": ["const": "rms"],
          "eps": ["type": ["number", "null"], "description": "what eps means", "default": 1e-6],
          "weight": ["type": ["boolean", "null"], "description": "what weight means", "default": true],
        ],
        "additionalProperties": false,
        "description": "Root mean square.",
      ])
    #expect(definition("norm.nothing")?["properties"] == ["type": ["const": "nothing"]])
    #expect(definition("norm-untyped")?["properties"]?.object?.keys == ["type", "eps", "weight"])
  }

  @Test("options have the types they are read as")
  func options() {
    let turning = definition("position.turning")?["properties"]
    #expect(turning?["pairs"]?["enum"] == ["half", "whole", .null])
    let scaling = turning?["scaling"]?["anyOf"]?.array?[0]
    #expect(scaling?["properties"]?["factor"]?["type"] == ["number", "null"])
    #expect(scaling?["additionalProperties"] == false)
    #expect(turning?["scaling.factor"] == nil)
    #expect(turning?["scale"]?["anyOf"]?.array?[1] == ["enum": ["auto"]])
    let mlp = definition("mlp.mlp")?["properties"]
    #expect(mlp?["activation"]?["allOf"] == [["$ref": "#/definitions/activation"]])
    #expect(mlp?["activation"]?["default"] == "bent")
    #expect(mlp?["bias"]?["anyOf"]?.array?[1]["properties"]?.object?.keys == ["up", "down"])
    let inner = mlp?["inner"]?["anyOf"]?.array?[0]
    #expect(inner?["properties"]?.object?.keys.sorted() == ["eps", "scope", "type", "weight"])
  }

  @Test("layers take the same components as the model, and only those that may differ")
  func layers() {
    #expect(
      definition("variant")?["properties"]?.object?.keys == [
        "position", "norm", "block", "attention", "cross_attention", "mlp",
      ])
    #expect(definition("variant")?["properties"]?["norm"] == ["$ref": "#/definitions/norm"])
    #expect(definition("override")?["required"] == ["layers"])
  }

  @Test("every reference leads somewhere")
  func references() {
    func check(_ value: JSONValue) {
      if let reference = value["$ref"]?.string {
        #expect(definition(reference.replacing("#/definitions/", with: "")) != nil, "\(reference)")
      }
      for inner in value.object?.values ?? value.array ?? [] { check(inner) }
    }
    check(schema)
  }
}
