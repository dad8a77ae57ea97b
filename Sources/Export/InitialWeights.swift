import Essentials
import Plans

/// How a model's tensors start, as the fewest rules over their names.
struct InitialWeights {
  private let groups: [(rule: String, test: String?)]
  /// The rules of stacks beside the text's, by what the names of their tensors begin with.
  private let stacks: [(beginning: String, rules: InitialWeights)]

  /// The rules for the tensors of `plan`, which stand at `place`; `functions` is the module that has what draws them.
  init(_ plan: Plan, functions: String, place: (PlannedTensor) -> String) {
    var names: [String] = []
    for tensor in plan.parameters {
      if let stack = tensor.name.stack, !names.contains(stack) { names.append(stack) }
    }
    let stacks = names.map { name in
      (
        beginning: name + ".",
        rules: Self(plan.parameters.filter { $0.name.stack == name }, [], functions: functions, place: place)
      )
    }
    self.init(plan.parameters.filter { $0.name.stack == nil }, stacks, functions: functions, place: place)
  }

  private init(
    _ tensors: [PlannedTensor], _ stacks: [(beginning: String, rules: InitialWeights)], functions: String,
    place: (PlannedTensor) -> String
  ) {
    self.stacks = stacks
    // Names as modules have them, without the layer where all layers start alike.
    var byName: [String: Set<PlannedTensor.Initialization>] = [:]
    for tensor in tensors { byName[Self.tail(tensor, place), default: []].insert(tensor.initialization) }
    let ramps = byName.filter { $0.value.count > 1 }.keys.sorted().compactMap { tail in
      LayerRamp(tensors.filter { Self.tail($0, place) == tail }).map { (tail: tail, ramp: $0) }
    }
    let ramped = ramps.map(\.tail)
    var names: [PlannedTensor.Initialization: [String]] = [:]
    var order: [PlannedTensor.Initialization] = []
    for tensor in tensors {
      let tail = Self.tail(tensor, place)
      if ramped.contains(tail) { continue }
      let name = byName[tail]?.count == 1 ? tail : place(tensor)
      if names[tensor.initialization] == nil { order.append(tensor.initialization) }
      if names[tensor.initialization]?.contains(name) != true { names[tensor.initialization, default: []].append(name) }
    }
    let most = order.max { (names[$0]?.count ?? 0) < (names[$1]?.count ?? 0) }
    let usual = order.first { if case .normal = $0 { true } else { false } } ?? most
    var groups: [(String, String?)] = []
    func test(_ own: [String], _ others: [String]) -> String {
      let endings = NameEndings(own, against: others).endings.map { $0.hasPrefix("^") ? String($0.dropFirst()) : $0 }
      let list = endings.map { "\"\($0)\"" }.joined(separator: ", ")
      return endings.count == 1 ? "name.endswith(\(list))" : "name.endswith((\(list)))"
    }
    for start in order where start != usual {
      let others = names.filter { $0.key != start }.flatMap(\.value) + ramped
      groups.append((Self.rule(start, functions), test(names[start] ?? [], others)))
    }
    for (tail, ramp) in ramps {
      let others = names.flatMap(\.value) + ramped.filter { $0 != tail }
      groups.append((ramp.rule(functions), test([tail], others)))
    }
    if let usual { groups.append((Self.rule(usual, functions), nil)) }
    self.groups = groups
  }

  private static func tail(_ tensor: PlannedTensor, _ place: (PlannedTensor) -> String) -> String {
    let name = place(tensor)
    guard let layer = tensor.name.layer else { return "^" + name }
    return "." + name.dropFirst((tensor.name.stack.map { $0 + "." } ?? "").count + "layers.\(layer).".count)
  }

  private static func rule(_ start: PlannedTensor.Initialization, _ functions: String) -> String {
    switch start {
    case .zeros: "\(functions).zeros_(tensor)"
    case .constant(1): "\(functions).ones_(tensor)"
    case .constant(let value): "\(functions).constant_(tensor, \(PyTorchExpression(value).text))"
    case .normal(let deviation): "\(functions).normal_(tensor, std=\(PyTorchExpression(Float(deviation)).text))"
    case .uniform(let limit):
      "\(functions).uniform_(tensor, -\(PyTorchExpression(Float(limit)).text), \(PyTorchExpression(Float(limit)).text))"
    case .each(let values): each(values, functions)
    }
  }

  /// Numbers one by one, or by the formula that gives them.
  private static func each(_ values: [Double], _ functions: String) -> String {
    let period = (1...max(1, values.count / 2)).first { period in
      values.count % period == 0 && zip(values, values.dropFirst(period)).allSatisfy { $0 == $1 }
    }
    var (before, numbers) = formula(period.map { Array(values.prefix($0)) } ?? values)
    if let period, values.count > period { numbers += ".repeat(\(values.count / period)).view_as(tensor)" }
    // The library's own keeps what was loaded.
    return before + (functions == "nn.init" ? "tensor.copy_(\(numbers))" : "\(functions).copy_(tensor, \(numbers))")
  }

  /// The logarithms of 1, 2, 3 …; what softplus makes of numbers that are evenly spaced by their logarithm, or of −log x / 8
  /// for evenly spaced x; or a list.
  private static func formula(_ values: [Double]) -> (before: String, numbers: String) {
    func isNear(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * max(1, abs(b)) }
    func text(_ value: Double) -> String { PyTorchExpression(Float(value)).text }
    let count = values.count
    if values.enumerated().allSatisfy({ isNear($0.element, log(Double($0.offset + 1))) }) {
      return ("", "torch.arange(1, \(count + 1)).log()")
    }
    let steps = values.map { log1p(exp($0)) }
    if let first = steps.first, let last = steps.last, count > 1, first > 0 {
      let ratio = log(last / first) / Double(count - 1)
      if steps.enumerated().allSatisfy({ isNear(log($0.element), log(first) + Double($0.offset) * ratio) }) {
        let range = "\(text(log10(first))), \(text(log10(last)))"
        return ("steps = torch.logspace(\(range), \(count))  # their softplus\n", "steps.expm1().log()")
      }
    }
    let kept = steps.map { exp(-8 * $0) }
    if let first = kept.first, let last = kept.last, count > 1 {
      let step = (last - first) / Double(count - 1)
      if kept.enumerated().allSatisfy({ isNear($0.element, first + Double($0.offset) * step) }) {
        let range = "torch.linspace(\(text(first)), \(text(last)), \(count), dtype=torch.float64)"
        return ("kept = \(range)  # exp(-8 * their softplus)\n", "kept.log().div(-8).expm1().log()")
      }
    }
    return ("", "torch.tensor([\(values.map(text).joined(separator: ", "))])")
  }

  /// The statements of a loop over `name, tensor`.
  var lines: [String] {
    if stacks.allSatisfy({ $0.rules.ownLines == ownLines }) { return ownLines }
    let others = stacks.enumerated().flatMap { index, stack in
      ["\(index == 0 ? "if" : "elif") name.startswith(\"\(stack.beginning)\"):"]
        + stack.rules.ownLines.map { "    \($0)" }
    }
    return others + (groups.isEmpty ? [] : ["else:"] + ownLines.map { "    \($0)" })
  }

  private var ownLines: [String] {
    if groups.count == 1 { return Self.lines(groups[0].rule, "") }
    return groups.enumerated().flatMap { index, group in
      let word = group.test.map { "\(index == 0 ? "if" : "elif") \($0):" } ?? "else:"
      return [word] + Self.lines(group.rule, "    ")
    }
  }

  private static func lines(_ rule: String, _ margin: String) -> [String] {
    rule.split(separator: "\n").map { margin + $0 }
  }
}
