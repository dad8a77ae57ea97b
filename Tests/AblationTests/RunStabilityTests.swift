import Ablation
import Files
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

  @Test("a value trains that keeps nine tenths of what the best gains on a guess, whatever is NaN beyond") func trains()
  {
    func curve(_ losses: [Double]) -> RateCurve {
      RateCurve(losses.enumerated().map { .init(factor: Double(1 << $0.offset), loss: $0.element) })
    }
    // The best gains 3 on a guess of 5: 2.3 is the most.
    #expect(curve([2.5, 2, 2.2, 2.31, .nan]).largestThatTrains(from: 5) == 2)
    #expect(curve([2.5, 2, 2.4, 2.29, 4.9]).largestThatTrains(from: 5) == 3)
    #expect(curve([2, 2.1]).largestThatTrains(from: 5) == 1)
    #expect(curve([5.5, 6]).largestThatTrains(from: 5) == nil && curve([.nan]).largestThatTrains(from: 5) == nil)
  }

  @Test("the largest logit and activation come back from an outcome, stand in the table, and may be missing")
  func extremes() throws {
    func outcome(_ members: String) throws -> TaskOutcome {
      let text =
        "{\"format\":1,\"key\":\"k\",\"result\":{\"loss\":2.5,\"curve\":[[64,2.5]],\"contexts\":[],"
        + "\"gradient_norm\":{\"median\":1,\"p99\":2,\"largest\":3},\"loss_spikes\":0\(members)},"
        + "\"times\":{\"seconds\":1,\"tokens_per_second\":64,\"machine\":\"m\"}}"
      return try TaskOutcome(JSONValue(parsing: text), key: "k")
    }
    let own = try outcome(",\"largest_attention_logit\":-12.5,\"largest_activation\":345.0,\"budgets\":[[32,3.5]]")
    #expect(own.result.stability?.largestScore == -12.5 && own.result.stability?.largestActivation == 345)
    #expect(own.result.budgets == [.init(tokens: 32, loss: 3.5)])
    let again = try TaskOutcome(own.json(key: "k"), key: "k")
    #expect(again.result == own.result)
    let old = try outcome("")
    #expect(old.result.stability?.largestScore == nil && old.result.budgets.isEmpty)
    #expect(throws: OutcomeDamage.self) { try outcome(",\"largest_activation\":-1") }
    let plan = try Studies.plan(
      "ablation: q\nbase: gpt2-mini\ndata: text.txt\narms: {rms: {norm: rmsnorm}}\ntrain: {lr: 0.001}\n")
    let table = StudyReport(plan) { _ in own }.stabilityTable
    #expect(table[0].contains("largest attention logit") && table[1].contains("-12.5") && table[1].contains("345"))
    #expect(!StudyReport(plan) { _ in old }.stabilityTable[0].contains("largest activation"))
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
