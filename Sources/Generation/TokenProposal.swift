/// A token that is proposed as a text's next, and how likely each token was to be.
public struct TokenProposal: Sendable {
  /// The token.
  public let token: Int
  /// The tokens that could have been proposed; empty where the token was not drawn.
  public let ids: [Int]
  /// What each was proposed with; together 1.
  public let probabilities: [Double]

  /// A token that was not drawn: what is proposed follows from the text.
  public init(_ token: Int) { (self.token, ids, probabilities) = (token, [], []) }

  /// A token that was drawn from `ids` with these `probabilities`.
  public init(_ token: Int, drawnFrom ids: [Int], _ probabilities: [Double]) {
    precondition(ids.count == probabilities.count, "\(ids.count) tokens have \(probabilities.count) probabilities")
    (self.token, self.ids, self.probabilities) = (token, ids, probabilities)
  }

  /// Whether it was drawn.
  var isDrawn: Bool { !ids.isEmpty }
}
