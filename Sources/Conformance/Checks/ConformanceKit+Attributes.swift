import Components
import Execution
import Kernels

extension ConformanceKit {
  /// The options of a component that change results and that no attribute of an operator tells.
  ///
  /// Each option is set to something else by itself. Where the logits then change over the same weights, the plans must
  /// differ: otherwise `save`, `diff`, listings and drawings would take the two models for one.
  func attributeFaults(of sample: ConformanceCase) -> [Fault] {
    guard sample.component.slot.isOfModel, let base = try? model(sample),
      let before = try? base.logits(TinyModel.tokens, parts: TinyModel.tokens.count)
    else { return [] }
    var faults: [Fault] = []
    for option in sample.component.options {
      for value in Self.others(than: sample.setting[path: option.path], option) {
        var setting = sample.setting
        setting[path: option.path] = value
        guard let other = try? model(ConformanceCase(sample.component, setting)),
          base.plan.difference(from: other.plan) == nil, other.copyWeights(of: base),
          let after = try? other.logits(TinyModel.tokens, parts: TinyModel.tokens.count), before != after
        else { continue }
        faults.append(
          Fault(
            .attributes,
            "'\(option.path)' changes results, and no attribute of an operator tells it (\(value.text ?? "a list"))",
            setting: sample.description))
        break
      }
    }
    return faults
  }

  /// Values that `option` may take besides `now`; what a component refuses of them is left out by whoever tries them.
  private static func others(than now: Setting?, _ option: OptionDescription) -> [Setting] {
    let text = now?.text ?? option.defaultText
    let number = text.flatMap(Double.init)
    let words: [String]
    switch option.kind {
    case .flag: words = ["true", "false"]
    case .choice(let choices): words = choices
    case .integer: words = [(number ?? 1) + 1, (number ?? 2) * 2, (number ?? 4) - 1, 1, 2, 3].map { String(Int($0)) }
    case .number:
      words = [number.map { $0 * 1.5 }, number.map { $0 / 2 }, 0.25, 0.7, 2].compactMap { $0 }.map { "\($0)" }
    case .numberOrWord(let choices): words = choices + ["0.25", "0.7", "2"]
    case .numbers:
      guard let list = now?.list?.compactMap(\.number), !list.isEmpty else { return [] }
      return [Setting(.list(list.map { Setting(text: "\($0 * 1.5)") }))]
    case .text, .flags, .namedNumbers, .component, .group: return []
    }
    return words.filter { $0 != text }.map { Setting(text: $0) }
  }
}

extension TinyModel {
  /// Takes the weights of `other`, whose tensors have the same names and shapes; false where some have not.
  fileprivate func copyWeights(of other: TinyModel) -> Bool {
    guard plan.parameters.map(\.shape) == other.plan.parameters.map(\.shape) else { return false }
    for index in plan.parameters.indices {
      let numbers = other.parameters.values(index)
      guard let own = parameters.mutable(index), own.count == numbers.count else { return false }
      _ = own.update(from: numbers)
    }
    return true
  }
}
