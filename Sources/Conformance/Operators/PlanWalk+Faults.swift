import Components
import Essentials

extension PlanWalk {
  /// What is wrong with how steps go backward over `sequences`, whose values are `result`: beyond memory, into gradients
  /// that others have added to, or by what they say that they do not read.
  func backwardFaults(_ result: Result, _ sequences: [[Int]]) -> [String] {
    var faults: [String] = []
    for (index, step) in plan.steps.enumerated() {
      guard let run = stepRun(index, pass(sequences)) else { continue }
      let inputs = step.inputs.map { result.values[$0.index] }
      let dy = noise(step, sequences)
      _ = run.forward(inputs)
      let plain = run.backward(dy)
      faults += plain.faults.map { "\(words(index)) \($0) in backward" }
      _ = run.forward(inputs)
      let added = run.backward(dy, adding: 0.5)
      for (place, (plain, added)) in zip(plain.inputs + plain.parameters, added.inputs + added.parameters).enumerated()
      {
        guard let plain, let added else { continue }
        let name =
          place < step.inputs.count
          ? "input \(place)" : plan.parameters[step.parameters[place - step.inputs.count]].name.text
        if plain.contains(where: \.isNaN) {
          faults.append(
            "\(words(index)) gives no number as the gradient of \(name): it does not assign all of it, or reads what it says that it does not"
          )
        } else if zip(plain, added).contains(where: { !(abs($0 + 0.5 - $1) <= 1e-4 * (1 + abs($0))) }) {
          faults.append(
            "\(words(index)) assigns the gradient of \(name), which others have added to already, instead of adding to it"
          )
        }
      }
      if faults.count > 3 { break }
    }
    return faults
  }

  /// The steps whose gradients follow from how work is divided, by `alone` and `divided`.
  func divisionFaults(_ result: Result, _ divided: PlanWalk) -> [String] {
    for (index, step) in plan.steps.enumerated() {
      let inputs = step.inputs.map { result.values[$0.index] }
      let dy = noise(step, ModelTrial.batch)
      let runs = [self, divided].compactMap { walk -> (inputs: [[Float]?], parameters: [[Float]], faults: [String])? in
        guard let run = walk.stepRun(index, walk.pass(ModelTrial.batch)) else { return nil }
        _ = run.forward(inputs)
        return run.backward(dy)
      }
      guard runs.count == 2 else { continue }
      for (a, b) in zip(runs[0].inputs + runs[0].parameters, runs[1].inputs + runs[1].parameters) {
        guard let a, let b else { continue }
        if zip(a, b).contains(where: { !(abs($0 - $1) <= 1e-4 * (1 + abs($0))) && !$0.isNaN }) {
          return ["\(words(index)) has gradients that follow from how the work is divided over threads"]
        }
      }
    }
    return []
  }

  /// The steps whose result is not near their exact form.
  func exactFaults(_ result: Result) -> [String] {
    var faults: [String] = []
    for (index, step) in plan.steps.enumerated() {
      guard let operation = step.operation as? any ExactKernel, let first = step.outputs.first else { continue }
      // Of rows made of several there are fewer than are looked at here.
      if case .derived = plan.axes[step.axis.index].kind { continue }
      let tensors = step.parameters.map { parameters.values($0).map(Double.init) }
      rows: for row in 0..<result.values[first.index].count / max(1, first.width) {
        let inputs = step.inputs.map { result.values[$0.index][row * $0.width..<(row + 1) * $0.width].map(Double.init) }
        guard let exact = operation.exact(inputs, parameters: tensors) else { break }
        for (output, expected) in zip(step.outputs, exact) {
          for (number, wanted) in expected.enumerated() {
            let found = Double(result.values[output.index][row * output.width + number])
            if !(abs(found - wanted) <= 1e-5 * (1 + abs(wanted))) {
              faults.append(
                "\(words(index)) gives \(found) at row \(row), number \(number), where exact arithmetic gives \(wanted)"
              )
              break rows
            }
          }
        }
      }
    }
    return faults
  }

  /// Gradients of the outputs of `step`, drawn.
  func noise(_ step: Step, _ sequences: [[Int]]) -> [[Float]] {
    var noise = Noise(seed: 3)
    let rows = sequences.reduce(0) { $0 + $1.count }
    return step.outputs.map { output in (0..<output.width * rows).map { _ in noise.next() } }
  }
}
