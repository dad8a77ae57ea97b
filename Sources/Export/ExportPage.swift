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
    let sample = plan.continuesTexts ? "loads the weights and generates: `python sample.py 1 2 3`" : "loads the weights"
    text = """
      # \(plan.name)

      \(plan.parameterCount.grouped) parameters, written by `\(command)`.

      | File | |
      |---|---|
      | `model.py` | the model, in one file that needs nothing but torch |
      | `sample.py` | \(sample) |
      \(hasWeights ? "| `model.safetensors` | its weights, under the names of its modules |\n" : "")\(trains ? Self.training : "")| `spec.yaml` | the spec that it was composed from: `chimera show spec.yaml` |

      ```python
      import torch
      from \(hasWeights ? "sample" : "model") import \(names)

      model = \(made)\(hasWeights ? "" : "\nmodel.init_weights()")
      print(\(Self.use(plan)))
      ```

      """
  }

  /// A call of `model`.
  private static func use(_ plan: Plan) -> String {
    if plan.continuesTexts { return "model.generate(torch.tensor([[1, 2, 3]]), 20)" }
    guard let inputs = try? ModelInputs(plan, for: .plain) else { return "model" }
    func pictures(on axis: RowAxis, _ patches: PatchGrid) -> String {
      let rows = (axis == .tokens ? plan.shape.contextLength : plan.longestInput(on: axis)) - patches.rowsBefore
      let side = Int(Double(rows).squareRoot()) * patches.size
      return "torch.randn(1, \(patches.channels), \(side), \(side))"
    }
    guard inputs.readsTokens else {
      return "model(\(inputs.pictures.map { pictures(on: $0.axis, $0.patches) } ?? ""))"
    }
    if inputs.source != nil { return "model.generate(torch.tensor([[0]]), torch.tensor([[1, 2, 3]]), 20)" }
    guard let (axis, patches) = inputs.pictures, let stack = plan.pictureStacks.first else {
      return "model(torch.tensor([[1, 2, 3]]))"
    }
    let rows = (plan.longestInput(on: axis))
    let places = "[\(stack.placeholder ?? 0)] * \(plan.rows(on: stack.states.axis, of: rows))"
    let words = (1...3).filter { $0 != stack.placeholder }.prefix(2).map(String.init).joined(separator: ", ")
    return "model(torch.tensor([\(places) + [\(words)]]), \(pictures(on: axis, patches)))"
  }
}
