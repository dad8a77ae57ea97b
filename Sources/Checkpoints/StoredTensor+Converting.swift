import Formats
import Components
import Files
import Kernels

extension StoredTensor {
  /// The tensor with every number in `format`, in memory of its own: to nearest even for f16 and bf16, and blocks as ggml's
  /// reference quantiser makes them, of which a row must be an integer number.
  ///
  /// Throws when memory is short. f16 has no room beyond ±65,504: what is larger becomes infinite, which no one wants to
  /// find later, so that is thrown too.
  public func stored(as format: StorageFormat) throws -> StoredTensor {
    if format == self.format { return self }
    let count = shape.reduce(1, *)
    guard (shape.last ?? 1) % format.elementsPerBlock == 0, let byteCount = format.byteCount(elements: count) else {
      throw Problems([Problem("'\(name)' \(shape) has no whole blocks of \(format.rawValue)", at: nil)])
    }
    guard let buffer = TensorBuffer(byteCount: byteCount), let target = buffer.bytes.baseAddress,
      let source = bytes.baseAddress
    else {
      throw Problems([
        Problem("'\(name)' needs \(byteCount) bytes of memory, which the system has not", at: nil)
      ])
    }
    let step = 4096  // whole blocks of every format
    var numbers = [Float](repeating: 0, count: min(step, count))
    for start in stride(from: 0, to: count, by: step) {
      let part = min(step, count - start)
      numbers.withUnsafeMutableBufferPointer { numbers in
        guard let x = numbers.baseAddress else { return }
        widen(
          self.format, source + start / self.format.elementsPerBlock * self.format.bytesPerBlock, count: part, into: x)
        narrow(
          x, count: part, to: format, into: target + start / format.elementsPerBlock * format.bytesPerBlock)
      }
      if format == .f16, let large = numbers[..<part].first(where: { $0.isFinite && abs($0) >= 65_520 }) {
        throw Problems([Problem("'\(name)' has the number \(large), which f16 cannot hold", at: nil, hint: "bf16 can")])
      }
    }
    return StoredTensor(
      name: name, shape: shape, format: format, bytes: UnsafeRawBufferPointer(buffer.bytes), owner: buffer)
  }
}
