import Files

/// JSON Schemas of the sections of a family's file that describe its checkpoints: which keys they have, and what each takes.
enum SectionSchema {
  /// A rule of a checkpoint map: a tensor, several of one layout, or what a name is in layers of several kinds.
  private static let rule: JSONValue = [
    "anyOf": [
      ["type": ["string", "null"]],
      ["type": "array", "items": ["type": "string"]],
      [
        "type": "object",
        "properties": [
          "to": ["anyOf": [["type": "string"], ["type": "array", "items": ["type": "string"]]]],
          "layout": ["type": "string"], "exact": ["type": "boolean"], "beside": ["type": "string"],
          "any": ["type": "array", "minItems": 1],
        ],
        "additionalProperties": false,
      ],
    ]
  ]

  private static let rules: JSONValue = ["type": ["object", "null"], "additionalProperties": rule]
  private static let texts: JSONValue = ["type": ["array", "null"], "items": ["type": "string"]]
  private static let anything: JSONValue = ["type": ["object", "null"]]

  /// The keys of a checkpoint map.
  private static let map: JSONValue = [
    "naming": ["type": ["string", "null"], "description": "a preset of the folder naming that this changes"],
    "prefix": [
      "anyOf": [["type": ["string", "null"]], texts], "description": "what may stand before every stored name",
    ],
    "tensors": described(rules, "stored names outside the layers: canonical ones"),
    "layer_prefix": ["type": ["string", "null"], "description": "what stands before names in layers; * is the layer"],
    "layer": described(rules, "stored names in layers: canonical ones"),
    "axes": described(
      ["type": ["object", "null"], "additionalProperties": ["type": ["string", "null"]]],
      "what the names of a layout's axes count, as paths in the spec"),
    "tied": described(
      ["type": ["object", "null"], "additionalProperties": ["type": ["string", "null"]]],
      "canonical tensors that are another's"),
    "ignore": described(texts, "stored tensors or keys that hold nothing of the model; * is any text"),
    "constants": described(
      ["type": ["object", "null"], "additionalProperties": ["type": "number"]],
      "tensors of one number in every layer, for readers who ask for them"),
    "stacks": described(
      [
        "type": ["object", "null"],
        "additionalProperties": [
          "type": ["object", "null"],
          "properties": ["tensors": rules, "layer_prefix": ["type": ["string", "null"]], "layer": rules],
          "additionalProperties": false,
        ],
      ], "the tensors of stacks beside the text's, by the stack's name"),
  ]

  /// The keys of a binding of configurations.
  private static let binding: JSONValue = [
    "naming": ["type": ["string", "null"], "description": "a preset of the folder naming that this changes"],
    "match": described(anything, "what a configuration of this family says"),
    "unless": described(anything, "what no configuration of this family says, though it matches"),
    "set": described(anything, "facts that no configuration says, by path of the spec"),
    "bind": described(anything, "paths of the spec, each with the key or expression that gives its value"),
    "require": described(anything, "what must hold where it is said, for the spec has no word for the contrary"),
    "ignore": described(texts, "keys that change nothing; * is any text"),
    "floats": described(texts, "keys that are written with a fraction"),
    "write": described(anything, "what a written configuration says besides"),
    "within": described(["type": ["string", "null"]], "the group that bind, require and ignore speak of"),
    "outer": described(anything, "bind, require and ignore of the whole, where 'within' names a group"),
    "restore": described(anything, "how tensors are brought back from what `set` says of the container"),
    "restate": described(anything, "groups of options that are written by another of their types"),
  ]

  /// The section `name` of a family's file: `checkpoint`, `config` or `gguf`.
  static func section(_ name: String, _ meaning: String) -> JSONValue {
    var keys = JSONObject()
    // What a GGUF file has is a binding and a map in one.
    if name != "config" { for (key, value) in map.object ?? JSONObject() { keys[key] = value } }
    if name != "checkpoint" { for (key, value) in binding.object ?? JSONObject() { keys[key] = value } }
    return described(
      ["type": ["object", "null"], "properties": .object(keys), "additionalProperties": false], meaning)
  }

  private static func described(_ schema: JSONValue, _ meaning: String) -> JSONValue {
    guard var object = schema.object else { return schema }
    object["description"] = .string(meaning)
    return .object(object)
  }
}
