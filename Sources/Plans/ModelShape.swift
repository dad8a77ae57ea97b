/// The sizes that every component of a model shares.
public struct ModelShape: Sendable, Hashable {
  /// How many token ids there are.
  public let vocabSize: Int
  /// How many tokens the model is made for at once.
  public let contextLength: Int
  /// The width of the residual stream, in numbers per token.
  public let hiddenSize: Int
  /// How many layers there are.
  public let layerCount: Int

  /// A shape of these sizes.
  public init(vocabSize: Int, contextLength: Int, hiddenSize: Int, layerCount: Int) {
    self.vocabSize = vocabSize
    self.contextLength = contextLength
    self.hiddenSize = hiddenSize
    self.layerCount = layerCount
  }
}
