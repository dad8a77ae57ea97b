import Formats
import ArgumentParser
import Execution
import Kernels

/// The sizes of matrix multiplications on a command line, rows × outputs × inputs each: `4096x1536x384,512x5632x2048`.
struct ProductSizes: ExpressibleByArgument {
  struct Size {
    let rows: Int
    let outputs: Int
    let inputs: Int
  }

  let sizes: [Size]

  init?(argument: String) {
    let sizes = argument.split(separator: ",", omittingEmptySubsequences: false).map { text -> Size? in
      let numbers = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
      guard numbers.count == 3, numbers.allSatisfy((1...1 << 20).contains) else { return nil }
      return Size(rows: numbers[0], outputs: numbers[1], inputs: numbers[2])
    }
    self.sizes = sizes.compactMap { $0 }
    if self.sizes.isEmpty || self.sizes.count != sizes.count { return nil }
  }
}

/// Measures y = x·wᵀ alone, of one size and one format of w: the largest part of every model.
struct ProductRunner {
  let limits: MachineLimits
  let pool: ThreadPool
  let repetitions: Int
  let computeType: ComputeType

  /// Each repetition is many products in a row, some 50 ms of them; w is packed anew for each, as it is in a model.
  func measure(_ size: ProductSizes.Size, _ format: StorageFormat) -> BenchRow {
    let stored = randomBlocks(format, count: size.outputs * size.inputs, deviation: 0.02, seed: 1)
    let numbers = randomBlocks(.f32, count: size.rows * size.inputs, deviation: 1, seed: 1)
    let y = UnsafeMutablePointer<Float>.allocate(capacity: size.rows * size.outputs)
    y.initialize(repeating: 0, count: size.rows * size.outputs)
    defer { y.deallocate() }
    return stored.withUnsafeBytes { stored in
      numbers.withUnsafeBytes { numbers in
        guard let base = stored.baseAddress, let x = numbers.assumingMemoryBound(to: Float.self).baseAddress else {
          preconditionFailure("a product without elements")
        }
        let w = WeightMatrix(base: base, format: format, rows: size.outputs, columns: size.inputs)
        return measure(size, format, storedBytes: stored.count) { times in
          for _ in 0..<times {
            matmul(
              x, stride: size.inputs, rows: size.rows, by: w, bias: nil, into: y, stride: size.outputs,
              accumulate: false, in: computeType, pool: pool)
          }
        }
      }
    }
  }

  private func measure(
    _ size: ProductSizes.Size, _ format: StorageFormat, storedBytes: Int, _ body: (Int) -> Void
  ) -> BenchRow {
    func seconds(_ times: Int) -> Double { ContinuousClock().measure { body(times) }.inSeconds }
    body(1)  // first pages, caches, clock
    let times = max(1, Int(0.05 / max(1e-6, seconds(1))))
    var work = Work()
    work.flops = 2 * Double(size.rows) * Double(size.outputs) * Double(size.inputs) * Double(times)
    work.weightBytes = Double(storedBytes) * Double(times)
    var row = BenchRow(
      test: .product, weightsType: format.rawValue, threads: pool.threads, tokens: size.rows * times, batch: 1,
      depth: 0,
      work: work, arithmetic: computeType == .f32 ? .f32 : format.arithmetic(limits))
    row.product = size
    func limit() -> BenchRow.Limit {
      BenchRow.Limit(readRate: limits.readRate(), peak: limits.peak(row.arithmetic) ?? 0)
    }
    row.limits.append(limit())
    for _ in 0..<repetitions {
      row.seconds.add(seconds(times))
      row.limits.append(limit())
    }
    return row
  }
}

extension StorageFormat {
  /// The kind of multiply-add that products with this format use where `limits` has it; f32 where it has not.
  func arithmetic(_ limits: MachineLimits) -> MachineLimits.Arithmetic {
    let wanted: MachineLimits.Arithmetic = self == .bf16 ? .bf16 : elementsPerBlock > 1 ? .int8 : .f32
    return limits.peak(wanted, seconds: 1e-4) == nil ? .f32 : wanted
  }
}
