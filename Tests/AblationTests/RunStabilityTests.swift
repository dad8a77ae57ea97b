import Ablation
import Testing

@Suite("stability of a run") struct RunStabilityTests {
  private static let calm: [Double] = (0..<100).map { (step: Int) -> Double in
    let jitter: Double = step % 2 == 0 ? 0.01 : -0.01
    return 3 - 0.01 * Double(step) + jitter
  }

  @Test("norms are told by their median, their 99th percentile and the largest") func norms() throws {
    let stability = try #require(RunStability(norms: (1...101).map(Double.init).reversed(), losses: []))
    #expect(stability.medianNorm == 51 && stability.highNorm == 100 && stability.largestNorm == 101)
    #expect(RunStability(norms: [], losses: [1]) == nil && RunStability(norms: [.nan], losses: []) == nil)
  }

  @Test("a spike is counted once however long it lasts, and falling and jitter are none") func spikes() throws {
    #expect(try #require(RunStability(norms: [1], losses: Self.calm)).spikes == 0)
    var spiked = Self.calm
    for step in 50..<54 { spiked[step] += 2 }
    spiked[80] += 1
    spiked[2] += 5
    #expect(
      try #require(RunStability(norms: [1], losses: spiked)).spikes == 2, "the first steps have nothing before them")
  }
}
