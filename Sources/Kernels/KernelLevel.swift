import CKernels

/// The kernels written for one kind of processor: `portable`, `neon`, `avx2`, `avx512`; with the processor's own dots of
/// int8 `neon-dot`, `avx2-vnni`, `avx512-vnni`, and of bf16, too, `avx512-bf16`.
///
/// The best one the processor has is chosen once, when first needed; the environment variable `CHIMERA_KERNELS` names
/// another; a name that does not run here is told on standard error and not followed. All levels give the same results within rounding, so a choice changes speed and last bits only.
///
/// `@unchecked Sendable` because it points at a constant table.
public struct KernelLevel: @unchecked Sendable, Equatable, CustomStringConvertible {
  let kernels: OpaquePointer

  /// The word `CHIMERA_KERNELS` knows it by.
  public var name: String { String(cString: ck_name(kernels)) }
  public var description: String { name }

  /// The levels this processor can run, slowest first.
  public static let available: [KernelLevel] = {
    let levels = [OpaquePointer](unsafeUninitializedCapacity: Int(CK_LEVELS)) { buffer, count in
      if let base = buffer.baseAddress { count = ck_levels(base) }
    }
    return levels.map(KernelLevel.init)
  }()

  /// The level in force on this thread.
  public static var current: KernelLevel { KernelLevel(kernels: ck_current()) }

  /// The same level with up to `mostRowsAlike` rows alike: each row of a matmul is the same sum in the same order,
  /// whatever their number. One row alone costs a little more there, and many of them more than packed.
  public var alike: KernelLevel { KernelLevel(kernels: ck_alike(kernels)) }

  /// Runs `body` with this level in force for what this thread calls, matmuls on a thread pool included.
  public func perform<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = ck_ask(kernels)
    defer { _ = ck_ask(before) }
    return try body()
  }
}
