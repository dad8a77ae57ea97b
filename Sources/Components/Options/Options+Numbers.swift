extension Options {
  /// The number under `key`, which must lie in `range`.
  public func number(
    _ key: String, default fallback: Double, in range: ClosedRange<Double> = -1e30...1e30, _ meaning: String
  ) -> Double {
    read(key, .number, default: fallback, text: describe(fallback), meaning, written: written) {
      number($0, key, in: range)
    }
  }

  /// The number under `key`, or nil when it is left out.
  public func optionalNumber(_ key: String, in range: ClosedRange<Double> = -1e30...1e30, _ meaning: String) -> Double?
  {
    read(key, .number, default: nil, meaning, written: { $0.map(written) }) { number($0, key, in: range) }
  }

  /// The number under `key`, which must be given.
  public func requiredNumber(_ key: String, in range: ClosedRange<Double> = -1e30...1e30, _ meaning: String) -> Double {
    read(key, .number, default: range.lowerBound, meaning, isRequired: true, written: written) {
      number($0, key, in: range)
    }
  }

  /// The number under `key`, or one that a word stands for.
  public func number(_ key: String, default fallback: Double, words: [String: Double], _ meaning: String) -> Double {
    let names = words.keys.sorted()
    let word = words.first { $0.value == fallback }?.key
    return read(
      key, .numberOrWord(names), default: fallback, text: word ?? describe(fallback), meaning, written: written
    ) { found in
      if let value = found.text.flatMap({ words[$0] }) ?? found.number { return value }
      wrong(key, found, expected: names.isEmpty ? "a number" : "a number or " + list(names))
      return nil
    }
  }

  /// The numbers under `key`, or nil when they are left out.
  public func numbers(_ key: String, _ meaning: String) -> [Double]? {
    read(key, .numbers, default: nil, meaning, written: { $0.map { Setting(.list($0.map(written))) } }) { found in
      let items = found.list
      if let items, case let values = items.compactMap(\.number), values.count == items.count { return values }
      let item = items?.first { $0.number == nil }
      wrong(key, item ?? found, expected: item == nil ? "a list of numbers" : "numbers")
      return nil
    }
  }

  /// The numbers in the group under `key`, each under a name of the user's, in the order written.
  public func namedNumbers(_ key: String, _ meaning: String) -> [(name: String, value: Double)] {
    read(
      key, .namedNumbers, default: [], meaning,
      written: { numbers in
        numbers.isEmpty ? nil : Setting(.group(numbers.map { Setting.Entry($0.name, written($0.value)) }))
      }
    ) { found in
      guard let entries = found.entries else {
        wrong(key, found, expected: "a group of numbers, each under a name")
        return nil
      }
      return entries.filter { !$0.value.isNull }.compactMap { entry -> (name: String, value: Double)? in
        if let value = entry.value.number { return (entry.key, value) }
        wrong("\(key).\(entry.key)", entry.value, expected: "a number")
        return nil
      }
    }
  }

  /// The integer under `key`, which must lie in `range`.
  public func integer(
    _ key: String, default fallback: Int, in range: ClosedRange<Int> = 1...Int(Int32.max), _ meaning: String
  ) -> Int {
    read(key, .integer, default: fallback, text: String(fallback), meaning, written: written) {
      integer($0, key, in: range)
    }
  }

  /// The integer under `key`, or nil when it is left out.
  public func optionalInteger(_ key: String, in range: ClosedRange<Int> = 1...Int(Int32.max), _ meaning: String) -> Int?
  {
    read(key, .integer, default: nil, meaning, written: { $0.map(written) }) { integer($0, key, in: range) }
  }

  /// The integer under `key`, which must be given.
  public func requiredInteger(_ key: String, in range: ClosedRange<Int> = 1...Int(Int32.max), _ meaning: String) -> Int
  {
    // Two probes with different numbers tell which defaults follow from this one.
    let probe = isDescribing ? environment.probe : 0
    return read(
      key, .integer, default: min(range.upperBound, range.lowerBound + probe), meaning, isRequired: true,
      written: written
    ) { integer($0, key, in: range) }
  }

  private func number(_ found: Setting, _ key: String, in range: ClosedRange<Double>) -> Double? {
    guard let value = found.number else {
      wrong(key, found, expected: "a number")
      return nil
    }
    guard range.contains(value) else {
      report(
        "'\(key)' must lie between \(describe(range.lowerBound)) and \(describe(range.upperBound)), not \(describe(value))",
        at: found.place ?? place)
      return nil
    }
    return value
  }

  private func integer(_ found: Setting, _ key: String, in range: ClosedRange<Int>) -> Int? {
    if let value = found.integer, range.contains(value) { return value }
    // A number too large for 64 bits is whole and out of range all the same.
    guard let number = found.number, number.rounded() == number, let text = found.text?.prefix(40) else {
      wrong(key, found, expected: "an integer")
      return nil
    }
    report(
      "'\(key)' must lie between \(range.lowerBound) and \(range.upperBound), not \(text)", at: found.place ?? place)
    return nil
  }

  private func written(_ value: Double) -> Setting { Setting(text: describe(value)) }
  private func written(_ value: Int) -> Setting { Setting(text: String(value)) }
}

/// A number without a needless fraction.
private func describe(_ value: Double) -> String {
  value.rounded() == value && abs(value) < 1e15 ? String(Int(value)) : String(value)
}
