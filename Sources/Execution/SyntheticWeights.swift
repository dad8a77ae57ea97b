import Components
import Essentials
import Formats
import Kernels

/// Weights for measuring speed: every matrix in one format, made in about the time it takes to write them.
///
/// Some random numbers are quantised once and repeated, each tensor starting at another of them; their size is that of
/// fresh weights, so that nothing overflows and nothing is subnormal.
public struct SyntheticWeights: Sendable {
  /// The tensors by canonical name.
  public let tensors: [String: StoredTensor]
  /// Bytes that they take together.
  public let byteCount: Int

  /// Numbers in a run: a multiple of every block, and prime to the widths of matrices, so that no two rows agree.
  private static let run = 256 * 4099

  /// Weights of `plan` in `format`; matrices that start as one number, or whose rows are not whole blocks of it, are f16. Throws when there is no
  /// memory for them.
  public init(_ plan: Plan, format: StorageFormat, pool: ThreadPool) throws(ExecutionProblem) {
    var offsets: [Int] = []
    var formats: [StorageFormat] = []
    var total = 0
    for tensor in plan.parameters {
      let fits = (tensor.shape.last ?? 1) % format.elementsPerBlock == 0 && !tensor.initialization.isConstant
      let own = tensor.use == .vector ? .f32 : fits ? format : .f16
      guard let bytes = own.byteCount(elements: tensor.count) else { throw .memory(bytes: Int.max) }
      offsets.append(total)
      formats.append(own)
      let (sum, overflow) = total.addingReportingOverflow((bytes + 63) / 64 * 64)  // a tensor begins at a cache line
      if overflow { throw .memory(bytes: Int.max) }
      total = sum
    }
    let memory = try FloatBuffer(count: total / MemoryLayout<Float>.stride)
    memory.useHugePages()
    var runs: [Run: [UInt8]] = [:]
    var tensors: [String: StoredTensor] = [:]
    for (index, tensor) in plan.parameters.enumerated() {
      let base = UnsafeMutableRawPointer(memory.base) + offsets[index]
      let format = formats[index]
      let bytes = format.byteCount(elements: tensor.count) ?? 0
      switch tensor.initialization {
      case .zeros: break
      case .constant(let value):
        narrow(Array(repeating: Float(value), count: tensor.count), count: tensor.count, to: format, into: base)
      case .each(let numbers):
        narrow(numbers.map { Float($0) }, count: tensor.count, to: format, into: base)
      case .normal, .uniform:
        let deviation = tensor.initialization.deviation
        let run = Run(format: format, deviation: deviation)
        let source = runs[run] ?? randomBlocks(format, count: Self.run, deviation: Float(deviation), seed: 1)
        runs[run] = source
        fill(base, blocks: bytes / format.bytesPerBlock, format.bytesPerBlock, from: source, start: index * 7919, pool)
      }
      tensors[tensor.name.text] = StoredTensor(
        name: tensor.name.text, shape: tensor.shape, format: format,
        bytes: UnsafeRawBufferPointer(start: base, count: bytes),
        owner: memory)
    }
    self.tensors = tensors
    byteCount = total
  }

  private struct Run: Hashable {
    let format: StorageFormat
    let deviation: Double
  }
}

/// Fills `blocks` blocks at `base` by repeating `source` from its block `start` on.
private func fill(
  _ base: UnsafeMutableRawPointer, blocks: Int, _ size: Int, from source: [UInt8], start: Int, _ pool: ThreadPool
) {
  nonisolated(unsafe) let base = base  // each thread writes blocks of its own
  source.withUnsafeBytes { source in
    guard let first = source.baseAddress else { return }
    let count = source.count / size
    pool.run(blocks, grain: 1 << 12) { own in
      var block = own.lowerBound
      while block < own.upperBound {
        let at = (start + block) % count
        let together = min(count - at, own.upperBound - block)
        (base + block * size).copyMemory(from: first + at * size, byteCount: together * size)
        block += together
      }
    }
  }
}

extension PlannedTensor.Initialization {
  /// Whether its numbers are said one by one, or as the same one that is not zero.
  fileprivate var isConstant: Bool {
    switch self {
    case .constant, .each: true
    case .zeros, .normal, .uniform: false
    }
  }

  /// The standard deviation of numbers that are drawn; those between −a and a have a/√3.
  fileprivate var deviation: Double {
    switch self {
    case .normal(let deviation): deviation
    case .uniform(let limit): limit / 3.0.squareRoot()
    case .zeros, .constant, .each: 0
    }
  }
}
