import Components
import Execution
import Generation
import Models

/// What of a pass is compared, before and after a change: numbers for parts of a text.
public enum ProbeMeasure: Sendable, Hashable {
  /// −log p of each token, given those before it.
  case loss
  /// −log p of each token when it is masked, one in `stride` at a time; those of `marks` are never masked.
  case maskedLoss(mask: Int, marks: Set<Int>)
  /// How far each token's logits, or final state, move: ‖y′ − y‖ / ‖y‖.
  case distance
  /// The logit of one token at the last position, less that of another, if there is one.
  case answer(Int, against: Int?)

  /// The word for it.
  public var name: String {
    switch self {
    case .loss: "loss"
    case .maskedLoss: "masked loss"
    case .distance: "distance"
    case .answer(_, nil): "logit"
    case .answer: "logit difference"
    }
  }

  /// One of so many tokens is masked at a time: BERT is trained with 15 %.
  static let stride = 7

  /// What goes by what `plan` predicts: the loss, that of masked tokens where `mask` is the mark for one, else distances.
  public static func natural(for plan: Plan, mask: Int?, marks: Set<Int>) -> ProbeMeasure {
    guard plan.prediction == .tokens else { return .distance }
    if !plan.seesWholeTexts { return .loss }
    return mask.map { .maskedLoss(mask: $0, marks: marks) } ?? .distance
  }
}

extension ModelProbe {
  /// What `measure` gives for `tokens` with `changes`; `clean` are the logits without any, which distances are from.
  ///
  /// Throws `ProbeProblem.nothingToPredict` for a text without a token to predict.
  func scores(
    _ measure: ProbeMeasure, of tokens: [Int], changing changes: [SiteChange], clean: [Float] = []
  ) throws -> [Double] {
    var scores: [Double] = []
    switch measure {
    case .loss:
      guard tokens.count > 1 else { throw ProbeProblem.nothingToPredict }
      _ = try run(tokens, changing: changes) { position, logits in
        if position + 1 < tokens.count { scores.append(Self.loss(logits, of: tokens[position + 1])) }
      }
    case .maskedLoss(let mask, let marks):
      var byPosition: [Int: Double] = [:]
      for offset in 0..<ProbeMeasure.stride {
        var masked = tokens
        let hidden = tokens.indices.filter { $0 % ProbeMeasure.stride == offset && !marks.contains(tokens[$0]) }
        if hidden.isEmpty { continue }
        for position in hidden { masked[position] = mask }
        _ = try run(masked, changing: changes) { position, logits in
          if masked[position] == mask, tokens[position] != mask {
            byPosition[position] = Self.loss(logits, of: tokens[position])
          }
        }
      }
      scores = byPosition.sorted { $0.key < $1.key }.map(\.value)
      if scores.isEmpty { throw ProbeProblem.nothingToPredict }
    case .distance:
      _ = try run(tokens, changing: changes) { position, row in
        let before = position * row.count
        var (moved, whole) = (0.0, 0.0)
        for (index, number) in row.enumerated() where before + index < clean.count {
          let other = Double(clean[before + index])
          moved += (Double(number) - other) * (Double(number) - other)
          whole += other * other
        }
        scores.append(whole > 0 ? (moved / whole).squareRoot() : 0)
      }
    case .answer(let token, let other):
      _ = try run(tokens, changing: changes) { position, logits in
        guard position + 1 == tokens.count else { return }
        scores = [Double(logits[token]) - (other.map { Double(logits[$0]) } ?? 0)]
      }
    }
    return scores
  }

  /// All logits of `tokens`, which distances are from.
  func logits(_ tokens: [Int]) throws -> [Float] {
    var rows: [Float] = []
    _ = try run(tokens) { _, row in rows += row }
    return rows
  }

  private static func loss(_ logits: UnsafeBufferPointer<Float>, of token: Int) -> Double {
    -TokenProbability(of: token, among: logits, mostLikely: 0).token.logProbability
  }
}
