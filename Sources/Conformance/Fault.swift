/// What is looked at in a component.
public enum Check: String, Sendable, CaseIterable {
  /// Its doc comment says what it is, with an equation and a source.
  case documentation
  /// It composes with each of its options, and refuses those that it does not know.
  case options
  /// Whatever changes results is an attribute of an operator.
  case attributes
  /// No token follows from a later one.
  case causality
  /// A prompt at once, in parts and token by token give the same.
  case decoding
  /// Sequences that are computed together do not meet.
  case batches
  /// Results do not follow from the number of threads.
  case threads
  /// Training computes what inference does.
  case training
  /// Gradients are those that finite differences give.
  case gradients
  /// Results in `Float` are near those in `Double`.
  case reference
  /// What sublayers give is said to join the residual stream.
  case roles
  /// What is saved and read again is the same, and goes on the same way.
  case saving
  /// What works in memory uses what it declares, and no other.
  case memory
  /// An optimizer goes downhill, by as much as it is told.
  case descent
  /// What it is in PyTorch computes what its kernels do; looked at where a Python has torch, by who has one.
  case rendering
  /// An objective's rows are as many as a sequence reads, follow from what is handed in, and have something to predict.
  case rows
  /// A schedule begins at the peak, ends where it says, and gives rates that can be.
  case rates
}

/// Something that a component does and must not, in one plain sentence.
public struct Fault: Sendable, Hashable, CustomStringConvertible {
  /// What was looked at.
  public let check: Check
  /// The options that it happens with, as they would be written.
  public let setting: String
  /// What happens.
  public let sentence: String

  /// The fault that `sentence` tells.
  public init(_ check: Check, _ sentence: String, setting: String) {
    self.check = check
    self.setting = setting
    self.sentence = sentence
  }

  /// `gradients: the gradient of … is wrong ({eps: 0.1})`.
  public var description: String { "\(check.rawValue): \(sentence)" + (setting.isEmpty ? "" : "  [\(setting)]") }
}
