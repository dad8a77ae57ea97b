import Formats
import Kernels
import Synchronization
import Testing

/// Several products that read the same x.
@Suite struct ProductTests {
  @Test("products together are bit for bit what they are alone", arguments: [1, 3, 4, 5, 7, 12, 13, 60])
  func together(rows: Int) {
    var numbers = Numbers(seed: 1)
    let x = numbers.floats(rows * 512)
    let weights = [(StorageFormat.q8_0, 70), (.f32, 33), (.q4_k, 5), (.bf16, 200), (.q4_0, 0)].map { format, outputs in
      SampleWeight(format, rows: outputs, columns: 512, seed: 2)
    }
    let bias = Guarded(numbers.floats(200))
    let before = numbers.floats(rows * 200)
    let pool = ThreadPool(threads: 3)
    let outputs = weights.map { _ in Guarded(before) }
    defer { withExtendedLifetime((weights, bias)) {} }
    let products = zip(weights, outputs).enumerated().map { index, pair in
      Product(by: pair.0.matrix, bias: index % 2 == 0 ? UnsafePointer(bias.base) : nil, into: pair.1.base, stride: 200)
    }
    multiply(x, stride: 512, rows: rows, by: products, accumulate: true, pool: pool)
    for (index, w) in weights.enumerated() {
      var alone = before
      multiply(
        x, stride: 512, rows: rows, by: w.matrix, bias: index % 2 == 0 ? UnsafePointer(bias.base) : nil, into: &alone,
        stride: 200, accumulate: true, pool: pool)
      #expect(outputs[index].elements == alone, "product \(index)")
    }
  }

  @Test("every part is told once, complete, and may be changed where it is", arguments: [1, 12, 40])
  func finished(rows: Int) {
    let formats = [StorageFormat.q4_0, .f32, .bf16]
    let weights = formats.map { SampleWeight($0, rows: 301, columns: 2304, seed: 5) }
    var numbers = Numbers(seed: 6)
    let x = Guarded(numbers.floats(rows * 2304))
    let outputs = formats.map { _ in Guarded<Float>(count: rows * 301, filledWith: 0) }
    let products = zip(weights, outputs).map { Product(by: $0.matrix, bias: nil, into: $1.base, stride: 301) }
    defer { withExtendedLifetime(weights) {} }
    let pool = ThreadPool(threads: 2)
    multiply(x.base, stride: 2304, rows: rows, by: products, accumulate: false, pool: pool)
    let expected = outputs.map { $0.elements.map { $0 * 2 } }
    let told = Mutex(0)
    multiply(x.base, stride: 2304, rows: rows, by: products, accumulate: false, pool: pool) { product, rows, columns in
      for r in rows { for c in columns { products[product].output[r * 301 + c] *= 2 } }
      told.withLock { $0 += rows.count * columns.count }
    }
    #expect(told.withLock { $0 } == 3 * rows * 301)
    for (output, expected) in zip(outputs, expected) { #expect(output.elements == expected) }
  }
}
