import Composition
import Describing
import Models
import Plans

/// The page beside an exported model: what it is, what made it, how it is used.
public struct ExportPage {
  /// The text.
  public let text: String

  private static let training = """
    | `train.py` | trains it: `python train.py`, or `torchrun --nproc-per-node 8 train.py --bf16 --compile` |
    | `training.bin`, `validation.bin` | the tokens |

    """

  /// The page of `described`, which `command` wrote.
  public init(_ described: ModelDescription, command: String, hasWeights: Bool, trains: Bool) {
    let plan = described.plan
    let made = hasWeights ? "load(\"model.safetensors\")" : "Model()"
    let names = hasWeights ? "load" : "Model"
    text = """
      # \(plan.name)

      \(plan.parameterCount.grouped) parameters, written by `\(command)`.

      | File | |
      |---|---|
      | `model.py` | the model, in one file that needs nothing but torch |
      | `sample.py` | loads the weights and generates: `python sample.py 1 2 3` |
      \(hasWeights ? "| `model.safetensors` | its weights, under the names of its modules |\n" : "")\(trains ? Self.training : "")| `spec.yaml` | the spec that it was composed from: `chimera show spec.yaml` |

      ```python
      import torch
      from \(hasWeights ? "sample" : "model") import \(names)

      model = \(made)\(hasWeights ? "" : "\nmodel.init_weights()")
      print(model.generate(torch.tensor([[1, 2, 3]]), 20))
      ```

      """
  }
}
