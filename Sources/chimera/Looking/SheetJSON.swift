import Formats
import Checkpoints
import Components
import Composition
import Describing
import Files
import Kernels
import Specification

/// A model's sheet as a JSON document. What stands under `spec` is a specification: written to a file it composes the
/// same model.
struct SheetJSON {
  let sheet: ModelSheet
  var includesPlan = false

  var json: JSONValue {
    let architecture = sheet.architecture
    var root = JSONObject()
    root["name"] = .string(architecture.name)
    root["family"] = architecture.family.map { .string($0) } ?? .null
    root["facts"] = Self.facts(architecture)
    root["shape"] = shape(architecture.shape)
    root["components"] = components(sheet.choices)
    if !sheet.choices.stacks.isEmpty {
      var stacks = JSONObject()
      for stack in sheet.choices.stacks {
        let flops = sheet.footprint.flopsOfStacks.first { $0.name == stack.name }?.flops ?? 0
        stacks[stack.name] = [
          "shape": shape(stack.shape), "components": components(stack.choices), "flops_per_row": .integer(flops),
        ]
      }
      root["stacks"] = .object(stacks)
    }
    root["parameters"] = parameters
    root["flops_per_token"] = [
      "first": .integer(sheet.footprint.flopsAtStart),
      "at_context": .integer(sheet.footprint.flopsAtContext),
    ]
    root["context"] = .integer(sheet.footprint.context)
    root["cache_bytes"] = [
      "per_token": bytes { sheet.footprint.stateBytesPerToken(in: $0) },
      "at_context": bytes { sheet.footprint.stateBytes(in: $0) },
    ]
    var weights = JSONObject()
    for format in SheetText.formats { weights[format.rawValue] = .integer(sheet.footprint.weightBytes(format)) }
    root["weight_bytes"] = .object(weights)
    if includesPlan { root["plan"] = plan }
    root["spec"] = JSONValue(architecture.resolved)
    return .object(root)
  }

  /// What is known about a model, without what is not.
  static func facts(_ architecture: Architecture) -> JSONValue {
    let facts = architecture.facts
    var object = JSONObject()
    object["title"] = facts.title.map { .string($0) }
    object["year"] = facts.year.map { .integer($0) }
    if !facts.authors.isEmpty { object["authors"] = .array(facts.authors.map { .string($0) }) }
    object["paper"] = facts.paper.map { .string($0) }
    object["licence"] = facts.licence.map { .string($0) }
    object["weights"] = facts.weights.map { .string($0) }
    object["note"] = facts.note.map { .string($0) }
    return .object(object)
  }

  private func shape(_ shape: ModelShape) -> JSONValue {
    [
      "vocab_size": .integer(shape.vocabSize), "context_length": .integer(shape.contextLength),
      "hidden_size": .integer(shape.hiddenSize), "layers": .integer(shape.layerCount),
    ]
  }

  /// The components with the options that take effect, defaults included.
  private func components(_ choices: ArchitectureChoices) -> JSONValue {
    var object = JSONObject()
    for choice in choices.model.inOrder {
      object[choice.slot.rawValue] = component(choice)
    }
    object["layers"] = .array(
      choices.kinds.enumerated().map { kind, slots in
        var layer = JSONObject()
        layer["layers"] = .array(
          choices.kindOfLayer.indices.filter { choices.kindOfLayer[$0] == kind }.map { .integer($0) })
        for choice in slots.inOrder { layer[choice.slot.rawValue] = component(choice) }
        return .object(layer)
      })
    return .object(object)
  }

  private func component(_ choice: ComponentChoice) -> JSONValue {
    var setting = Setting(.group([Setting.Entry("type", Setting(text: choice.name))]))
    for option in choice.options {
      guard let value = option.value else { continue }
      // A component within this one is a group of its own, with its name as the type.
      setting[path: option.slot != nil && !option.path.hasSuffix(".type") ? option.path + ".type" : option.path] = value
    }
    return JSONValue(setting)
  }

  private var parameters: JSONValue {
    var parts = JSONObject()
    for part in sheet.footprint.parts where part.parameterCount > 0 {
      parts[part.name.description] = .integer(part.parameterCount)
    }
    return [
      "total": .integer(sheet.footprint.parameterCount), "active": .integer(sheet.plan.activeParameterCount),
      "expected": sheet.architecture.expectedParams.map { .integer($0) } ?? .null, "parts": .object(parts),
    ]
  }

  private func bytes(_ count: (StorageFormat) -> Int) -> JSONValue {
    var object = JSONObject()
    for format in PlannedState.formats { object[format.rawValue] = .integer(count(format)) }
    return .object(object)
  }

  private var plan: JSONValue {
    let steps = sheet.plan.steps.map { step -> JSONValue in
      [
        "scope": .string(step.scope.text), "operator": .string(step.operation.name),
        "detail": .string(step.operation.attributes.listing),
        "inputs": .array(step.inputs.map { .integer($0.index) }),
        "outputs": .array(step.outputs.map { ["value": .integer($0.index), "width": .integer($0.width)] }),
        "tensors": .array(
          step.parameters.map { index in
            let tensor = sheet.plan.parameters[index]
            return ["name": .string(tensor.name.text), "shape": .array(tensor.shape.map { .integer($0) })]
          }),
      ]
    }
    return .array(steps)
  }
}
