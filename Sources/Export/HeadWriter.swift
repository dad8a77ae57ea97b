import Operators
import Plans

/// What makes logits of hidden states, in the class around the model's own, as transformers divides the two.
///
/// The matrix that gives logits is `lm_head`, a module of its own also where it is the embedding's: the library ties the
/// two, and whoever replaces a head looks for it there.
struct HeadWriter {
  /// The statements of `__init__`.
  let constructor: [String]
  /// The statements of `forward` that give `logits` of `x`.
  let forward: [String]
  /// The name of the matrix in the model's own class that the head's is tied to.
  let tiedTo: String?
  /// The names of tensors that stand in this class, by their index in the plan.
  let names: [Int: String]
  /// The steps.
  let steps: [Step]

  /// The head whose `steps` read `hidden` and nothing else of the model.
  init(_ steps: [Step], reading hidden: Value, in file: FileWriter) throws(ExportProblem) {
    self.steps = steps
    let plan = file.plan
    let written = Set(steps.flatMap(\.outputs))
    for step in steps {
      for value in step.inputs where value != hidden && !written.contains(value) {
        throw .noPlace(scope: step.scope.text, what: "the head reads more than the last hidden states")
      }
    }
    // The last matrix is the one that gives logits; operators that change them read no other.
    let last = steps.last { $0.operation is Linear && $0.outputs[0].width == plan.shape.vocabSize }
    let matrix = last?.parameters.first
    func isOwn(_ index: Int) -> Bool {
      file.firstReader(of: index).map { first in steps.contains { $0.outputs == first.outputs } } ?? true
    }
    let isTied = matrix.map { !isOwn($0) } ?? false
    var places: [Int: [String]] = [:]
    for step in steps {
      for index in step.parameters where places[index] == nil {
        let words = PyTorchFile.place(plan.parameters[index]).split(separator: ".").map(String.init)
        if let last, last.parameters.contains(index) {
          places[index] = ["lm_head", index == matrix ? "weight" : "bias"]
        } else {
          places[index] = isOwn(index) ? words : ["model"] + words
        }
      }
    }
    tiedTo = isTied ? matrix.map { "model." + PyTorchFile.place(plan.parameters[$0]) } : nil
    var names: [Int: String] = [:]
    for (index, place) in places where place.first != "model" && !(isTied && index == matrix) {
      names[index] = place.joined(separator: ".")
    }
    self.names = names
    let part = ModelPart(path: [], items: steps.map { .step($0) }, inputs: [hidden], result: plan.logits)
    let writer = PartWriter(
      part, in: file, inputs: [("x", "x", .rows)], returns: false, places: places, head: last?.outputs.first)
    try writer.write()
    guard !writer.needs.cache, !writer.needs.positions, !writer.needs.length else {
      throw .noPlace(scope: steps.first?.scope.text ?? "", what: "the head reads positions or what is kept of a text")
    }
    var lines = writer.lines
    if let result = writer.binding(of: plan.logits), result.expression.text != "logits" {
      lines.append("logits = \(result.expression.text)")
    }
    constructor = writer.settings.map { "self.\($0.0) = {{\($0.0)|\($0.1.text)}}" } + writer.tree.lines
    forward = lines
  }
}
