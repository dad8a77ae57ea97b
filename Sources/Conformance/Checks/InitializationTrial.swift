import Components
import Essentials

/// An initialization with options, looked at in a small model.
struct InitializationTrial: Trial {
  let setting: String
  let checks: [Check] = [.rates]
  let place = "the initialization"
  private let plan: Plan
  private let name: String

  /// A look at the initialization of `sample`; throws what is wrong with its options.
  init(_ sample: ConformanceCase, of registry: Registry) throws {
    setting = sample.description
    var tree = try TinyModel.surroundings()
    tree["init"] = sample.setting
    plan = try TinyModel(tree, of: registry).plan
    name = sample.component.name
  }

  func sentences(_ check: Check) throws -> [String] {
    guard check == .rates else { return [] }
    var sentences: [String] = []
    for tensor in plan.parameters {
      if case .normal(let deviation) = tensor.initialization, !(deviation.isFinite && deviation >= 0) {
        sentences.append("'\(tensor.name)' starts with a standard deviation of \(deviation)")
      }
      for (word, factor) in [
        ("learning rate", tensor.update.rate), ("weight decay", tensor.update.decay), ("ε", tensor.update.epsilon),
      ] where !(factor.isFinite && factor > 0) {
        sentences.append("the \(word) of '\(tensor.name)' is multiplied by \(factor)")
      }
    }
    return sentences
  }
}
