import Components
import Execution
import Tokenization

/// Makes batches as an objective says: what is read of each sequence, and what is predicted.
package struct BatchMaker: Sendable {
  package let objective: any Objective
  /// What tokens are beside words; nil where nobody tells.
  package let marks: TextMarks?

  /// Batches for `objective` of texts that have `marks`.
  package init(_ objective: any Objective, _ marks: TextMarks?) { (self.objective, self.marks) = (objective, marks) }

  /// Throws where `plan` is not trained so, or not on texts of these marks in sequences of `context` tokens; those of the objectives
  /// of `registry` that are for it are told.
  package func check(_ plan: Plan, context: Int, among registry: Registry) throws(TrainingProblem) {
    try plan.requireObjective(objective, among: registry)
    if let why = objective.obstacle(in: marks) {
      throw .unsuited(plan.name, objective: type(of: objective).name, why: why, others: [])
    }
    if window(of: context).stride < 1 { throw .shortContext(context) }
  }

  /// How a text is cut into sequences of `context` tokens.
  package func window(of context: Int) -> TextWindow { objective.window(of: context, marks) }

  /// The batch of `sequences`; what is random in each follows from `seed` and its number.
  package func batch(
    _ sequences: [(TrainedSequence, number: Int)], seed: UInt64, beside: [[RowAxis: AxisInput]] = [],
    prefixes: [Int] = []
  ) -> Batch {
    let rows = sequences.map { sequence, number in
      objective.rows(of: sequence, marks, CounterRandom(seed: seed &+ Self.salt, stream: UInt64(number)))
    }
    return Batch(inputs: rows.map(\.inputs), targets: rows.map(\.targets), beside: beside, prefixes: prefixes)
  }

  /// Keeps the random numbers apart from those of the order of windows and of dropout: "objectiv" in ASCII.
  private static let salt: UInt64 = 0x6f62_6a65_6374_6976
}

extension Plan {
  /// Throws where the plan is not trained with `objective`; those of `registry` that are for it are told.
  public func requireObjective(_ objective: any Objective, among registry: Registry) throws(TrainingProblem) {
    guard let why = objective.obstacle(to: self) else { return }
    throw .unsuited(
      name, objective: type(of: objective).name, why: why, others: registry.objectives(for: self))
  }
}

extension Registry {
  /// The names of the objectives, with nothing set, that `plan` can be trained with.
  public func objectives(for plan: Plan) -> [String] {
    names(in: .objective).filter { name in
      guard let objective = try? make(.objective, Setting(text: name), as: (any Objective).self) else { return false }
      return objective.obstacle(to: plan) == nil
    }
  }
}

extension TextMarks {
  /// The marks of `tokenizer`.
  public init(_ tokenizer: Tokenizer) {
    let written = (0..<tokenizer.count).filter { tokenizer.isSpecial($0) }
    self.init(
      vocabulary: tokenizer.count, before: tokenizer.marksBefore, behind: tokenizer.marksBehind,
      mask: tokenizer.mask?.id, special: Set(written).union(tokenizer.specialTokens.values))
  }
}
