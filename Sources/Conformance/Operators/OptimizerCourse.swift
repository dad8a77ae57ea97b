import Components
import Kernels

/// The way of one tensor under an optimizer: where it is after some steps, and what the optimizer keeps of it.
struct OptimizerCourse: Equatable {
  let tensor: PlannedTensor
  let bowl: Bowl
  /// What the optimizer calls what it keeps.
  let names: [String]
  private(set) var parameters: [Float]
  private(set) var moments: [[Float]]
  private(set) var steps = 0
  /// What was written that is not the optimizer's to write, in sentences.
  private(set) var faults: [String] = []

  /// ½·Σ c·(p − goal)².
  struct Bowl: Equatable {
    let start: [Float]
    let goal: [Float]
    let c: [Float]

    init(_ count: Int) {
      var noise = Noise(seed: UInt64(count))
      start = (0..<count).map { _ in noise.next() / 2 }
      goal = start.map { $0 + (0.5 + abs(noise.next())) * (noise.next() < 0 ? -1 : 1) }
      c = start.map { _ in 1 + noise.next() / 2 }
    }

    func loss(_ p: [Float]) -> Double {
      p.indices.reduce(0) { sum, i in
        let distance = Double(p[i]) - Double(goal[i])
        return sum + Double(c[i]) * distance * distance / 2
      }
    }
  }

  /// `tensor` before the first step, of which an optimizer keeps `names`.
  init(_ tensor: PlannedTensor, names: [String]) {
    self.tensor = tensor
    self.names = names
    bowl = Bowl(tensor.count)
    parameters = bowl.start
    moments = names.map { _ in [Float](repeating: 0, count: tensor.count) }
  }

  /// The tensor in words.
  var words: String { "\(tensor.name) \(tensor.shape)" }

  /// The bowl's gradients where the tensor is.
  var gradients: [Float] { parameters.indices.map { bowl.c[$0] * (parameters[$0] - bowl.goal[$0]) } }

  /// One step of `optimizer` in memory between walls, along gradients that come to the bowl's when they are multiplied by
  /// `gradientScale`; all zero where it is flat.
  mutating func advance(_ optimizer: any Optimizer, rate: Double, gradientScale: Double, isFlat: Bool, pool: ThreadPool)
  {
    let gradients = gradients.map { isFlat ? 0 : $0 / Float(gradientScale) }
    let (p, g, m) = (GuardedMemory(parameters), GuardedMemory(gradients), moments.map { GuardedMemory($0) })
    steps += 1
    optimizer.update(
      TensorUpdate(
        tensor: tensor, parameters: p.base, gradients: g.base, moments: m.map(\.base), step: steps, rate: rate,
        gradientScale: gradientScale, pool: pool))
    parameters = p.numbers
    moments = m.map(\.numbers)
    if !p.isIntact { note("it writes beyond the numbers of \(words)") }
    for (name, memory) in zip(names, m) where !memory.isIntact {
      note("it writes beyond the moment '\(name)' of \(words)")
    }
    if !g.isIntact || g.numbers != gradients { note("it changes the gradients of \(words)") }
  }

  private mutating func note(_ sentence: String) {
    if !faults.contains(sentence) { faults.append(sentence) }
  }
}
