import Files
import Training

/// What a finished run noted of itself, whichever of its processes did which step.
struct RunMetrics {
  /// The losses on the validation data.
  private(set) var curve: [TaskResult.Point] = []
  /// Seconds that the steps took together.
  private(set) var seconds = 0.0
  private var tokens = 0
  private var norms: [Double] = []
  private var losses: [Double] = []

  /// How calmly it trained; nil where nothing was trained.
  var stability: RunStability? { RunStability(norms: norms, losses: losses) }

  /// Tokens trained on in a second.
  var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }

  /// The metrics in `folder`, a JSON object a line; throws when they cannot be read.
  init(in folder: RunFolder, tokensPerStep: Int) throws {
    let path = folder.path + "/metrics.jsonl"
    guard kind(ofPath: path) == .file else { return }
    let file = try MappedFile(path: path)
    try withExtendedLifetime(file) {
      for line in file.bytes.split(separator: 0x0A) {
        let json = try JSONValue(parsing: UnsafeRawBufferPointer(rebasing: line), name: path)
        guard let step = json["step"]?.integer else { continue }
        if let loss = json["validation_loss"] {
          // Null is NaN.
          curve.append(.init(tokens: step.multiplied(upTo: tokensPerStep), loss: loss.number ?? .nan))
          continue
        }
        if let norm = json["gradient_norm"]?.number, let loss = json["loss"]?.number {
          norms.append(norm)
          losses.append(loss)
        }
        if let rate = json["tokens_per_second"]?.number, rate > 0 {
          seconds += Double(tokensPerStep) / rate
          tokens += tokensPerStep
        }
      }
    }
  }
}
