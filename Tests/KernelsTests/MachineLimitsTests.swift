import Kernels
import Testing

@Suite struct MachineLimitsTests {
  @Test("every level has a read rate and an f32 peak", arguments: KernelLevel.available.map(\.name))
  func everyLevel(_ name: String) throws {
    let level = try #require(KernelLevel.available.first { $0.name == name })
    let limits = MachineLimits(pool: ThreadPool(threads: 2), bytesPerThread: 1 << 20)
    level.perform {
      let rate = limits.readRate(walks: 1)
      #expect(rate.isFinite && rate > 0)
      for arithmetic in MachineLimits.Arithmetic.allCases {
        let peak = limits.peak(arithmetic, seconds: 1e-4)
        #expect(arithmetic != .f32 || peak != nil)
        if let peak { #expect(peak.isFinite && peak > 0) }
      }
    }
  }

  @Test("the portable level has nothing but f32")
  func portable() throws {
    let limits = MachineLimits(pool: ThreadPool(threads: 1), bytesPerThread: 4096)
    KernelLevel.available[0].perform {
      #expect(limits.peak(.bf16, seconds: 1e-4) == nil && limits.peak(.int8, seconds: 1e-4) == nil)
    }
  }
}
