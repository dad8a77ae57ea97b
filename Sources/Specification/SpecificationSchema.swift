import Components
import Files

/// The language of specifications as a JSON Schema (draft-07), for editors that complete and check YAML.
///
/// Each slot takes a component's name, or a group whose options are those of the component that `type` names; without a
/// `type`, as in a file that changes a few options of another, those of every component of the slot. `null` deletes, so
/// it is accepted wherever something may be deleted. A careful reader misses required options: what a file must give
/// depends on what it extends, so they are left to the loader.
public struct SpecificationSchema {
  private let components: [Slot: [ComponentDescription]]

  /// The schema of a language with these components.
  public init(_ components: [ComponentDescription]) {
    self.components = Dictionary(grouping: components, by: \.slot)
  }

  /// The schema.
  public var json: JSONValue {
    var properties = JSONObject()
    for key in ArchitectureKeys.root {
      if let slot = Slot(rawValue: key) { properties[key] = reference(to: slot) }
    }
    properties["extends"] = described(
      ["anyOf": [["type": "string"], ["type": "array", "items": ["type": "string"]]]],
      "the model, family or file that this one builds on; of a list, later ones win")
    properties["name"] = described(["type": "string"], "the model's name: that of its file when left out")
    properties["facts"] = facts
    for (key, meaning) in ArchitectureKeys.required where properties[key] == nil && key != "layers" {
      properties[key] = described(size(limit: ArchitectureKeys.sizeLimit), meaning)
    }
    properties["layers"] = layers
    properties["stacks"] = described(
      ["type": ["object", "null"], "additionalProperties": ["$ref": "#/definitions/stack"]],
      "stacks of layers beside the text's, by name, that it reads")
    for (key, meaning) in [
      ("tokenizer", "the tokenizer: a name or a group"), ("chat", "how a conversation is written: a name or a group"),
      ("init", "how parameters are initialized for training"),
    ] {
      properties[key] = described(["type": ["string", "object", "null"]], meaning)
    }
    properties["texts"] = described(
      ["type": ["object", "null"]], "how texts are prepared for the tokenizer: normalizer, add_eos_token")
    properties["images"] = described(
      ["type": ["object", "null"]],
      "how pictures are read and written in a prompt: processor, mark, expanded, prompt, special_tokens")
    properties["expected_params"] = described(
      ["anyOf": [["type": "integer", "minimum": 1], ["type": "null"]]], "how many parameters the model is known to have"
    )
    for (key, meaning) in [
      ("checkpoint", "how the tensors of a checkpoint are named and laid out"),
      ("config", "how a config.json is bound to these keys"),
      ("gguf", "how a GGUF file is bound to these keys"),
    ] {
      properties[key] = SectionSchema.section(key, meaning)
    }
    var ordered = JSONObject()
    for key in ArchitectureKeys.root { ordered[key] = properties[key] }
    return [
      "$schema": "http://json-schema.org/draft-07/schema#",
      "title": "A transformer, composed from components",
      "type": "object",
      "properties": .object(ordered),
      "additionalProperties": false,
      // A named model that builds on nothing says everything itself; a family's own file has no name.
      "if": ["required": ["name"], "not": ["required": ["extends"]]],
      "then": ["required": .array(ArchitectureKeys.required.map { .string($0.key) })],
      "definitions": definitions,
    ]
  }

  // MARK: Definitions

  private var definitions: JSONValue {
    var definitions = JSONObject()
    for slot in Slot.ofModels {
      definitions[slot.rawValue] = choice(of: slot)
      var all: [OptionDescription] = []
      for component in components[slot] ?? [] {
        definitions["\(slot.rawValue).\(component.name)"] = group(
          component.options, type: ["const": .string(component.name)], meaning: component.documentation)
        for option in component.options { all.append(option) }
      }
      definitions["\(slot.rawValue)-untyped"] = group(all, type: nil, meaning: nil)
    }
    var patch = JSONObject()
    for slot in Slot.ofLayers { patch[slot.rawValue] = reference(to: slot) }
    definitions["variant"] = ["type": ["object", "null"], "properties": .object(patch), "additionalProperties": false]
    patch["layers"] = described(
      [
        "anyOf": [
          ["$ref": "#/definitions/slice"], ["type": "array", "minItems": 1, "items": ["$ref": "#/definitions/slice"]],
        ]
      ], "the layers to change: 0, -1, \"6:\", \"0:24:2\" or a list of such")
    definitions["override"] = [
      "type": "object", "properties": .object(patch), "required": ["layers"], "additionalProperties": false,
    ]
    definitions["stack"] = stack
    definitions["slice"] = [
      "anyOf": [["type": "integer"], ["type": "string", "pattern": "^ *-?[0-9]* *(: *-?[0-9]* *){0,2}$"]]
    ]
    return .object(definitions)
  }

  /// What a slot takes.
  private func choice(of slot: Slot) -> JSONValue {
    let components = components[slot] ?? []
    let names = JSONValue.array(components.map { .string($0.name) })
    var cases: [JSONValue] = components.map { component in
      [
        "if": ["properties": ["type": ["const": .string(component.name)]], "required": ["type"]],
        "then": ["$ref": .string("#/definitions/\(slot.rawValue).\(component.name)")],
      ]
    }
    cases.append([
      "if": ["anyOf": [["not": ["required": ["type"]]], ["properties": ["type": ["type": "null"]]]]],
      "then": ["$ref": .string("#/definitions/\(slot.rawValue)-untyped")],
    ])
    return described(
      [
        "anyOf": [
          ["type": "string", "enum": names],
          [
            "type": "object",
            "properties": ["type": ["anyOf": [["type": "string", "enum": names], ["type": "null"]]]],
            "allOf": .array(cases),
          ],
          ["type": "null"],
        ]
      ], slot.meaning)
  }

  /// A group of `options`, whose dotted paths make groups in it; `type` is what its `type` takes.
  private func group(_ options: [OptionDescription], type: JSONValue?, meaning: String?) -> JSONValue {
    let tree = OptionTree(options)
    var schema = self.schema(in: tree)
    var properties = JSONObject()
    properties["type"] = type ?? ["type": "null"]
    for (key, value) in schema["properties"]?.object ?? JSONObject() { properties[key] = value }
    if var object = schema.object {
      object["properties"] = .object(properties)
      schema = .object(object)
    }
    return described(schema, meaning)
  }

  /// The object of a tree's keys.
  private func schema(in tree: OptionTree) -> JSONValue {
    var properties = JSONObject()
    // What stands among these options are also those of a component of another slot.
    if let slot = tree.openTo {
      let others = components[slot] ?? []
      for (key, value) in schema(in: OptionTree(others.flatMap(\.options)))["properties"]?.object ?? JSONObject() {
        properties[key] = value
      }
      properties["type"] = ["enum": .array(others.map { .string($0.name) } + [.null])]
    }
    for child in tree.children { properties[child.key] = schema(at: child) }
    return ["type": "object", "properties": .object(properties), "additionalProperties": false]
  }

  /// What the key that a tree stands at takes.
  private func schema(at tree: OptionTree) -> JSONValue {
    var alternatives = tree.options.map(schema(of:))
    if tree.isGroup {
      let meaning = tree.options.first { $0.kind == .group }?.meaning
      alternatives = alternatives.filter { $0["type"] != "object" }
      alternatives += [described(schema(in: tree), meaning), ["type": "null"]]
    }
    var unique: [JSONValue] = []
    for alternative in alternatives where !unique.contains(alternative) { unique.append(alternative) }
    if unique.count == 1 { return unique[0] }
    return ["anyOf": .array(unique)]
  }

  private func schema(of option: OptionDescription) -> JSONValue {
    let null: JSONValue = ["type": "null"]
    let schema: JSONValue
    switch option.kind {
    case .number: schema = ["type": ["number", "null"]]
    case .integer: schema = ["type": ["integer", "null"]]
    case .flag: schema = ["type": ["boolean", "null"]]
    case .text: schema = ["type": ["string", "null"]]
    case .choice(let words): schema = ["enum": .array(words.map { .string($0) } + [.null])]
    case .numberOrWord(let words) where words.isEmpty: schema = ["type": ["number", "null"]]
    case .numberOrWord(let words):
      schema = ["anyOf": [["type": ["number", "null"]], ["enum": .array(words.map { .string($0) })]]]
    case .flags(let parts):
      var properties = JSONObject()
      for part in parts { properties[part] = ["type": ["boolean", "null"]] }
      schema = [
        "anyOf": [
          ["type": ["boolean", "null"]],
          ["type": "object", "properties": .object(properties), "additionalProperties": false],
        ]
      ]
    case .numbers: schema = ["anyOf": [["type": "array", "items": ["type": "number"]], null]]
    case .namedNumbers: schema = ["type": ["object", "null"], "additionalProperties": ["type": "number"]]
    // Beside a reference draft-07 looks at nothing else.
    case .component(let slot): schema = ["allOf": [reference(to: slot)]]
    case .group: schema = ["type": "object"]
    }
    guard var object = described(schema, option.meaning).object else { return schema }
    if let text = option.defaultText { object["default"] = value(text, of: option.kind) }
    return .object(object)
  }

  /// A default as the kind of value that it stands for.
  private func value(_ text: String, of kind: OptionKind) -> JSONValue {
    let setting = Setting(text: text)
    switch kind {
    case .number, .integer, .numberOrWord:
      if let integer = setting.integer { return .integer(integer) }
      return setting.number.map { .number($0) } ?? .string(text)
    case .flag, .flags: return setting.flag.map { .bool($0) } ?? .string(text)
    default: return .string(text)
    }
  }

  /// A stack beside the text's.
  private var stack: JSONValue {
    var properties = JSONObject()
    properties["like"] = described(
      ["type": ["string", "null"]], "the stack whose words it starts from: text, or another by its name")
    for key in ArchitectureKeys.sizes {
      properties[key] = described(size(limit: ArchitectureKeys.sizeLimit), "as of the text, where it is left out")
    }
    for slot in Slot.ofStacks { properties[slot.rawValue] = reference(to: slot) }
    properties["layers"] = layers
    return ["type": ["object", "null"], "properties": .object(properties), "additionalProperties": false]
  }

  // MARK: Parts of the root

  private var layers: JSONValue {
    described(
      [
        "type": "object",
        "properties": [
          "count": described(size(limit: ArchitectureKeys.layerLimit), "how many layers there are"),
          "pattern": described(
            [
              "anyOf": [
                ["type": "string"], ["type": "null"],
                ["type": "array", "minItems": 1, "items": ["type": "string", "pattern": "^ *([0-9]+ *\\* *)?[^*]+$"]],
              ]
            ], "the variants of the layers in turn, repeated: [3*local, global]"),
          "variants": described(
            ["type": ["object", "null"], "additionalProperties": ["$ref": "#/definitions/variant"]],
            "patches by name, for the pattern to give to layers"),
          "overrides": described(
            ["anyOf": [["type": "array", "items": ["$ref": "#/definitions/override"]], ["type": "null"]]],
            "patches for some layers, in order, after the variants"),
        ],
        "additionalProperties": false,
      ], "how many layers there are, and how they differ")
  }

  private var facts: JSONValue {
    var properties = JSONObject()
    for key in ArchitectureKeys.facts { properties[key] = ["type": ["string", "null"]] }
    properties["year"] = ["type": ["integer", "null"]]
    properties["authors"] = ["anyOf": [["type": ["string", "null"]], ["type": "array", "items": ["type": "string"]]]]
    return described(
      ["type": ["object", "null"], "properties": .object(properties), "additionalProperties": false],
      "what is known about the model; nothing of it changes what is computed")
  }

  private func size(limit: Int) -> JSONValue {
    ["type": "integer", "minimum": 1, "maximum": .integer(limit)]
  }

  private func reference(to slot: Slot) -> JSONValue {
    ["$ref": .string("#/definitions/\(slot.rawValue)")]
  }

  private func described(_ schema: JSONValue, _ meaning: String?) -> JSONValue {
    guard let meaning, !meaning.isEmpty, var object = schema.object else { return schema }
    object["description"] = .string(meaning)
    return .object(object)
  }
}
