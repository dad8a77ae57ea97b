import Describing
import Components
import Specification

/// Reads what a study holds equal: a word, or a group with the tolerance of what is held.
struct HoldReader {
  private let setting: Setting?

  init(_ setting: Setting?) { self.setting = setting }

  func read(_ problems: inout Problems) -> Hold {
    var hold = Hold()
    guard let setting else { return hold }
    if let word = setting.text {
      guard let quantity = Hold.Quantity(rawValue: word) else {
        let words = Hold.Quantity.allCases.map(\.rawValue)
        problems.add(
          Problem(
            "'hold' takes params, flops, none or a group, not '\(word.prefix(40))'", at: setting.place,
            hint: nearestName(to: word, in: words).map { "did you mean '\($0)'?" }))
        return hold
      }
      hold.quantity = quantity
      return hold
    }
    guard let entries = setting.entries else {
      problems.add(
        Problem("'hold' takes params, flops, none or a group, not \(setting.kindInWords)", at: setting.place))
      return hold
    }
    if let params = setting["params"], setting["flops"] != nil {
      problems.add(Problem("one of params and flops can be held, not both", at: params.place))
    }
    if setting["params"] == nil, setting["flops"] == nil { hold.quantity = .none }
    for entry in entries { read(entry, into: &hold, &problems) }
    if let width = hold.width, hold.quantity == .none {
      problems.add(Problem("'by: \(width)' sizes arms, and neither params nor flops is held", at: hold.widthPlace))
    }
    return hold
  }

  private func read(_ entry: Setting.Entry, into hold: inout Hold, _ problems: inout Problems) {
    let value = entry.value
    switch entry.key {
    case "params", "flops":
      hold.quantity = entry.key == "params" ? .params : .flops
      guard let tolerance = HoldReader.tolerance(value) else {
        // 1 could be all of it, or one per cent.
        let hint = value.number.map { $0 > HoldReader.largestPart ? "write \(value.text ?? "")%" : "" } ?? ""
        problems.add(
          Problem(
            "'\(entry.key)' takes how far an arm may be off, as 1% or 0.01, not \(value.text ?? value.kindInWords)",
            at: value.place, hint: hint.isEmpty ? nil : hint))
        return
      }
      hold.tolerance = tolerance
    case "by":
      hold.width = value.text
      hold.widthPlace = value.place
      if value.text == nil {
        problems.add(
          Problem("'by' takes the path of a width, as mlp.intermediate_size, not \(value.kindInWords)", at: value.place)
        )
      }
    case "tokens":
      guard let tokens = value.integer, (1...1 << 50).contains(tokens) else {
        problems.add(
          Problem(
            "'tokens' takes an integer from 1 to \(1 << 50), not \(value.text ?? value.kindInWords)", at: value.place))
        return
      }
      hold.tokens = tokens
    case "data_order":
      let words = Hold.DataOrder.allCases.map(\.rawValue)
      guard let order = value.text.flatMap(Hold.DataOrder.init(rawValue:)) else {
        problems.add(
          Problem("'data_order' takes \(words.joined(separator: " or ")), not \(value.kindInWords)", at: value.place))
        return
      }
      hold.dataOrder = order
    default: problems.add(unknownKey(entry, in: "'hold'", among: StudyKeys.hold))
    }
  }

  /// A part that is written without a per-cent sign is at most this: 0.5 may be meant as half a per cent.
  private static let largestPart = 0.1

  /// `1%`, from 0 to 100 %, or `0.01`, from 0 to 0.1.
  private static func tolerance(_ setting: Setting) -> Double? {
    let isPercent = setting.text?.hasSuffix("%") ?? false
    let number = isPercent ? setting.text.flatMap { Setting(text: String($0.dropLast())).number } : setting.number
    guard let number, case let part = isPercent ? number / 100 : number,
      (0...(isPercent ? 1 : largestPart)).contains(part)
    else { return nil }
    return part
  }
}
