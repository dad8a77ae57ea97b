import Execution
import Files
import Kernels

/// One measured case: a model, a kind of work and its size, and how fast it went beside what the machine gave then.
struct BenchRow {
  /// What is measured.
  enum Test: String {
    /// A prompt computed at once, of which the last logits are wanted.
    case prompt
    /// Tokens computed one after the other.
    case generation
    /// Whole sequences forwards and backwards, and the update of the learned tensors.
    case training
    /// One matrix multiplication, again and again.
    case product
  }

  /// What the machine gave at one moment.
  struct Limit {
    /// Bytes a second from memory.
    let readRate: Double
    /// Operations a second of the arithmetic the weights' format allows.
    let peak: Double
  }

  let test: Test
  let weightsType: String
  let threads: Int
  /// Tokens of each sequence in a repetition.
  let tokens: Int
  /// Sequences computed together.
  let batch: Int
  /// Tokens that the sequences held before.
  let depth: Int
  /// What one repetition takes.
  let work: Work
  /// The kind of multiply-add that `Limit.peak` is measured with.
  let arithmetic: MachineLimits.Arithmetic
  /// Seconds of each repetition.
  var seconds = Samples()
  /// The machine before each repetition and after the last.
  var limits: [Limit] = []
  /// Where the time went, when that was asked for.
  var profile: Profile?
  /// The size of the product, when one is measured.
  var product: ProductSizes.Size?
  /// The most memory the process had, in bytes; told of training.
  var peakMemory: Int?
  /// What another program reached in turns with this one.
  var rival: RivalSamples?

  var tokensPerSecond: Samples { Samples(seconds.values.map { Double(tokens * batch) / $0 }) }
  var bytesPerSecond: Samples { Samples(seconds.values.map { work.weightBytes / $0 }) }
  var flopsPerSecond: Samples { Samples(seconds.values.map { work.flops / $0 }) }

  /// Achieved parts of what the machine gave around the same repetition.
  var shareOfReadRate: Samples { share(bytesPerSecond) { $0.readRate } }
  var shareOfPeak: Samples { share(flopsPerSecond) { $0.peak } }

  private func share(_ rates: Samples, of limit: (Limit) -> Double) -> Samples {
    Samples(
      rates.values.indices.map { index in
        let around = (limit(limits[index]) + limit(limits[index + 1])) / 2
        return around > 0 ? rates.values[index] / around : 0
      })
  }

  /// `prompt 512`, `generate 128 × 8 after 1024`, `4096 × 1536 × 384`.
  var title: String {
    if let product { return "\(product.rows) × \(product.outputs) × \(product.inputs)" }
    let verb =
      switch test {
      case .product: "product"
      case .prompt: "prompt"
      case .generation: "generate"
      case .training: "train"
      }
    return "\(verb) \(tokens)" + (batch > 1 ? " × \(batch)" : "") + (depth > 0 ? " after \(depth)" : "")
  }
}

extension BenchRow {
  /// Every field by its name, in order.
  var fields: [(name: String, value: JSONValue)] {
    [
      ("test", .string(test.rawValue)), ("weights_type", .string(weightsType)), ("threads", .integer(threads)),
      ("tokens", .integer(tokens)), ("batch", .integer(batch)), ("context_depth", .integer(depth)),
      ("repetitions", .integer(seconds.values.count)), ("tokens_per_second", tokensPerSecond.json),
      ("flops", .number(work.flops)), ("weight_bytes", .number(work.weightBytes)),
      ("bytes_per_second", bytesPerSecond.json), ("flops_per_second", flopsPerSecond.json),
      ("read_limit_bytes_per_second", Samples(limits.map(\.readRate)).json),
      ("peak_arithmetic", .string(arithmetic.rawValue)),
      ("peak_flops_per_second", Samples(limits.map(\.peak)).json), ("share_of_read_limit", shareOfReadRate.json),
      ("share_of_peak", shareOfPeak.json),
    ]
  }

  var json: JSONObject {
    var object = JSONObject()
    for field in fields { object[field.name] = field.value }
    if let product {
      var size = JSONObject()
      size["rows"] = .integer(product.rows)
      size["outputs"] = .integer(product.outputs)
      size["inputs"] = .integer(product.inputs)
      object["product"] = .object(size)
    }
    if let peakMemory { object["peak_memory_bytes"] = .integer(peakMemory) }
    if let rival {
      object["rival"] = .string(rival.name)
      object["rival_tokens_per_second"] = rival.tokensPerSecond.json
      object["ratio_to_rival"] = rival.ratios(of: tokensPerSecond).json
    }
    if let profile { object["profile"] = ProfileJSON(profile: profile).json }
    return object
  }
}
