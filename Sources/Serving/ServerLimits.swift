/// What one request may ask for.
public struct ServerLimits: Sendable {
  /// Tokens of one answer at most, and where a conversation says nothing.
  public var tokens = 4096
  /// Prompts that wait for KV cache at most.
  public var waiting = 256
  /// Bytes of KV cache for all that runs.
  public var stateBytes = 1 << 30
  /// Seconds from a request's arrival to its end.
  public var seconds = 600

  /// 4,096 tokens, 256 prompts, 1 GiB, 10 minutes.
  public init() {}

  /// Choices for a prompt, prompts in a request, stop texts, and likeliest tokens for a place.
  static let choices = 128
  static let prompts = 256
  static let stops = 16
  static let likeliest = 100
  /// Pictures in a conversation, and pixels of each.
  static let pictures = 32
  static let pixels = 1 << 25
  /// Tokens of a prompt that is read at once, for it has pictures or its tokens see each other.
  static let tokensAtOnce = 4096
  /// Tokens of a text that is looked into: others wait for it.
  static let probed = 512
}
