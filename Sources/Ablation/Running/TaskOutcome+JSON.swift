import Files

/// Why a file is no outcome of its task.
package struct OutcomeDamage: Error {
  /// What is wrong with it, after "the outcome".
  package let sentence: String
}

extension TaskOutcome {
  /// 1 had no hash; its files are still read.
  private static let formats = 1...2
  private static let hash = "sha256"

  /// The outcome as the file of the task `key` holds it, with the SHA-256 of everything else in it. Losses that are NaN
  /// are null.
  package func json(key: String) -> JSONValue {
    var document = JSONObject()
    document["format"] = .integer(Self.formats.upperBound)
    document["key"] = .string(key)
    document["result"] = result.json
    var spent = JSONObject()
    spent["seconds"] = .number(times.seconds)
    spent["tokens_per_second"] = .number(times.tokensPerSecond)
    if let rate = times.decodedPerSecond { spent["decoded_per_second"] = .number(rate) }
    spent["machine"] = .string(times.machine)
    spent["engine"] = times.engine.map { .string($0) }
    document["times"] = .object(spent)
    document[Self.hash] = .string(Self.digest(document))
    return .object(document)
  }

  /// The outcome that a file of the task `key` holds. Throws when it is another task's, when its hash is not that of its
  /// content, and when a number in it cannot have been measured.
  package init(_ json: JSONValue, key: String) throws(OutcomeDamage) {
    guard var document = json.object, let format = document["format"]?.integer else {
      throw OutcomeDamage(sentence: "is not whole")
    }
    guard Self.formats.contains(format) else {
      throw OutcomeDamage(sentence: "has the format \(format), which this version does not know")
    }
    if let hash = document[Self.hash]?.string {
      document[Self.hash] = nil
      guard hash == Self.digest(document) else {
        throw OutcomeDamage(sentence: "was changed: its SHA-256 is not the one that was written")
      }
    } else if format > 1 {
      throw OutcomeDamage(sentence: "has no SHA-256")
    }
    guard document["key"]?.string == key else { throw OutcomeDamage(sentence: "is another task's") }
    guard let result = document["result"], let times = document["times"], let machine = times["machine"]?.string else {
      throw OutcomeDamage(sentence: "is not whole")
    }
    self.init(
      try TaskResult(result),
      TaskTimes(
        seconds: try Ranges.number(times["seconds"], in: Ranges.seconds, "seconds"),
        tokensPerSecond: try Ranges.number(times["tokens_per_second"], in: Ranges.rate, "tokens_per_second"),
        decodedPerSecond: try times["decoded_per_second"].map { json throws(OutcomeDamage) in
          try Ranges.number(json, in: Ranges.rate, "decoded_per_second")
        },
        machine: machine, engine: times["engine"]?.string))
  }

  /// The hash of `document`, written without white space.
  private static func digest(_ document: JSONObject) -> String {
    var hash = SHA256()
    hash.update(JSONValue.object(document).serialized())
    return hash.hexadecimal()
  }
}

/// What numbers of an outcome can be: more than any run measures, and few enough that sums and squares stay numbers.
private enum Ranges {
  /// Nats: a cross-entropy is not negative but for rounding, and no logits of f32 are further apart.
  static let loss = -1e-3...1e39
  /// A thousand years.
  static let seconds = 0...3.2e10
  static let rate = 0...1e15
  /// Of all gradients together, squares of f32 added up in f64.
  static let norm = 0...1e60
  /// Numbers of f32, of either sign and of none.
  static let score = -1e39...1e39
  static let activation = 0...1e39
  static let tokens = 0...1 << 60
  static let context = 1...1 << 44

  static func number(_ json: JSONValue?, in range: ClosedRange<Double>, _ name: String) throws(OutcomeDamage) -> Double
  {
    guard let value = json?.number else { throw OutcomeDamage(sentence: "has no number for '\(name)'") }
    guard range.contains(value) else { throw OutcomeDamage(sentence: "says \(value) for '\(name)', which cannot be") }
    return value
  }

  /// A number that an earlier version did not write.
  static func optional(
    _ json: JSONValue?, in range: ClosedRange<Double>, _ name: String
  ) throws(OutcomeDamage) -> Double? {
    if json == nil { nil } else { try number(json, in: range, name) }
  }

  /// A loss; NaN where it is null.
  static func loss(_ json: JSONValue?) throws(OutcomeDamage) -> Double {
    json?.isNull == true ? .nan : try number(json, in: loss, "loss")
  }

  static func integer(_ json: JSONValue?, in range: ClosedRange<Int>, _ name: String) throws(OutcomeDamage) -> Int {
    guard let value = json?.integer else { throw OutcomeDamage(sentence: "has no integer for '\(name)'") }
    guard range.contains(value) else { throw OutcomeDamage(sentence: "says \(value) for '\(name)', which cannot be") }
    return value
  }

  static func list(_ json: JSONValue?, _ name: String) throws(OutcomeDamage) -> [JSONValue] {
    guard let items = json?.array else { throw OutcomeDamage(sentence: "has no list for '\(name)'") }
    return items
  }
}

extension TaskResult {
  /// The numbers, in the order in which a person asks for them.
  var json: JSONValue {
    var document = JSONObject()
    document["loss"] = .number(loss)
    if let divergedAfter { document["diverged_after_steps"] = .integer(divergedAfter) }
    document["curve"] = .array(curve.map { [.integer($0.tokens), .number($0.loss)] })
    document["contexts"] = .array(
      contexts.map { ["context": .integer($0.context), "loss": $0.loss.map { .number($0) } ?? .null] })
    if let stability {
      document["gradient_norm"] = [
        "median": .number(stability.medianNorm), "p99": .number(stability.highNorm),
        "largest": .number(stability.largestNorm),
      ]
      document["loss_spikes"] = .integer(stability.spikes)
      if let score = stability.largestScore { document["largest_attention_logit"] = .number(score) }
      if let activation = stability.largestActivation { document["largest_activation"] = .number(activation) }
    }
    if !budgets.isEmpty {
      document["budgets"] = .array(budgets.map { [.integer($0.tokens), .number($0.loss)] })
    }
    if let accuracy { document["accuracy"] = .number(accuracy) }
    if !benchmarks.isEmpty { document["tasks"] = .array(benchmarks.map(\.json)) }
    if !windows.isEmpty { document["windows"] = .array(windows.map { .number($0) }) }
    return .object(document)
  }

  /// What `json` holds; throws when a part of it is missing or cannot have been measured.
  init(_ json: JSONValue) throws(OutcomeDamage) {
    let points = try Self.points(json["curve"], "curve")
    var losses: [ContextLoss] = []
    for item in try Ranges.list(json["contexts"], "contexts") {
      let loss = item["loss"]
      losses.append(
        ContextLoss(
          context: try Ranges.integer(item["context"], in: Ranges.context, "context"),
          loss: loss?.isNull == true ? nil : try Ranges.loss(loss)))
    }
    var windows: [Double] = []
    if let list = json["windows"] {
      for item in try Ranges.list(list, "windows") { windows.append(try Ranges.loss(item)) }
    }
    var stability: RunStability?
    if let norms = json["gradient_norm"] {
      stability = RunStability(
        medianNorm: try Ranges.number(norms["median"], in: Ranges.norm, "gradient_norm"),
        highNorm: try Ranges.number(norms["p99"], in: Ranges.norm, "gradient_norm"),
        largestNorm: try Ranges.number(norms["largest"], in: Ranges.norm, "gradient_norm"),
        spikes: try Ranges.integer(json["loss_spikes"], in: Ranges.tokens, "loss_spikes"),
        largestScore: try Ranges.optional(json["largest_attention_logit"], in: Ranges.score, "largest_attention_logit"),
        largestActivation: try Ranges.optional(json["largest_activation"], in: Ranges.activation, "largest_activation"))
    }
    var accuracy: Double?
    if let share = json["accuracy"] { accuracy = try Ranges.number(share, in: 0...1, "accuracy") }
    var benchmarks: [BenchmarkScore] = []
    if let list = json["tasks"] {
      for item in try Ranges.list(list, "tasks") { benchmarks.append(try BenchmarkScore(item)) }
    }
    var diverged: Int?
    if let steps = json["diverged_after_steps"] {
      diverged = try Ranges.integer(steps, in: Ranges.tokens, "diverged_after_steps")
    }
    self.init(
      loss: try Ranges.loss(json["loss"]), curve: points, contexts: losses, windows: windows, accuracy: accuracy,
      stability: stability, benchmarks: benchmarks,
      budgets: try json["budgets"].map { json throws(OutcomeDamage) in try Self.points(json, "budgets") } ?? [],
      divergedAfter: diverged)
  }

  private static func points(_ json: JSONValue?, _ name: String) throws(OutcomeDamage) -> [Point] {
    var points: [Point] = []
    for item in try Ranges.list(json, name) {
      let pair = try Ranges.list(item, name)
      guard pair.count == 2 else { throw OutcomeDamage(sentence: "has a point of '\(name)' that is no pair") }
      points.append(
        Point(tokens: try Ranges.integer(pair[0], in: Ranges.tokens, name), loss: try Ranges.loss(pair[1])))
    }
    return points
  }
}

extension BenchmarkScore {
  fileprivate var json: JSONValue {
    var document = JSONObject()
    document["name"] = .string(name)
    document["accuracy"] = .number(accuracy)
    if let normalized { document["normalized"] = .number(normalized) }
    document["bits_per_byte"] = .number(bitsPerByte)
    if !items.isEmpty { document["items"] = .array(items.map { .number($0) }) }
    return .object(document)
  }

  fileprivate init(_ json: JSONValue) throws(OutcomeDamage) {
    guard let name = json["name"]?.string else { throw OutcomeDamage(sentence: "has a task without a name") }
    self.name = name
    accuracy = try Ranges.number(json["accuracy"], in: 0...1, "accuracy")
    var share: Double?
    if let value = json["normalized"] { share = try Ranges.number(value, in: 0...1, "normalized") }
    normalized = share
    bitsPerByte = try Ranges.number(json["bits_per_byte"], in: Ranges.loss, "bits_per_byte")
    var items: [Double] = []
    if let list = json["items"] {
      for item in try Ranges.list(list, "items") { items.append(try Ranges.number(item, in: Ranges.loss, "items")) }
    }
    self.items = items
  }
}
