import Components

/// What a model is evaluated on while it is trained: windows of a text or examples, in order.
struct HeldOut {
  /// How many there are.
  let count: Int
  /// Those at some places, one after the other.
  let batch: (_ places: [Int]) throws -> Batch

  /// The windows of `text`, side by side, of each of which a model reads `context` tokens.
  ///
  /// What is random in them follows from where they stand, whatever the run's seed.
  init(_ text: TokenText, context: Int, _ maker: BatchMaker) {
    let window = maker.window(of: context)
    count = max(0, text.count - window.tokens + window.stride) / window.stride
    batch = { places in
      maker.batch(places.map { (TrainedSequence(text[window, at: $0 * window.stride]), number: $0) }, seed: 0)
    }
  }

  /// The `examples`, likewise.
  init(_ examples: TrainingExamples, _ maker: BatchMaker) {
    count = examples.count
    batch = { places in try examples.batch(places, numbers: places, seed: 0, maker) }
  }

  /// The places of at most `limit` of them, spread evenly.
  func places(atMost limit: Int) -> [Int] {
    let wanted = min(count, limit)
    return (0..<wanted).map { $0 * count / wanted }
  }
}
