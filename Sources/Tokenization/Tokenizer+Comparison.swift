extension Tokenizer {
  /// The first id that is not the same piece, with the same bytes and the same part, in both; nil where all are.
  ///
  /// An id that one of them alone has is a difference.
  public func firstDifference(from other: Tokenizer) -> Int? {
    if self === other { return nil }
    return (0..<max(count, other.count)).first { id in
      bytes(of: id) != other.bytes(of: id) || isSpecial(id) != other.isSpecial(id)
    }
  }
}
