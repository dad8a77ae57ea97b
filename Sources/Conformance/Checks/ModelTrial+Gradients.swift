import Components
import Execution

extension ModelTrial {
  /// The loss is the sum over the tokens. Along a random direction d of one tensor, the gradient must give
  /// (loss(w + εd) − loss(w − εd)) / 2ε. Sums are in Double; with ε = 2e-3 the difference keeps 4 digits of Float. Where
  /// a kink lies in between, a smaller ε misses it and keeps 3 digits, so the better of the two counts. A place may still
  /// lie beside a jump, as where an expert is chosen; three near places seldom all do.
  func gradients() throws -> [String] {
    let originals = model.plan.parameters.indices.map(model.parameters.values)
    defer {
      for (index, numbers) in originals.enumerated() { _ = model.parameters.mutable(index)?.update(from: numbers) }
    }
    var noise = Noise(seed: 9)
    var faults: [String] = []
    for attempt in 0..<3 {
      for index in model.plan.parameters.indices where attempt > 0 {
        guard let numbers = model.parameters.mutable(index) else { continue }
        for i in numbers.indices { numbers[i] += 0.05 * noise.next() }
      }
      faults = try gradientsHere()
      if faults.isEmpty { break }
    }
    return faults
  }

  private func gradientsHere() throws -> [String] {
    let options = TrainingOptions(precision: .f32, recomputation: setting.count % 2 == 0 ? .none : .cheap)
    let executor = try trainer(threads: 2, options: options)
    var noise = Noise(seed: 5)
    let count = Double(Self.targetCount)
    let given = Self.batch.map(model.beside)
    let loss = { () throws -> Double in try count * executor.loss(Self.batch, targets: targets, beside: given) }
    _ = try executor.trainingLoss(Self.batch, targets: targets, beside: given, gradientScale: Float(Self.targetCount))
    let gradients = model.plan.parameters.indices.map { Array(executor.gradient($0)) }
    for (index, tensor) in model.plan.parameters.enumerated() {
      guard let numbers = model.parameters.mutable(index) else { continue }
      let original = Array(numbers)
      let direction = original.map { _ in noise.next() }
      let slope = { (step: Float) throws -> Double in
        for i in numbers.indices { numbers[i] = original[i] + step * direction[i] }
        let above = try loss()
        for i in numbers.indices { numbers[i] = original[i] - step * direction[i] }
        let below = try loss()
        for i in numbers.indices { numbers[i] = original[i] }
        return (above - below) / Double(2 * step)
      }
      let computed = zip(gradients[index], direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      let size = zip(gradients[index], direction).reduce(0) { $0 + abs(Double($1.0) * Double($1.1)) }
      let measured = try [2e-3, 3e-4].map(slope).min { abs($0 - computed) < abs($1 - computed) } ?? 0
      if abs(measured - computed) <= 0.01 * size + 0.02 { continue }
      // The step that is to blame, rather than every tensor that its gradient reaches.
      let culprits = try PlanWalk(model).gradientFaults(Self.batch)
      if !culprits.isEmpty { return culprits }
      return [
        "the gradient of \(tensor.name) is wrong along a random direction: analytic \(computed), finite difference \(measured)"
      ]
    }
    return []
  }
}
