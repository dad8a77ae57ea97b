import Composition
import Describing
import Models
import Plans

/// The card of a model that was exported for transformers: what it is, what made it, what it costs, how it is used.
public struct ModelCard {
  /// The text of `README.md`.
  public let text: String

  /// The card of `described`, which `command` wrote with the spec `specification`.
  public init(
    _ described: ModelDescription, _ names: TransformersNames, command: String, specification: String, hasWeights: Bool
  ) {
    let sheet = ModelSheet(described.architecture, described.choices, described.plan)
    let drawing = DiagramText(sheet.diagram, width: 100, variants: described.architecture.layers.map(\.variant)).text
    let rows = sheet.footprint.parts.filter { $0.parameterCount > 0 }.map { part in
      "| \(part.name.description) | \(part.parameterCount.grouped) | \(Quantity.share(part.parameterCount, of: sheet.footprint.parameterCount)) |"
    }
    let total = described.plan.parameterCount
    let made =
      hasWeights
      ? "model = AutoModelForCausalLM.from_pretrained(\".\", trust_remote_code=True)"
      : "config = AutoConfig.from_pretrained(\".\", trust_remote_code=True)\nmodel = AutoModelForCausalLM.from_config(config, trust_remote_code=True)"
    text = """
      ---
      library_name: transformers
      pipeline_tag: text-generation
      tags:
      - chimera
      ---

      # \(described.plan.name)

      \(total.grouped) parameters, written by `\(command)`.

      ```python
      import torch
      from transformers import \(hasWeights ? "" : "AutoConfig, ")AutoModelForCausalLM

      \(made)
      print(model.generate(torch.tensor([[1, 2, 3]]), max_new_tokens=20))
      ```

      `\(names.modeling).py` has the classes and `\(names.configuration).py` their configuration; both need `torch` and
      `transformers` 5.23 or later, and nothing else. \(hasWeights ? "" : "There are no weights in this folder: the model starts as its spec says. ")Weights that are trained here come back
      by `chimera import`.

      ## Architecture

      ```
      \(drawing.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).joined(separator: "\n"))
      ```

      | part | parameters | |
      |---|---:|---:|
      \((rows + ["| total | \(total.grouped) | |"]).joined(separator: "\n"))

      ## Spec

      ```yaml
      \(specification.hasSuffix("\n") ? String(specification.dropLast()) : specification)
      ```

      """
  }
}
