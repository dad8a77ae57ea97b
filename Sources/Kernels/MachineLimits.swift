import CKernels

/// What this machine gives at this moment: the rate of its memory, and of multiply-adds that never leave the registers.
///
/// Each is measured by all threads of a pool at once, with the instructions of the level in force. The rate of memory
/// moves within minutes where the machine has neighbours, so measure it beside what is compared with it.
/// `@unchecked Sendable` because the memory it reads is written once, before `init` returns.
public final class MachineLimits: @unchecked Sendable {
  /// Kinds of multiply-add.
  public enum Arithmetic: String, Sendable, CaseIterable {
    case f32, bf16, int8

    fileprivate var code: ck_peak_kind {
      switch self {
      case .f32: CK_PEAK_F32
      case .bf16: CK_PEAK_BF16
      case .int8: CK_PEAK_INT8
      }
    }
  }

  /// The threads that take part.
  public var threads: Int { pool.threads }
  private let pool: ThreadPool
  private let memory: UnsafeMutableRawPointer?
  private let bytesPerThread: Int

  /// Limits of the threads of `pool`. Each thread reads `bytesPerThread`, which should be far more than the caches hold.
  public init(pool: ThreadPool, bytesPerThread: Int = 256 << 20) {
    let bytesPerThread = max(4096, bytesPerThread / 4096 * 4096)
    self.pool = pool
    self.bytesPerThread = bytesPerThread
    let (bytes, overflow) = bytesPerThread.multipliedReportingOverflow(by: pool.threads)
    let memory = overflow ? nil : ck_pages(bytes)
    self.memory = memory
    guard let memory else { return }
    // Pages that nobody has written are all the same one, which the caches hold.
    pool.run(pool.threads) { parts in
      for part in parts {
        (memory + part * bytesPerThread).initializeMemory(as: UInt8.self, repeating: 1, count: bytesPerThread)
      }
    }
  }

  deinit {
    if let memory { ck_release_pages(memory, bytesPerThread * pool.threads) }
  }

  /// Bytes a second that the threads read together from memory: the median of a few walks through it, as one stream a
  /// thread or four, whichever is faster. 0 when there was no memory for it.
  public func readRate(walks: Int = 5) -> Double {
    guard let memory else { return 0 }
    let kernels = ck_current(), bytesPerThread = bytesPerThread
    let rates = [1, 4].map { streams in
      median(
        (0..<max(1, walks)).map { _ in
          let seconds = measure {
            pool.run(pool.threads) { parts in
              for part in parts { _ = ck_read(kernels, memory + part * bytesPerThread, bytesPerThread, Int32(streams)) }
            }
          }
          return Double(bytesPerThread * pool.threads) / seconds
        })
    }
    return rates.max() ?? 0
  }

  /// Operations a second that the threads do together, a multiplication and an addition being two; nil where the level
  /// in force has no such instructions.
  public func peak(_ arithmetic: Arithmetic, seconds: Double = 0.02) -> Double? {
    let kernels = ck_current()
    let perTurn = ck_peak(kernels, arithmetic.code, 1000)
    guard perTurn > 0 else { return nil }
    let once = measure { _ = ck_peak(kernels, arithmetic.code, 100_000) } / 100_000
    let turns = max(1000, Int(seconds / once))
    return median(
      (0..<3).map { _ in
        let seconds = measure {
          pool.run(pool.threads) { parts in
            for _ in parts { _ = ck_peak(kernels, arithmetic.code, turns) }
          }
        }
        return Double(perTurn) * Double(turns) * Double(pool.threads) / seconds
      })
  }

  private func measure(_ body: () -> Void) -> Double {
    let (seconds, attoseconds) = ContinuousClock().measure(body).components
    return max(1e-9, Double(seconds) + Double(attoseconds) * 1e-18)
  }

  private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
