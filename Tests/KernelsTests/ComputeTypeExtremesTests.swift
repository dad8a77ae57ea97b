import Formats
import Kernels
import Testing

/// Products in the arithmetic of the stored format, of the largest numbers and of those that are none.
@Suite struct ComputeTypeExtremesTests {
  private func product(_ type: ComputeType, _ x: [Float], rows: Int, by w: WeightMatrix) -> [Float] {
    let x = Guarded(x), y = Guarded([Float](repeating: .nan, count: rows * w.rows))
    matmul(
      x.base, stride: w.columns, rows: rows, by: w, bias: nil, into: y.base, stride: w.rows, accumulate: false,
      in: type, pool: ThreadPool(threads: 1))
    return y.elements
  }

  @Test("sums are exact where they are largest", arguments: KernelLevel.available, [1, 4, 20])
  func largest(level: KernelLevel, rows: Int) {
    level.perform {
      // The largest number of the format in every place, times the largest of x and its opposite: sums that are kept in
      // 16 bits are nowhere larger.
      for format in StorageFormat.allCases where format.elementsPerBlock > 1 {
        var bytes = [UInt8](repeating: 0xFF, count: 2 * 17 * format.bytesPerBlock)
        let half: [UInt8] = [0, 0x3C]  // 1
        for block in 0..<34 {
          let at = block * format.bytesPerBlock
          switch format {
          case .q8_0:
            bytes.replaceSubrange(at..<at + format.bytesPerBlock, with: half + [UInt8](repeating: 0x80, count: 32))
          case .q6_k: bytes.replaceSubrange(at + 208..<at + 210, with: half)
          case .q4_0, .q5_0: bytes.replaceSubrange(at..<at + 2, with: half)
          default: bytes.replaceSubrange(at..<at + 4, with: half + half)
          }
        }
        let columns = 17 * format.elementsPerBlock
        bytes.withUnsafeBytes { stored in
          guard let base = stored.baseAddress else { return }
          let w = WeightMatrix(base: base, format: format, rows: 2, columns: columns)
          for sign in [Float(1), -1] {
            let x = [Float](repeating: 127 * sign, count: rows * columns)
            // Nothing is rounded but the sums of at most 17 · 256 terms.
            let exact = product(.f32, x, rows: rows, by: w)
            for (found, exact) in zip(product(.stored, x, rows: rows, by: w), exact) {
              #expect(abs(found - exact) <= abs(exact) * 0x1p-15, "\(format.rawValue): \(found), not \(exact)")
            }
          }
        }
      }
    }
  }

  @Test(
    "a NaN or an infinity in x is seen in its row and no other, and zeros give zeros",
    arguments: KernelLevel.available, [3, 20])
  func extremes(level: KernelLevel, rows: Int) {
    level.perform {
      for format in [StorageFormat.q8_0, .q4_0, .q5_1] {
        let w = SampleWeight(format, rows: 33, columns: 96, seed: 41)
        for value in [Float.nan, .infinity, -.infinity] {
          var x = [Float](repeating: 0, count: rows * 96)
          x[96 + 40] = value
          let y = product(.stored, x, rows: rows, by: w.matrix)
          #expect(y[33..<66].allSatisfy { !$0.isFinite })
          #expect(y[..<33].allSatisfy { $0 == 0 } && y[66...].allSatisfy { $0 == 0 })
        }
        let tiny = [Float](repeating: Float(bitPattern: 700), count: rows * 96)
        #expect(product(.stored, tiny, rows: rows, by: w.matrix).allSatisfy { abs($0) < 1e-38 })
      }
    }
  }
}
