import Components
import Execution

extension PlanWalk {
  /// The steps whose backward is not the derivative of their forward, with the number where it is most wrong.
  ///
  /// Each step stands alone: with dy drawn and L = Σ dy ⊙ y, every input and tensor must have (L(x + ε) − L(x − ε)) / 2ε.
  func gradientFaults(_ sequences: [[Int]]) -> [String] {
    let result = run(sequences)
    var faults: [String] = []
    var seen: Set<StepKind> = []
    for (index, step) in plan.steps.enumerated() {
      // The same operator in another layer has the same fault.
      guard seen.insert(StepKind(operation: AnyHashable(step.operation), widths: step.inputs.map(\.width))).inserted
      else {
        continue
      }
      faults += gradientFaults(of: index, step.inputs.map { result.values[$0.index] }, sequences)
      if faults.count > 2 { break }
    }
    return faults
  }

  private func gradientFaults(of index: Int, _ inputs: [[Float]], _ sequences: [[Int]]) -> [String] {
    let step = plan.steps[index]
    guard let run = stepRun(index, pass(sequences)) else { return [] }
    let dy = noise(step, sequences)
    _ = run.forward(inputs)
    let gradients = run.backward(dy)
    func loss(_ inputs: [[Float]]) -> Double {
      zip(run.forward(inputs).outputs, dy).reduce(0) { sum, pair in
        zip(pair.0, pair.1).reduce(sum) { $0 + Double($1.0) * Double($1.1) }
      }
    }
    var faults: [String] = []
    for (place, value) in step.inputs.enumerated() {
      // Numbers that are all whole choose something, and have no gradient.
      guard let gradient = gradients.inputs[place], !inputs[place].allSatisfy({ $0.rounded() == $0 }) else { continue }
      let worst = worst(gradient) { number, change in
        var changed = inputs
        changed[place][number] += change
        return loss(changed)
      }
      if let worst {
        faults.append(
          "the gradient of input \(place) of \(words(index)) is wrong at row \(worst.place / value.width), number "
            + "\(worst.place % value.width): \(worst.words)")
      }
    }
    for (place, parameter) in step.parameters.enumerated() {
      guard let numbers = parameters.mutable(parameter) else { continue }
      let worst = worst(gradients.parameters[place]) { number, change in
        let original = numbers[number]
        numbers[number] += change
        defer { numbers[number] = original }
        return loss(inputs)
      }
      if let worst {
        faults.append(
          "the gradient of \(plan.parameters[parameter].name) by \(words(index)) is wrong at number \(worst.place): \(worst.words)"
        )
      }
    }
    return faults
  }

  /// Where a gradient is furthest from finite differences.
  private struct Worst {
    let place: Int
    let analytic: Float
    let measured: Double
    var words: String { "analytic \(analytic), finite difference \(Float(measured))" }
  }

  /// The number of `gradient` that is furthest from (L(+ε) − L(−ε)) / 2ε; nil where none is further than 2 % and what
  /// `Float` leaves of a difference. Of two ε the better counts, for a kink may lie at one.
  private func worst(_ gradient: [Float], _ loss: (_ number: Int, _ change: Float) -> Double) -> Worst? {
    var worst: Worst?
    let size = gradient.reduce(0) { max($0, abs($1)) }
    // Enough to find what is wrong everywhere; more would take long where a table is large.
    for number in stride(from: 0, to: gradient.count, by: max(1, gradient.count / 400)) {
      let analytic = gradient[number]
      let slopes = [Float(1e-2), 1e-3].map { (loss(number, $0) - loss(number, -$0)) / Double(2 * $0) }
      let measured = slopes.min { abs($0 - Double(analytic)) < abs($1 - Double(analytic)) } ?? 0
      let distance = abs(measured - Double(analytic))
      if distance <= 0.02 * abs(measured) + 0.005 * Double(max(size, 1)) { continue }
      if worst.map({ distance > abs($0.measured - Double($0.analytic)) }) ?? true || analytic.isNaN {
        worst = Worst(place: number, analytic: analytic, measured: measured)
      }
    }
    return worst
  }
}

/// Steps that compute alike: the same operator, set to the same, over rows of the same widths.
private struct StepKind: Hashable {
  let operation: AnyHashable
  let widths: [Int]
}
