import Files

/// Measured values of one thing.
struct Samples {
  private(set) var values: [Double] = []

  init(_ values: [Double] = []) { self.values = values }

  mutating func add(_ value: Double) { values.append(value) }

  var mean: Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }
  var smallest: Double { values.min() ?? 0 }
  var largest: Double { values.max() ?? 0 }

  /// The value in the middle; the mean of the two of an even count.
  var median: Double {
    if values.isEmpty { return 0 }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The standard deviation of a sample (n − 1 in the denominator); 0 for fewer than two values.
  var deviation: Double {
    guard values.count > 1 else { return 0 }
    let mean = mean
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
  }

  /// Every value multiplied by `factor`.
  func scaled(by factor: Double) -> Samples { Samples(values.map { $0 * factor }) }

  var json: JSONValue {
    var object = JSONObject()
    object["mean"] = .number(mean)
    object["deviation"] = .number(deviation)
    object["median"] = .number(median)
    object["min"] = .number(smallest)
    object["max"] = .number(largest)
    object["samples"] = .array(values.map { .number($0) })
    return .object(object)
  }
}
