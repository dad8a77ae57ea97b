import Formats
import Kernels

/// A tensor's bytes where they lie, with the owner that keeps them there.
public struct StoredTensor: @unchecked Sendable {
  // Sendable although it holds a pointer: the bytes are never written, and `owner` keeps them alive.

  /// The canonical name.
  public let name: String
  /// The lengths of the axes, outermost first: `[out, in]` for a matrix.
  public let shape: [Int]
  /// How the elements are stored, row after row.
  public let format: StorageFormat
  /// The stored bytes: as many as `shape` and `format` say.
  public let bytes: UnsafeRawBufferPointer
  /// What keeps `bytes` alive: a mapped file, or a buffer.
  public let owner: AnyObject

  /// A tensor over `bytes`, which `owner` keeps alive.
  public init(name: String, shape: [Int], format: StorageFormat, bytes: UnsafeRawBufferPointer, owner: AnyObject) {
    self.name = name
    self.shape = shape
    self.format = format
    self.bytes = bytes
    self.owner = owner
  }
  /// A tensor of `numbers`, in f32, which it keeps.
  public init(name: String, shape: [Int], numbers: [Float]) {
    let owner = TensorNumbers(numbers)
    self.init(
      name: name, shape: shape, format: .f32, bytes: UnsafeRawBufferPointer(owner.numbers), owner: owner)
  }
}

/// Numbers that stay where they are.
private final class TensorNumbers {
  let numbers: UnsafeMutableBufferPointer<Float>

  init(_ values: [Float]) {
    numbers = .allocate(capacity: values.count)
    _ = numbers.initialize(from: values)
  }

  deinit { numbers.deallocate() }
}
