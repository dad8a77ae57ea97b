import Components
import Files

/// A file of questions with right answers: multiple choice, or cloze where nothing is chosen from.
public struct Benchmark: Sendable, Hashable {
  /// Its name in the study and in reports.
  public let name: String
  /// The questions.
  public let items: [Item]
  /// What names its content: a digest of the questions that are asked.
  public let fingerprint: String

  /// A question.
  public struct Item: Sendable, Hashable {
    /// The line of the file, from 1.
    public let line: Int
    /// What stands before the answer.
    public let context: String
    /// What may follow: several choices, or the one answer of a cloze.
    public let choices: [String]
    /// The place of the right one.
    public let right: Int

    /// Whether there is nothing to choose from: the answer must be what the model would generate.
    public var isCloze: Bool { choices.count == 1 }
  }

  init(name: String, items: [Item]) {
    (self.name, self.items) = (name, items)
    var hash = SHA256()
    for item in items {
      for part in [item.context, String(item.right)] + item.choices { hash.update("\(part.utf8.count):\(part)\n") }
    }
    fingerprint = String(hash.hexadecimal().prefix(24))
  }

  /// What answers right by guessing among the choices; 0 of a cloze.
  public var chance: Double {
    items.reduce(0) { $0 + ($1.isCloze ? 0 : 1 / Double($1.choices.count)) } / Double(max(1, items.count))
  }

  /// Whether any question has choices, so that accuracies normalised by length mean something.
  public var hasChoices: Bool { items.contains { !$0.isCloze } }
}

/// A file of questions as a study names it.
public struct BenchmarkRequest: Sendable, Hashable {
  /// Its name.
  public let name: String
  /// Where the questions are.
  public let path: String
  /// How many of them are asked, from the beginning; nil for all.
  public let limit: Int?
  /// Where it was asked for.
  public let place: Place?
}

/// What an arm answered of a benchmark.
public struct BenchmarkScore: Sendable, Hashable {
  /// The benchmark's name.
  public let name: String
  /// The share of questions whose most likely choice is right; of a cloze, whose answer is what greedy decoding gives.
  public let accuracy: Double
  /// The same where log-probabilities are divided by the choice's bytes; nil without choices.
  public let normalized: Double?
  /// Bits per byte of the right answers, mean over questions: −log₂ p / bytes. Lower is better, and it tells models apart
  /// that all answer at chance (Magnusson et al., "DataDecide", 2025, https://arxiv.org/abs/2504.11393).
  public let bitsPerByte: Double
  /// The bits per byte of each question, in order, where nothing was trained and only the questions are left to chance.
  public let items: [Double]

  /// A score of the benchmark `name`.
  public init(name: String, accuracy: Double, normalized: Double?, bitsPerByte: Double, items: [Double]) {
    (self.name, self.accuracy, self.normalized) = (name, accuracy, normalized)
    (self.bitsPerByte, self.items) = (bitsPerByte, items)
  }
}
