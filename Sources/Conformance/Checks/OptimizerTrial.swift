import Components
import Kernels

/// An optimizer with options, tried on a tensor of every kind that plans have.
///
/// Each tensor p stands in a bowl of its own, ½·Σ c·(p − goal)² with c between a half and one and a half, whose gradients
/// are known. Every run has an optimizer of its own, made from the same options.
struct OptimizerTrial: Trial {
  let setting: String
  let checks: [Check] = [.descent, .reference, .threads, .saving, .memory]
  let place = "the optimizer"
  private let options: Setting
  private let registry: Registry

  /// A look at the optimizer of `sample`; throws what is wrong with its options.
  init(_ sample: ConformanceCase, of registry: Registry) throws {
    setting = sample.description
    options = sample.setting
    self.registry = registry
    _ = try run(Self.tensors[0], steps: 0)
  }

  /// Matrices wide and tall, several of which a token meets some, a vector, a single number, and one outside the layers.
  private static let tensors = [
    tensor("layers.0.attn.q.weight", [12, 20]), tensor("layers.1.mlp.up.weight", [33, 12]),
    PlannedTensor(name: "layers.0.moe.experts.*.up.weight", shape: [3, 8, 10], initialization: .zeros, chosen: 2),
    tensor("final_norm.weight", [37]), tensor("layers.0.attn_residual.scale", [1]),
    tensor("embed.tokens.weight", [13, 16]),
  ]
  /// A matrix and a vector that are worth dividing over threads.
  private static let large = [tensor("layers.0.mlp.down.weight", [160, 320]), tensor("final_norm.weight", [70_001])]

  private static func tensor(_ name: TensorName, _ shape: [Int]) -> PlannedTensor {
    PlannedTensor(name: name, shape: shape, initialization: .zeros)
  }

  private static let steps = 8

  func sentences(_ check: Check) throws -> [String] {
    switch check {
    case .descent: try first(of: Self.tensors, descent)
    case .reference: try first(of: Self.tensors, reference)
    case .threads: try first(of: Self.large, threads)
    case .saving: try first(of: Self.tensors, saving)
    case .memory: try first(of: Self.tensors, memory)
    default: []
    }
  }

  /// What is wrong with the first tensor with which something is: the others would say the same.
  private func first(of tensors: [PlannedTensor], _ look: (PlannedTensor) throws -> [String]) rethrows -> [String] {
    for tensor in tensors {
      let sentences = try look(tensor)
      if !sentences.isEmpty { return sentences }
    }
    return []
  }

  /// It goes downhill at its usual rate, half as fast along gradients of twice the size that are to be halved, nowhere at a
  /// rate of 0, and not out of the world where the ground is flat.
  private func descent(_ tensor: PlannedTensor) throws -> [String] {
    let course = try run(tensor, steps: Self.steps)
    guard course.parameters.allSatisfy(\.isFinite) else {
      return ["after \(Self.steps) steps \(course.words) has numbers that are not finite"]
    }
    let (before, after) = (course.bowl.loss(course.bowl.start), course.bowl.loss(course.parameters))
    if after >= before {
      return [
        "it \(after == before ? "does not go downhill" : "goes uphill"): \(Self.steps) steps at its usual rate take the loss of a bowl "
          + "over \(course.words) from \(before) to \(after)"
      ]
    }
    if try run(tensor, steps: Self.steps, gradientScale: 0.5) != course {
      return [
        "gradients of twice the size with a gradientScale of 0.5 move \(course.words) elsewhere: it does not multiply by gradientScale"
      ]
    }
    if try run(tensor, steps: 2, rate: 0).parameters != course.bowl.start {
      return ["at a rate of 0 it moves \(course.words)"]
    }
    if try !run(tensor, steps: 2, isFlat: true).parameters.allSatisfy(\.isFinite) {
      return ["where all gradients are zero it gives \(course.words) numbers that are not finite"]
    }
    return []
  }

  /// Where there is an exact form, the parameters and moments after every step are near what it gives from the same place: 1e-6 of the
  /// number and of 1, which is some roundings of `Float`.
  private func reference(_ tensor: PlannedTensor) throws -> [String] {
    let optimizer: any Optimizer = try registry.make(.optimizer, options)
    guard let exact = optimizer as? any ExactOptimizer else { return [] }
    let rate = type(of: optimizer).defaultLearningRate
    var before = try run(tensor, steps: 0)
    for step in 1...Self.steps {
      let after = try run(tensor, steps: step, from: before)
      for (i, gradient) in before.gradients.enumerated() {
        var moments = before.moments.map { Double($0[i]) }
        let place = exact.exact(
          Double(before.parameters[i]), gradient: Double(gradient), moments: &moments, of: tensor, step: step,
          rate: rate)
        let results =
          [("", after.parameters[i], place)]
          + zip(after.names, zip(after.moments, moments)).map { (" in the moment '\($0)'", $1.0[i], $1.1) }
        for (what, found, wanted) in results where !(abs(Double(found) - wanted) <= 1e-6 * max(1, abs(wanted))) {
          return [
            "step \(step) takes number \(i) of \(after.words)\(what) to \(found), where exact arithmetic gives \(wanted)"
          ]
        }
      }
      before = after
    }
    return []
  }

  /// The same bits on one thread and on three, and again.
  private func threads(_ tensor: PlannedTensor) throws -> [String] {
    let one = try run(tensor, steps: 2)
    if try run(tensor, steps: 2, threads: 3) == one { return [] }
    return ["1 and 3 threads give \(one.words) other bits"]
  }

  /// Stopped in the middle and continued by another optimizer from what was saved, a run ends in the same bits.
  private func saving(_ tensor: PlannedTensor) throws -> [String] {
    let whole = try run(tensor, steps: Self.steps)
    let half = try run(tensor, steps: Self.steps / 2)
    if try run(tensor, steps: Self.steps, from: half) == whole { return [] }
    return [
      "stopped after \(Self.steps / 2) steps and continued from its moments, \(whole.words) ends in other bits: it keeps something that "
        + "is not saved"
    ]
  }

  /// It writes the parameters and the moments that it declares, all of these, and nothing else.
  private func memory(_ tensor: PlannedTensor) throws -> [String] {
    let course = try run(tensor, steps: Self.steps)
    var sentences = course.faults
    if Set(course.names).count < course.names.count {
      sentences.append("two of the moments of \(course.words) have one name: \(course.names.joined(separator: ", "))")
    }
    for (name, numbers) in zip(course.names, course.moments) where numbers.allSatisfy({ $0 == 0 }) {
      sentences.append("it declares the moment '\(name)' of \(course.words) and keeps nothing in it")
    }
    return sentences
  }

  /// `steps` steps in all, those of `before` among them.
  private func run(
    _ tensor: PlannedTensor, steps: Int, threads: Int = 1, rate: Double? = nil, gradientScale: Double = 1,
    isFlat: Bool = false,
    from before: OptimizerCourse? = nil
  ) throws -> OptimizerCourse {
    let optimizer: any Optimizer = try registry.make(.optimizer, options)
    var course = before ?? OptimizerCourse(tensor, names: optimizer.moments(of: tensor))
    let rate = rate ?? type(of: optimizer).defaultLearningRate
    let pool = ThreadPool(threads: threads)
    while course.steps < steps {
      course.advance(optimizer, rate: rate, gradientScale: gradientScale, isFlat: isFlat, pool: pool)
    }
    return course
  }
}
