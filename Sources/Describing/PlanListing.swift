import Components

/// A plan as text: a line a step, each distinct layer once.
///
///     layers 0–11
///       x2 = layernorm x1             768     attn_norm.weight [768], attn_norm.bias [768]     eps 1e-05
///
/// Values are numbered anew in every section, in the order they appear; `x1` is the first that the section reads.
public struct PlanListing: Sendable {
  private let plan: Plan
  private let everyLayer: Bool

  /// The listing of `plan`; with `everyLayer`, no two layers share lines.
  public init(_ plan: Plan, everyLayer: Bool = false) {
    self.plan = plan
    self.everyLayer = everyLayer
  }

  /// The lines.
  public var text: String {
    var lines = ["\(plan.name): \(plan.parameterCount.grouped) parameters"]
    var seen: Set<String?> = []
    for section in PlanSections(plan).sections {
      let stack = section.stack.map { $0 + " " } ?? ""
      let isFirst = seen.insert(section.stack).inserted
      if section.layers.isEmpty {
        let end = section.stack == nil ? "logits" : "states"
        let isEnd = section.stack == nil ? section.steps.first?.outputs.first?.axis == .outputs : !isFirst
        lines.append(stack + (isEnd ? end : "tokens"))
        lines += rows(section.steps)
      } else if everyLayer {
        for layer in section.layers {
          lines.append("\(stack)layer \(layer)")
          lines += rows(plan.steps.filter { $0.scope.layer == layer && $0.scope.stack == section.stack })
        }
      } else {
        lines.append("\(stack)\(section.layers.count == 1 ? "layer" : "layers") \(ranges(section.layers))")
        lines += rows(section.steps)
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func rows(_ steps: [Step]) -> [String] {
    var numbers: [Value: Int] = [:]
    let name = { (value: Value) -> String in
      let number = numbers[value] ?? numbers.count + 1
      numbers[value] = number
      return "x\(number)"
    }
    return steps.map { step in
      let inputs = step.inputs.map(name)
      let outputs = step.outputs.map(name)
      let call = "\(outputs.joined(separator: ", ")) = \(([step.operation.name] + inputs).joined(separator: " "))"
      let width = step.outputs.map { String($0.width) }.joined(separator: ", ")
      let columns = [
        call.padded(to: 30), width.padded(to: 7), step.tensorNames(in: plan).joined(separator: ", "),
        step.operation.attributes.listing,
      ]
      return "  " + columns.filter { !$0.isEmpty }.joined(separator: "  ").trimmingEnd()
    }
  }
}

/// Layer numbers as ranges: `0–2, 4–6`.
public func ranges(_ numbers: [Int]) -> String {
  var parts: [(first: Int, last: Int)] = []
  for number in numbers {
    if let last = parts.last?.last, last + 1 == number {
      parts[parts.count - 1].last = number
    } else {
      parts.append((number, number))
    }
  }
  return parts.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)–\($0.last)" }.joined(separator: ", ")
}

extension String {
  /// The text with spaces after it, up to `width` characters.
  func padded(to width: Int) -> String {
    count >= width ? self : self + String(repeating: " ", count: width - count)
  }

  func trimmingEnd() -> String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}
