import Files

extension TaskOutcome {
  private static let format = 1

  /// The outcome as the file of the task `key` holds it. Losses that are no numbers are null.
  func json(key: String) -> JSONValue {
    [
      "format": .integer(Self.format), "key": .string(key), "result": result.json,
      "times": [
        "seconds": .number(times.seconds), "tokens_per_second": .number(times.tokensPerSecond),
        "machine": .string(times.machine),
      ],
    ]
  }

  /// The outcome that a file of the task `key` holds; nil when it is another task's, or not whole.
  package init?(_ json: JSONValue, key: String) {
    guard json["format"]?.integer == Self.format, json["key"]?.string == key,
      let result = json["result"].flatMap(TaskResult.init), let times = json["times"],
      let seconds = times["seconds"]?.number, let rate = times["tokens_per_second"]?.number,
      let machine = times["machine"]?.string
    else { return nil }
    self.init(result, TaskTimes(seconds: seconds, tokensPerSecond: rate, machine: machine))
  }
}

extension TaskResult {
  /// The numbers, in the order in which a person asks for them.
  var json: JSONValue {
    [
      "loss": .number(loss),
      "curve": .array(curve.map { [.integer($0.tokens), .number($0.loss)] }),
      "contexts": .array(
        contexts.map { ["context": .integer($0.context), "loss": $0.loss.map { .number($0) } ?? .null] }),
    ]
  }

  init?(_ json: JSONValue) {
    guard let loss = json["loss"], loss.isNull || loss.number != nil, let curve = json["curve"]?.array,
      let contexts = json["contexts"]?.array
    else { return nil }
    var points: [Point] = []
    for item in curve {
      guard let pair = item.array, pair.count == 2, let tokens = pair[0].integer else { return nil }
      points.append(Point(tokens: tokens, loss: pair[1].number ?? .nan))
    }
    var losses: [ContextLoss] = []
    for item in contexts {
      guard let context = item["context"]?.integer else { return nil }
      losses.append(ContextLoss(context: context, loss: item["loss"]?.number))
    }
    self.init(loss: loss.number ?? .nan, curve: points, contexts: losses)
  }
}
