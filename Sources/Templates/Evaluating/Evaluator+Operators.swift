import Essentials

extension Evaluator {
  func wrong(_ value: TemplateValue, for sign: String) -> TemplateFault {
    if case .undefined(let why) = value { return TemplateFault(why) }
    return TemplateFault("'\(sign)' takes no value of the type '\(value.type)'")
  }

  private func overflow(_ sign: String) -> TemplateFault {
    TemplateFault("the result of '\(sign)' is an integer too large for 64 bits", kind: .limit)
  }

  func negated(_ value: TemplateValue) throws(TemplateFault) -> TemplateValue {
    if let integer = value.integer {
      let (result, isTooLarge) = (0).subtractingReportingOverflow(integer)
      if isTooLarge { throw overflow("-") }
      return .int(result)
    }
    guard case .float(let number) = value else { throw wrong(value, for: "-") }
    return .float(-number)
  }

  /// The value of `left how right`, as Python has it.
  func binary(_ how: BinaryOperator, _ left: TemplateValue, _ right: TemplateValue) throws(TemplateFault)
    -> TemplateValue
  {
    for case .undefined(let why) in [left, right] { throw TemplateFault(why) }
    if let a = left.integer, let b = right.integer { return try whole(how, a, b) }
    if let a = left.number, let b = right.number { return .float(try real(how, a, b)) }
    switch how {
    case .add: return try added(left, right)
    case .multiply:
      if let count = right.integer { return try repeated(left, count) }
      if let count = left.integer { return try repeated(right, count) }
    case .remainder:
      if let format = left.text {
        return left.like(try Formatting(self).percent(format, right))
      }
    default: break
    }
    throw TemplateFault("'\(how.rawValue)' takes no values of the types '\(left.type)' and '\(right.type)'")
  }

  private func whole(_ how: BinaryOperator, _ a: Int, _ b: Int) throws(TemplateFault) -> TemplateValue {
    let result: (partialValue: Int, overflow: Bool)
    switch how {
    case .add: result = a.addingReportingOverflow(b)
    case .subtract: result = a.subtractingReportingOverflow(b)
    case .multiply: result = a.multipliedReportingOverflow(by: b)
    case .divide: return .float(try real(how, Double(a), Double(b)))
    case .floorDivide, .remainder:
      if b == 0 { throw TemplateFault("division by zero") }
      result = how == .remainder ? a.remainderReportingOverflow(dividingBy: b) : a.dividedReportingOverflow(by: b)
      if result.overflow {
        if how == .remainder { return .int(0) }
        break
      }
      // Python rounds down: the remainder has the divisor's sign.
      let rest = how == .remainder ? result.partialValue : a - result.partialValue * b
      let turns = rest != 0 && (rest < 0) != (b < 0)
      return .int(how == .remainder ? turns ? rest + b : rest : turns ? result.partialValue - 1 : result.partialValue)
    case .power:
      if b < 0 { return .float(try real(how, Double(a), Double(b))) }
      return .int(try power(a, b))
    }
    if result.overflow { throw overflow(how.rawValue) }
    return .int(result.partialValue)
  }

  private func power(_ base: Int, _ exponent: Int) throws(TemplateFault) -> Int {
    var (result, base, exponent) = (1, base, exponent)
    while exponent > 0 {
      if exponent & 1 == 1 {
        let (product, isTooLarge) = result.multipliedReportingOverflow(by: base)
        if isTooLarge { throw overflow("**") }
        result = product
      }
      exponent >>= 1
      if exponent == 0 { break }
      let (square, isTooLarge) = base.multipliedReportingOverflow(by: base)
      if isTooLarge { throw overflow("**") }
      base = square
    }
    return result
  }

  private func real(_ how: BinaryOperator, _ a: Double, _ b: Double) throws(TemplateFault) -> Double {
    switch how {
    case .add: return a + b
    case .subtract: return a - b
    case .multiply: return a * b
    case .divide, .floorDivide, .remainder:
      if b == 0 { throw TemplateFault("division by zero") }
      if how == .divide { return a / b }
      var rest = fmod(a, b)
      if rest != 0, (rest < 0) != (b < 0) { rest += b }
      if how == .remainder { return rest == 0 ? copysign(0, b) : rest }
      let quotient = (a - rest) / b
      let floored = quotient.rounded(.down)
      return quotient - floored > 0.5 ? floored + 1 : quotient == 0 ? copysign(0, a / b) : floored
    case .power:
      if a == 0, b < 0 { throw TemplateFault("0 has no negative power") }
      let result = pow(a, b)
      if a < 0, result.isNaN, !b.isNaN { throw TemplateFault("the power of a negative number is no real number") }
      if result.isInfinite, a.isFinite, b.isFinite { throw TemplateFault("the result of '**' is too large") }
      return result
    }
  }

  private func added(_ left: TemplateValue, _ right: TemplateValue) throws(TemplateFault) -> TemplateValue {
    switch (left, right) {
    case (.list(let a), .list(let b)):
      try budget.spend(a.list.count + b.list.count)
      return try .list(of: a.list + b.list)
    case (.tuple(let a), .tuple(let b)):
      try budget.spend(a.list.count + b.list.count)
      return try .tuple(of: a.list + b.list)
    case (.string(let a), .string(let b)):
      try budget.write(a.utf8.count + b.utf8.count)
      return .string(a + b)
    default:
      guard var a = left.text, var b = right.text else {
        throw TemplateFault("'+' takes no values of the types '\(left.type)' and '\(right.type)'")
      }
      try budget.write((a.utf8.count + b.utf8.count) * 6)
      if case .string = left { a = a.htmlEscaped }
      if case .string = right { b = b.htmlEscaped }
      return .markup(a + b)
    }
  }

  private func repeated(_ value: TemplateValue, _ count: Int) throws(TemplateFault) -> TemplateValue {
    let count = max(0, count)
    switch value {
    case .string(let text), .markup(let text):
      try budget.write(text.utf8.count, times: count)
      return value.like(text.isEmpty ? "" : String(repeating: text, count: count))
    case .list(let items), .tuple(let items):
      let (total, isTooLarge) = items.list.count.multipliedReportingOverflow(by: count)
      try budget.spend(isTooLarge ? Int.max / 2 : total)
      let list = items.list.isEmpty ? [] : Array(repeatElement(items.list, count: count).joined())
      if case .list = value { return try .list(of: list) }
      return try .tuple(of: list)
    default: throw TemplateFault("'*' repeats no value of the type '\(value.type)'")
    }
  }

  /// `object[from:to:by]` as Python slices.
  func sliced(_ object: TemplateValue, _ from: Int?, _ to: Int?, _ by: Int?) throws(TemplateFault) -> TemplateValue {
    let step = by ?? 1
    if step == 0 { throw TemplateFault("the step of a slice is 0") }
    func places(_ count: Int) -> (start: Int, count: Int) {
      func clipped(_ bound: Int, _ low: Int, _ high: Int) -> Int {
        max(low, min(high, bound < 0 ? max(bound, -count - 1) + count : bound))
      }
      let start = step > 0 ? clipped(from ?? 0, 0, count) : from.map { clipped($0, -1, count - 1) } ?? count - 1
      let stop = step > 0 ? clipped(to ?? count, 0, count) : to.map { clipped($0, -1, count - 1) } ?? -1
      let distance = step > 0 ? stop - start : start - stop
      // A step beyond the count takes one item; this keeps its magnitude a number.
      let size = step == .min ? Int.max : abs(step)
      return (start, distance <= 0 ? 0 : (distance - 1) / size + 1)
    }
    func cut<T>(_ items: [T]) -> [T] {
      let (start, count) = places(items.count)
      return count <= 1 ? (count == 1 ? [items[start]] : []) : (0..<count).map { items[start + $0 * step] }
    }
    switch object {
    case .string(let text), .markup(let text):
      try budget.spend(1 + text.utf8.count >> 4)
      if step == 1, text.utf8.allSatisfy({ $0 < 0x80 }) {
        let (start, count) = places(text.utf8.count)
        return object.like(String(Substring(text.utf8.dropFirst(start).prefix(count))))
      }
      return object.like(String(cut(Array(text.unicodeScalars))))
    case .list(let items):
      try budget.spend(items.list.count >> 3)
      return try .list(of: cut(items.list))
    case .tuple(let items):
      try budget.spend(items.list.count >> 3)
      return try .tuple(of: cut(items.list))
    case .range(let range):
      let (start, count) = places(range.count)
      let first = range.start + start * range.step
      let (stride, isTooLarge) = range.step.multipliedReportingOverflow(by: step)
      guard !isTooLarge else { throw overflow("[::]") }
      return .range(TemplateRange(start: first, stop: first + count * stride, step: stride))
    case .undefined(let why): throw TemplateFault(why)
    default: throw TemplateFault("a value of the type '\(object.type)' cannot be sliced")
    }
  }
}
