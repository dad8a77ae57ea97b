import Files

/// The language of studies, and what `results.json` holds, as JSON Schemas (draft-07): for editors and for programs.
public enum StudySchema {
  /// What a study's file may say.
  public static var study: JSONValue {
    var properties = JSONObject()
    for (key, schema, meaning) in keys {
      var described = schema.object ?? JSONObject()
      described["description"] = .string(meaning)
      properties[key] = .object(described)
    }
    return [
      "$schema": "http://json-schema.org/draft-07/schema#", "title": "A study of an architecture", "type": "object",
      "properties": .object(properties), "additionalProperties": false, "required": ["ablation", "base", "data"],
    ]
  }

  private static let text: JSONValue = ["type": "string"]
  private static let group: JSONValue = ["type": "object"]
  private static func either(_ kinds: JSONValue...) -> JSONValue { ["anyOf": .array(kinds)] }
  private static func words(_ words: [String]) -> JSONValue { ["enum": .array(words.map { .string($0) })] }
  private static func object(_ properties: JSONValue) -> JSONValue {
    ["type": "object", "properties": properties, "additionalProperties": false]
  }
  private static func list(_ items: JSONValue) -> JSONValue { ["type": "array", "items": items, "minItems": 1] }
  private static func integer(_ range: ClosedRange<Int>) -> JSONValue {
    ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
  }

  private static var keys: [(String, JSONValue, String)] {
    let seeds = 1...StudyKeys.seedLimit
    let tolerance = either(text, ["type": "number", "minimum": 0, "maximum": 0.1])
    let factors = either(words(["auto"]), list(["type": "string", "pattern": "^[x×].+"]))
    let amount: JSONValue = ["type": "number", "minimum": 1]
    let amounts = either(amount, list(amount))
    var settings = JSONObject()
    for key in Tuning.keys { settings[key] = factors }
    return [
      ("ablation", text, "the study's name"),
      ("base", text, "the model that the arms change: of the zoo, or a file"),
      ("set", group, "what is changed in the base for every arm"),
      ("weights", text, "a trained model to start from; left out, runs start anew"),
      ("tokenizer", text, "bytes, char, or a path; left out, the model's own"),
      (
        "hold",
        either(
          words(["params", "flops", "none"]),
          object([
            "params": tolerance, "flops": tolerance, "by": text, "tokens": ["type": "integer", "minimum": 1],
            "data_order": words(["same", "own"]),
          ])), "what arms must have in common with the base"
      ),
      (
        "seeds",
        either(
          integer(seeds), list(integer(0...Int(Int32.max))),
          object(["from": integer(3...1000), "to": integer(4...1000)])),
        "how many seeds, which, or from how many to how many they are added until arms are decided"
      ),
      ("arms", group, "changes of the base by name; 'train' in one changes how it is trained"),
      (
        "vary", ["type": "object", "additionalProperties": either(list([:]), group)],
        "keys with the values to try, or words with changes by name"
      ),
      (
        "combine",
        either(
          words(StudyKeys.combine),
          object(["type": words(StudyKeys.combine), "runs": integer(4...1000), "orders": integer(2...200)])),
        "how arms or values go together"
      ),
      ("data", either(text, list(text)), "the text that is trained on, beside this file"),
      ("train", group, "training settings: see Documentation/TrainingSettings.md"),
      (
        "contexts", either(text, ["type": "integer"], list(either(text, ["type": "integer"]))),
        "lengths to evaluate at: tokens, or multiples of the trained length as 2x"
      ),
      (
        "probes",
        either(
          list(words(Probe.Kind.allCases.map(\.rawValue))),
          ["type": "object", "propertyNames": words(Probe.Kind.allCases.map(\.rawValue))]),
        "abilities that arms are tested for beside the loss"
      ),
      (
        "tune", either(words(["auto"]), object(.object(settings))),
        "the setting of which each arm has its own best, with factors of the shared value"
      ),
      (
        "tasks", either(text, list(text), group),
        "files of questions, a JSON object a line, that trained arms are asked; by name with file and limit"
      ),
      (
        "budget",
        object([
          "tokens": amounts, "flops": amounts, "seconds": amounts,
          "tokens_each": ["type": "object", "additionalProperties": ["type": "integer"]],
        ]),
        "what each arm may spend on a run: one of tokens, flops and seconds; of several, shorter runs are decays of the longest"
      ),
      (
        "ladder",
        either(
          integer(3...8), list(either(text, ["type": "integer"])),
          object([
            "sizes": either(integer(3...8), list(either(text, ["type": "integer"]))),
            "tokens": words(["scaled", "same"]), "lr": words(["scaled", "same"]),
          ])),
        "the sizes that the study is run at: how many, or factors of the base's width, or counts of parameters"
      ),
    ]
  }

  /// What `results.json` holds. Members may be added; those that are here stay.
  public static var results: JSONValue {
    let number: JSONValue = ["type": ["number", "null"]]
    let comparison: JSONValue = [
      "type": "object",
      "properties": [
        "mean": number, "percent": number, "half_width_95": number, "half_width": number, "confidence": number,
        "pairs": words(["seeds", "windows"]), "probability": number, "probability_holm": number,
        "smallest_detectable": number, "verdict": words(Verdict.allCases.map(\.rawValue)),
        "decided_at_seeds": ["type": "integer"], "name": text, "kind": words(["main", "interaction", "shapley"]),
      ],
      "required": [
        "mean", "percent", "half_width_95", "half_width", "confidence", "pairs", "probability", "probability_holm",
        "smallest_detectable", "verdict",
      ],
    ]
    let run: JSONValue = [
      "type": "object",
      "properties": [
        "seed": ["type": "integer"], "loss": number, "diverged_after_steps": ["type": "integer"],
        "curve": ["type": "array"], "contexts": ["type": "array"], "windows": ["type": "array"],
        "gradient_norm": group, "loss_spikes": ["type": "integer"], "largest_attention_logit": number,
        "largest_activation": number, "budgets": ["type": "array"], "tasks": list(group),
        "seconds": number, "tokens_per_second": number,
      ],
      "required": ["seed", "loss", "curve", "contexts"],
    ]
    let tuned: JSONValue = [
      "type": "object",
      "properties": [
        "setting": text, "curve": ["type": "array"], "best_at_edge": ["type": "boolean"], "vertex": number,
        "finalists": ["type": "array"], "best_factor": number, "best": number, "difference": comparison,
      ],
      "required": ["setting", "curve", "best_at_edge", "finalists"],
    ]
    let arm: JSONValue = [
      "type": "object",
      "properties": [
        "name": text, "changes": text, "parameters": ["type": "integer"], "flops_per_token": number,
        "memory_bytes": ["type": "integer"], "mismatch": number, "matched": ["type": "boolean"], "sized": group,
        "training": group, "loss_mean": number, "loss_deviation": number, "difference": comparison, "tuned": tuned,
        "failed": ["type": "array"], "runs": ["type": "array", "items": run],
      ],
      "required": ["name", "changes", "parameters", "mismatch", "matched", "loss_mean", "runs"],
    ]
    return [
      "$schema": "http://json-schema.org/draft-07/schema#", "title": "The results of a study", "type": "object",
      "properties": [
        "study": text, "fingerprint": text, "headline": text, "complete": ["type": "boolean"], "base": text,
        "baseline": text, "seeds": list(["type": "integer"]), "hold": group, "data": text, "data_files": text,
        "noise_floor": number, "sentences": ["type": "array", "items": text], "looks": list(["type": "integer"]),
        "finished_looks": ["type": "integer"], "arms": list(arm), "effects": ["type": "array", "items": comparison],
        "machines": ["type": "array", "items": text], "probes": ["type": "array", "items": group], "version": text,
        "tasks": list(group), "costs": list(group), "ladder": group, "budget": group, "budgets": list(group),
        "date": text,
      ],
      "required": ["study", "fingerprint", "headline", "complete", "baseline", "seeds", "arms"],
    ]
  }
}
