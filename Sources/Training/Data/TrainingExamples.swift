import Components
import Execution

/// Questions about pictures with their answers, of which a model learns the answers.
///
/// What a picture's rows are is told when a batch is made of them: all pictures of a data set would take more memory than there is.
public struct TrainingExamples: Sendable {
  /// A question and its answer.
  public struct Example: Sendable {
    /// The tokens of the question, with those in whose places the picture's rows stand.
    public let prompt: [Int]
    /// The tokens that are learned: the answer, and the end of the text.
    public let answer: [Int]
    /// The picture, by a name that `rows` knows.
    public let picture: String

    /// The `answer` to `prompt`, a question about `picture`.
    public init(prompt: [Int], answer: [Int], picture: String) {
      precondition(
        !prompt.isEmpty && !answer.isEmpty, "a question of \(prompt.count) tokens, an answer of \(answer.count)")
      (self.prompt, self.answer, self.picture) = (prompt, answer, picture)
    }

    /// How many tokens are read: the last of the answer is predicted and not read.
    public var length: Int { prompt.count + answer.count - 1 }
  }

  /// The examples in order; those of one picture stand together.
  public let examples: [Example]
  /// The axis that is given the pictures' rows.
  public let axis: RowAxis
  private let promptIsSeen: Bool
  private let rows: @Sendable (_ picture: String) throws -> [Float]

  /// These `examples`, whose pictures' `rows` are given on `axis`; with `promptIsSeen` the tokens of a question see each other, where
  /// a mask lets them.
  public init(
    _ examples: [Example], axis: RowAxis, promptIsSeen: Bool,
    rows: @escaping @Sendable (_ picture: String) throws -> [Float]
  ) {
    (self.examples, self.axis, self.promptIsSeen, self.rows) = (examples, axis, promptIsSeen, rows)
  }

  /// How many there are.
  public var count: Int { examples.count }

  /// The most tokens that one reads; 0 where there is none.
  public var longest: Int { examples.lazy.map(\.length).max() ?? 0 }

  /// The first examples and the last ones, of which there are `fraction`, cut where another picture begins.
  public func split(last fraction: Double) -> (first: TrainingExamples, last: TrainingExamples) {
    var end = Int(Double(count) * (1 - fraction))
    while end > 0, end < count, examples[end].picture == examples[end - 1].picture { end -= 1 }
    return (with(Array(examples[..<end])), with(Array(examples[end...])))
  }

  /// The first of them, at most `count`.
  public func prefix(_ count: Int) -> TrainingExamples { with(Array(examples.prefix(count))) }

  /// Those at `places`, one after the other.
  public func batch(_ places: [Int]) throws -> Batch {
    let chosen = places.map { examples[$0] }
    return Batch(
      inputs: chosen.map { $0.prompt + $0.answer.dropLast() },
      targets: chosen.map { Array(repeating: -1, count: $0.prompt.count - 1) + $0.answer },
      beside: try chosen.map { [axis: .rows(try rows($0.picture))] },
      prefixes: promptIsSeen ? chosen.map(\.prompt.count) : [])
  }

  private func with(_ examples: [Example]) -> TrainingExamples {
    TrainingExamples(examples, axis: axis, promptIsSeen: promptIsSeen, rows: rows)
  }
}
