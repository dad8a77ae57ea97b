/// The numbers that a schema allows.
struct NumberRange: Sendable {
  struct Bound: Sendable {
    var value: DecimalNumber
    var isInclusive: Bool
  }

  var isInteger = false
  var lower: Bound?
  var upper: Bound?
  /// Each divides the number.
  var divisors: [DecimalNumber] = []

  /// A number with this value alone.
  init(exactly value: DecimalNumber) {
    isInteger = value.isInteger
    lower = Bound(value: value, isInclusive: true)
    upper = lower
  }

  init() {}

  /// The only value, where there is one.
  var single: DecimalNumber? {
    guard let lower, let upper, lower.isInclusive, upper.isInclusive, lower.value == upper.value else { return nil }
    return lower.value
  }

  mutating func raise(to bound: Bound) {
    if let lower, lower.value > bound.value || lower.value == bound.value && !lower.isInclusive { return }
    lower = bound
  }

  mutating func reduce(to bound: Bound) {
    if let upper, upper.value < bound.value || upper.value == bound.value && !upper.isInclusive { return }
    upper = bound
  }

  func intersection(_ other: NumberRange) -> NumberRange {
    var result = self
    result.isInteger = isInteger || other.isInteger
    if let bound = other.lower { result.raise(to: bound) }
    if let bound = other.upper { result.reduce(to: bound) }
    result.divisors += other.divisors.filter { !divisors.contains($0) }
    return result
  }

  /// Whether no number is in both, as far as their bounds say.
  func isApart(from other: NumberRange) -> Bool { intersection(other).boundsCross }

  var boundsCross: Bool {
    guard let lower, let upper else { return false }
    return lower.value > upper.value || lower.value == upper.value && !(lower.isInclusive && upper.isInclusive)
  }
}

extension NumberRange {
  struct TooLarge: Error {}

  /// The range as an expression; exponents are written only where nothing bounds the number.
  func expression() throws(TooLarge) -> Expression {
    let digits = Expression.scalars(ScalarSet([0x30...0x39]))
    if lower == nil, upper == nil, divisors.isEmpty {
      let whole = Expression.choice([
        .text("0"), .sequence([.scalars(ScalarSet([0x31...0x39])), .repeated(digits, minimum: 0, maximum: nil)]),
      ])
      let some = Expression.repeated(digits, minimum: 1, maximum: nil)
      var parts: [Expression] = [.optional(.text("-")), whole]
      if !isInteger {
        parts.append(.optional(.sequence([.text("."), some])))
        parts.append(
          .optional(
            .sequence([.scalars(ScalarSet([0x45, 0x65])), .optional(.scalars(ScalarSet([0x2B, 0x2D]))), some])))
      }
      return .sequence(parts)
    }
    if boundsCross { return .nothing }
    if let single, divisors.isEmpty { return isInteger && !single.isInteger ? .nothing : .text(single.text) }
    var choices: [Expression] = []
    let zero = Bound(value: .zero, isInclusive: true)
    // Below zero the magnitude is bounded the other way round.
    if lower == nil || lower?.value ?? .zero < .zero {
      let least =
        upper.map { $0.value < .zero } ?? false
        ? upper.map { Bound(value: $0.value.magnitude, isInclusive: $0.isInclusive) }
        : Bound(value: .zero, isInclusive: isInteger && (lower == nil) == (upper == nil))
      let most = lower.map { Bound(value: $0.value.magnitude, isInclusive: $0.isInclusive) }
      choices.append(.sequence([.text("-"), try magnitudes(from: least ?? zero, to: most)]))
    }
    if upper.map({ $0.value > .zero || $0.value == .zero && $0.isInclusive }) ?? true {
      let least = lower.map { $0.value < .zero ? zero : $0 } ?? zero
      choices.append(try magnitudes(from: least, to: upper))
    }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  /// How far a number has been read.
  private struct Reading: Hashable {
    /// How many digits are read, of the part that is being read.
    var place = 0
    var isFraction = false
    /// How many digits before the point are to come, at least and at most; −1 for without end.
    var least: Int
    var most: Int
    /// Whether all digits were those of the bound.
    var isAtLower: Bool
    var isAtUpper: Bool
    /// The remainders of the digits by the divisors.
    var remainders: [Int]
  }

  private struct Divisor {
    var modulus: Int
    var scale: Int
    var power: [Int]
  }

  private func magnitudes(from lower: Bound, to upper: Bound?) throws(TooLarge) -> Expression {
    let (low, high) = (lower.value, upper?.value)
    if let upper, let high, high < low || high == low && !(lower.isInclusive && upper.isInclusive) { return .nothing }
    var divisors: [Divisor] = []
    for divisor in self.divisors {
      let digits = divisor.whole + divisor.fraction
      guard digits.count <= 9 else { throw TooLarge() }
      let modulus = digits.reduce(0) { $0 * 10 + Int($1) }
      var powers = [1 % max(1, modulus)]
      for _ in 0..<divisor.fraction.count { powers.append(powers[powers.count - 1] * 10 % modulus) }
      divisors.append(Divisor(modulus: modulus, scale: divisor.fraction.count, power: powers))
    }
    let none = divisors.map { _ in 0 }
    let beyond = max(low.fraction.count, high?.fraction.count ?? 0, divisors.map(\.scale).max() ?? 0) + 1
    var network = Network(states: 1)
    var numbers: [Reading: Int] = [:]
    var waiting: [Reading] = []
    func number(_ reading: Reading) throws(TooLarge) -> Int {
      if let number = numbers[reading] { return number }
      guard numbers.count < 50_000 else { throw TooLarge() }
      let number = network.addState()
      numbers[reading] = number
      waiting.append(reading)
      return number
    }
    let (lowCount, highCount) = (low.whole.count, high?.whole.count)
    var begins = [
      Reading(
        least: lowCount, most: lowCount, isAtLower: true, isAtUpper: highCount == lowCount, remainders: none)
    ]
    if let highCount, highCount > lowCount {
      begins.append(
        Reading(least: highCount, most: highCount, isAtLower: false, isAtUpper: true, remainders: none))
      if highCount > lowCount + 1 {
        begins.append(
          Reading(least: lowCount + 1, most: highCount - 1, isAtLower: false, isAtUpper: false, remainders: none))
      }
    } else if highCount == nil {
      begins.append(Reading(least: lowCount + 1, most: -1, isAtLower: false, isAtUpper: false, remainders: none))
    }
    for begin in begins { network.add(nil, from: 0, to: try number(begin)) }
    while let reading = waiting.popLast() {
      let source = numbers[reading] ?? 0
      // [next]: the digits that lead there.
      var targets: [Reading: [UInt32]] = [:]
      let lowDigits = reading.isFraction ? low.fraction : low.whole
      let highDigits = (reading.isFraction ? high?.fraction : high?.whole) ?? []
      if reading.isFraction || reading.most != 0 {
        for digit in UInt8(0)...9 {
          // Only zero itself begins with one.
          if !reading.isFraction, reading.place == 0, digit == 0, reading.most != 1 { continue }
          let lowDigit = reading.place < lowDigits.count ? lowDigits[reading.place] : 0
          let highDigit = reading.place < highDigits.count ? highDigits[reading.place] : 0
          if reading.isAtLower, digit < lowDigit { continue }
          if reading.isAtUpper, digit > highDigit { continue }
          var next = reading
          next.isAtLower = reading.isAtLower && digit == lowDigit
          next.isAtUpper = reading.isAtUpper && digit == highDigit
          var divides = true
          for (index, divisor) in divisors.enumerated() {
            if reading.isFraction, reading.place >= divisor.scale {
              divides = divides && digit == 0
            } else {
              next.remainders[index] = (reading.remainders[index] * 10 + Int(digit)) % divisor.modulus
            }
          }
          if !divides { continue }
          if reading.isFraction {
            next.place = min(reading.place + 1, beyond)
          } else {
            next.least = max(0, reading.least - 1)
            next.most = reading.most < 0 ? -1 : reading.most - 1
            // Places count where digits are compared, and at the first.
            next.place = reading.isAtLower || reading.isAtUpper ? reading.place + 1 : 1
          }
          targets[next, default: []].append(0x30 + UInt32(digit))
        }
      }
      for (next, digits) in targets.sorted(by: { $0.value[0] < $1.value[0] }) {
        network.add(.scalars(ScalarSet(digits)), from: source, to: try number(next))
      }
      if reading.isFraction ? reading.place > 0 : reading.least == 0 && reading.place > 0 {
        let isMultiple = divisors.indices.allSatisfy { index in
          let missing = divisors[index].scale - (reading.isFraction ? min(reading.place, divisors[index].scale) : 0)
          return reading.remainders[index] * divisors[index].power[missing] % divisors[index].modulus == 0
        }
        let read = reading.isFraction ? reading.place : 0
        let isAbove = !reading.isAtLower || read >= low.fraction.count && lower.isInclusive
        let isBelow = !reading.isAtUpper || read < high?.fraction.count ?? 0 || upper?.isInclusive ?? true
        if isAbove, isBelow, isMultiple { network.ends.insert(source) }
        if !reading.isFraction, !isInteger {
          var next = reading
          (next.isFraction, next.place, next.least, next.most) = (true, 0, 0, 0)
          network.add(.text("."), from: source, to: try number(next))
        }
      }
    }
    return .network(network)
  }
}
