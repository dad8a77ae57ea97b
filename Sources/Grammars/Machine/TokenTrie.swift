/// The tokens of a vocabulary by their bytes: nodes in the order of a walk, so that what a node begins lies behind it.
struct TokenTrie: Sendable {
  /// [node]: the byte that leads to it.
  private(set) var bytes: [UInt8] = []
  /// [node]: how many bytes lead to it, from 1.
  private(set) var depths: [UInt16] = []
  /// [node]: the first node that does not begin with it.
  private(set) var ends: [Int32] = []
  /// [node + 1]: where the tokens of a node lie in `tokens`.
  private(set) var tokenOffsets: [Int32] = [0]
  private(set) var tokens: [Int32] = []
  private(set) var largestDepth = 0

  var count: Int { bytes.count }

  /// The trie of tokens that have bytes.
  init(_ words: [(id: Int, bytes: [UInt8])]) {
    var open: [Int] = []
    for word in words.filter({ !$0.bytes.isEmpty }).sorted(by: {
      $0.bytes == $1.bytes ? $0.id < $1.id : $0.bytes.lexicographicallyPrecedes($1.bytes)
    }) {
      var common = 0
      while common < min(open.count, word.bytes.count), bytes[open[common]] == word.bytes[common] { common += 1 }
      while open.count > common { ends[open.removeLast()] = Int32(count) }
      for place in common..<word.bytes.count {
        open.append(count)
        bytes.append(word.bytes[place])
        depths.append(UInt16(place + 1))
        ends.append(0)
        tokenOffsets.append(Int32(tokens.count))
      }
      tokens.append(Int32(word.id))
      tokenOffsets[count] = Int32(tokens.count)
      largestDepth = max(largestDepth, word.bytes.count)
    }
    while let node = open.popLast() { ends[node] = Int32(count) }
  }

  /// The tokens that a node is.
  func tokens(of node: Int) -> ArraySlice<Int32> { tokens[Int(tokenOffsets[node])..<Int(tokenOffsets[node + 1])] }
}
