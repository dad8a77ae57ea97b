import Files

/// The numbers of a run, a JSON object a line: one for each step, and one for each validation.
///
/// `{"step":1,"loss":4.17,"lr":1e-05,"gradient_norm":2.1,"tokens":768,"tokens_per_second":51234.5}`,
/// `{"step":250,"validation_loss":2.41}`. All but the speed is the same when a run is repeated.
final class MetricsFile {
  private let file: AppendedFile

  /// Opens the metrics of `folder`, of which only what belongs to the first `step` steps is kept: what came after the
  /// checkpoint that the run goes on from comes again. A last line that was torn goes too.
  init(in folder: RunFolder, keepingStepsTo step: Int) throws {
    if kind(ofPath: folder.metrics) == .file {
      let mapped = try MappedFile(path: folder.metrics)
      var kept: [UInt8] = []
      var isWhole = true
      withExtendedLifetime(mapped) {
        for line in mapped.bytes.split(separator: 0x0A, omittingEmptySubsequences: true) {
          let bytes = UnsafeRawBufferPointer(rebasing: line)
          guard let json = try? JSONValue(parsing: bytes, name: folder.metrics), let number = json["step"]?.integer,
            number <= step
          else {
            isWhole = false
            break
          }
          kept += bytes
          kept.append(0x0A)
        }
        isWhole = isWhole && kept.count == mapped.bytes.count
      }
      if !isWhole { try writeAtomically(to: folder.metrics) { try $0.write(kept) } }
    }
    file = try AppendedFile(path: folder.metrics)
  }

  func append(_ report: Trainer.Report, tokens: Int, tokensPerSecond: Double) throws {
    var line = JSONObject()
    line["step"] = .integer(report.step)
    line["loss"] = .number(report.loss)
    line["lr"] = .number(report.rate)
    line["gradient_norm"] = .number(report.gradientNorm)
    line["tokens"] = .integer(tokens)
    line["tokens_per_second"] = .number((tokensPerSecond * 10).rounded() / 10)
    try append(line)
  }

  func append(validationLoss: Double, step: Int) throws {
    var line = JSONObject()
    line["step"] = .integer(step)
    line["validation_loss"] = .number(validationLoss)
    try append(line)
  }

  func synchronize() throws { try file.synchronize() }

  private func append(_ line: JSONObject) throws {
    try file.append(Array((JSONValue.object(line).serialized() + "\n").utf8))
  }
}
