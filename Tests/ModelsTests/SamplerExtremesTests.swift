import Foundation
import Generation
import Testing

/// Settings at the ends of their ranges choose as the ends do.
@Suite struct SamplerExtremesTests {
  private static let logits: [Float] = [1.5, -2, 3.25, 3.25, 0, -1e30, 3.2499998]

  private static func choose(_ logits: [Float], after history: [Int] = [], _ change: (inout Sampler.Settings) -> Void)
    -> [Int?]
  {
    (0..<20).map { seed in
      var settings = Sampler.Settings()
      settings.seed = UInt64(seed)
      change(&settings)
      var sampler = Sampler(settings)
      return logits.withUnsafeBufferPointer { sampler.next($0, after: history) }
    }
  }

  @Test(
    "a temperature that is as good as 0 is 0",
    arguments: [0, 1e-11, 1e-30, 1e-300, 0x1p-1023, 0x1p-1030, .leastNonzeroMagnitude, .leastNormalMagnitude])
  func tiny(_ temperature: Double) {
    #expect(Set(Self.choose(Self.logits) { $0.temperature = temperature }) == [2], "and of equal ones the first")
    for other in [{ $0.topK = 3 }, { $0.topP = 0.5 }, { $0.minP = 0.5 }] as [(inout Sampler.Settings) -> Void] {
      let chosen = Self.choose(Self.logits) {
        $0.temperature = temperature
        other(&$0)
      }
      #expect(Set(chosen) == [2])
    }
    #expect(Set(Self.choose([3e38, -3e38, 2.9e38]) { $0.temperature = temperature }) == [0])
  }

  @Test("a small temperature above it chooses the likeliest too", arguments: [1e-10, 1e-9, 1e-8])
  func small(_ temperature: Double) {
    #expect(Set(Self.choose([0, 1, 3, 2]) { $0.temperature = temperature }) == [2])
    #expect(Set(Self.choose([3e38, -3e38, 2.9e38]) { $0.temperature = temperature }) == [0])
  }

  @Test(
    "a penalty that makes logits infinite makes the tokens it is for certain, and no other",
    arguments: [0x1p-1030, .leastNonzeroMagnitude])
  func penalty(_ penalty: Double) {
    for temperature in [0.8, 1e-9, 0] {
      let chosen = Self.choose([1, 2, 3, 4], after: [1]) {
        $0.repeatPenalty = penalty
        $0.temperature = temperature
      }
      #expect(Set(chosen) == [1])
    }
  }

  @Test("the smallest top-p and min-p leave the likeliest") func least() {
    #expect(Set(Self.choose([0, 1, 3, 2]) { $0.topP = .leastNonzeroMagnitude }) == [2])
    #expect(Set(Self.choose([0, 1, 3, 2]) { $0.minP = 1 }) == [2])
  }
}
