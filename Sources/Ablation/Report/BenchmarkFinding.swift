/// What a benchmark found of each arm.
public struct BenchmarkFinding: Sendable {
  /// The benchmark.
  public let benchmark: Benchmark
  /// The scores by arm, the baseline first, and by seed.
  public let scores: [[Int: BenchmarkScore]]
  /// How the bits per byte of each arm but the baseline compare with the baseline's.
  public let comparisons: [Comparison?]

  /// One number of the arm at `index` over its seeds.
  public func sample(_ index: Int, _ value: (BenchmarkScore) -> Double?) -> Sample {
    Sample(scores[index].sorted { $0.key < $1.key }.compactMap { value($0.value) }.filter(\.isFinite))
  }

  /// The findings, all their comparisons corrected together: a family beside that of the losses.
  static func all(_ measured: [(benchmark: Benchmark, scores: [[Int: BenchmarkScore]])]) -> [BenchmarkFinding] {
    let differences = measured.flatMap { _, scores in
      scores.dropFirst().map { arm -> PairedDifference? in
        // Where nothing was trained, questions are what is left to chance.
        if let own = arm.values.first?.items, let base = scores[0].values.first?.items, !own.isEmpty,
          own.count == base.count
        {
          return PairedDifference(armWindows: own, baselineWindows: base)
        }
        let bits = [arm, scores[0]].map { $0.mapValues(\.bitsPerByte).filter(\.value.isFinite) }
        return bits[0].isEmpty || bits[1].isEmpty ? nil : PairedDifference(arm: bits[0], baseline: bits[1])
      }
    }
    let tested = StudyStatistics(baseline: ArmLosses(runs: [:]), arms: [], further: differences).further
    var start = 0
    return measured.map { benchmark, scores in
      let count = scores.count - 1
      defer { start += count }
      return BenchmarkFinding(
        benchmark: benchmark, scores: scores, comparisons: Array(tested[start..<start + count]))
    }
  }
}

extension StudyReport {
  /// The columns of the benchmarks, and a row for each arm and benchmark.
  public var benchmarksTable: [[String]] {
    if benchmarks.isEmpty { return [] }
    let head = ["task", "arm", "accuracy", "normalised", "bits per byte", "Δ bits per byte", "verdict"]
    return [head]
      + benchmarks.flatMap { finding in
        rows.indices.map { index in
          let comparison = index == 0 ? nil : finding.comparisons[index - 1]
          let bits = finding.sample(index, \.bitsPerByte)
          return [
            "\(finding.benchmark.name) (chance \(Wording.share(of: finding.benchmark.chance)))", rows[index].arm.name,
            Wording.share(finding.sample(index, \.accuracy)), Wording.share(finding.sample(index, \.normalized)),
            Wording.sample(bits), comparison.map(Wording.difference) ?? "",
            comparison.map { words(for: $0.verdict) } ?? (index == 0 ? "baseline" : "–"),
          ]
        }
      }
  }

  /// What the table says.
  public static let benchmarksMeaning =
    "Questions with right answers, each answer by its likelihood behind its context. Accuracy: the likeliest choice is right; normalised: by log-probability a byte; of a cloze, the answer is what greedy decoding gives. Verdicts are of the bits per byte of the right answer, for accuracies of small models are near chance; all cells of the table are one family, corrected by Holm."
}

extension Wording {
  /// `35.2 ± 1.4 %`: a share over seeds.
  static func share(_ sample: Sample) -> String {
    guard let mean = sample.mean else { return "–" }
    return fixed(mean * 100, 1) + (sample.standardDeviation.map { " ± " + fixed($0 * 100, 1) } ?? "") + " %"
  }
}
