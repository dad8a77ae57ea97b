/// What keeps a plan from being run.
public enum ExecutionProblem: Error, Sendable, Equatable, CustomStringConvertible {
  /// No tensor was given for a name that the plan needs.
  case missingTensor(String)
  /// A tensor has another shape than the plan needs.
  case wrongShape(String, found: [Int], expected: [Int])
  /// The system has no room for this many bytes.
  case memory(bytes: Int)
  /// So many bytes are needed, and fewer can be had.
  case tooLittleMemory(needed: Int, available: Int)
  /// A sequence is longer than it was opened for, or than the model allows.
  case tooLong(tokens: Int, limit: Int)
  /// A token id is outside the vocabulary.
  case unknownToken(Int, vocabulary: Int)
  /// There is nothing to compute.
  case noTokens
  /// What is given on the axis of this name is not what it takes.
  case wrongInput(String)
  /// Nothing is given on the axis of this name, whose rows the model reads.
  case missingInput(String)
  /// A text whose tokens all see each other is continued.
  case continued
  /// No kernel computes an operator of this name.
  case noKernel(String)

  /// The sentence for a person.
  public var description: String {
    switch self {
    case .missingTensor(let name): "there is no tensor for \(name)"
    case .wrongShape(let name, let found, let expected):
      "\(name) has the shape \(found), but the model needs \(expected)"
    case .memory(let bytes):
      "there is no memory for \(bytes < 1 << 30 ? "\(bytes) bytes" : "\(bytes >> 30) GiB")"
    case .tooLittleMemory(let needed, let available):
      "\(inGiB(needed)) of memory are needed, and \(inGiB(available)) can be had (free memory, and what ulimit or the "
        + "container allow)"
    case .tooLong(let tokens, let limit): "\(tokens) tokens are more than the \(limit) that the model can take"
    case .unknownToken(let id, let vocabulary): "token \(id) is outside the vocabulary of \(vocabulary)"
    case .noTokens: "the prompt is empty"
    case .wrongInput(let axis): "what is given for '\(axis)' is not what the model takes there"
    case .missingInput(let axis): "the model reads '\(axis)', and nothing is given for it"
    case .continued:
      "the tokens of a text see those after them in this model, so a text is computed at once and none is continued"
    case .noKernel(let name): "no kernel computes the operator '\(name)'"
    }
  }
}

/// A number of bytes in GiB, with two digits.
func inGiB(_ bytes: Int) -> String {
  // Below 2⁶³ bytes, so a hundred times the GiB are an integer.
  let hundredths = ((bytes >> 20) * 100) >> 10
  return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) GiB"
}
