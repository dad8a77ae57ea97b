/// What a model is evaluated on while it is trained: windows of a text or examples, in order.
struct HeldOut {
  /// How many there are.
  let count: Int
  /// Those at some places, one after the other.
  let batch: (_ places: [Int]) throws -> Batch

  /// The windows of `text`, side by side, of `length` tokens each.
  init(_ text: TokenText, length: Int) {
    count = (text.count - 1) / length
    batch = { places in
      Batch(windows: places.map { text[$0 * length..<($0 + 1) * length + 1] })
    }
  }

  /// The `examples`.
  init(_ examples: TrainingExamples) {
    count = examples.count
    batch = examples.batch
  }

  /// The places of at most `limit` of them, spread evenly.
  func places(atMost limit: Int) -> [Int] {
    let wanted = min(count, limit)
    return (0..<wanted).map { $0 * count / wanted }
  }
}
