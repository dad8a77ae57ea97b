import Formats
import Kernels
import Testing

/// Several products that read the same x.
@Suite struct MatmulsTests {
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
      Matmul(by: pair.0.matrix, bias: index % 2 == 0 ? UnsafePointer(bias.base) : nil, into: pair.1.base, stride: 200)
    }
    products.withUnsafeBufferPointer {
      matmul(x, stride: 512, rows: rows, by: $0, accumulate: true, in: .stored, pool: pool)
    }
    for (index, w) in weights.enumerated() {
      var alone = before
      matmul(
        x, stride: 512, rows: rows, by: w.matrix, bias: index % 2 == 0 ? UnsafePointer(bias.base) : nil, into: &alone,
        stride: 200, accumulate: true, in: .stored, pool: pool)
      #expect(outputs[index].elements == alone, "product \(index)")
    }
  }
}
