import Components
import Execution

/// Questions about pictures with their answers, of which a model learns the answers; or pictures with their captions.
///
/// What a picture's rows are is told when a batch is made of them: all pictures of a data set would take more memory than there is.
public struct TrainingExamples: Sendable {
  /// Questions about one picture, each with its answer behind it.
  public struct Example: Sendable {
    /// The tokens of all of it, with those in whose places the picture's rows stand.
    public let tokens: [Int]
    /// Where the tokens stand that are learned: each answer with the end of the text behind it; of a caption the last token.
    public let answers: [Range<Int>]
    /// The picture, by a name that `rows` knows.
    public let picture: String
    /// How many tokens are read: all of a caption, and all but the last of a last answer, which is predicted and not read.
    public let length: Int

    /// The `turns`, of which there is at least one: questions about `picture`, and what is answered.
    public init(_ turns: [(prompt: [Int], answer: [Int])], picture: String) {
      precondition(!turns.isEmpty && turns.allSatisfy { !$0.prompt.isEmpty && !$0.answer.isEmpty })
      var tokens: [Int] = []
      var answers: [Range<Int>] = []
      for turn in turns {
        tokens += turn.prompt
        answers.append(tokens.count..<tokens.count + turn.answer.count)
        tokens += turn.answer
      }
      (self.tokens, self.answers, self.picture) = (tokens, answers, picture)
      length = tokens.count - 1
    }

    /// The `caption` of `picture`.
    public init(caption: [Int], picture: String) {
      precondition(!caption.isEmpty, "a caption of no tokens")
      (tokens, answers, self.picture) = (caption, [caption.count - 1..<caption.count], picture)
      length = caption.count
    }

    /// What a model learns from.
    var sequence: TrainedSequence {
      var given: [Range<Int>] = []
      var start = 0
      for answer in answers {
        given.append(start..<answer.lowerBound)
        start = answer.upperBound
      }
      return TrainedSequence(tokens, given: given)
    }
  }

  /// The examples in order; those of one picture stand together.
  public let examples: [Example]
  /// The axis that is given the pictures' rows.
  public let axis: RowAxis
  private let promptIsSeen: Bool
  private let rows: @Sendable (_ picture: String) throws -> [Float]

  /// These `examples`, whose pictures' `rows` are given on `axis`; with `promptIsSeen` the tokens of a first question see each other,
  /// where a mask lets them.
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

  /// What the one at `place` is given beside its text.
  public func given(_ place: Int) throws -> [RowAxis: AxisInput] { [axis: .rows(try rows(examples[place].picture))] }

  /// Those at `places`, one after the other, as `maker` makes a batch of them; what is random in each follows from its number.
  package func batch(_ places: [Int], numbers: [Int], seed: UInt64, _ maker: BatchMaker) throws -> Batch {
    let chosen = places.map { examples[$0] }
    return maker.batch(
      zip(chosen, numbers).map { ($0.sequence, number: $1) }, seed: seed, beside: try places.map(given),
      prefixes: promptIsSeen ? chosen.map { $0.answers[0].lowerBound } : [])
  }

  private func with(_ examples: [Example]) -> TrainingExamples {
    TrainingExamples(examples, axis: axis, promptIsSeen: promptIsSeen, rows: rows)
  }
}
