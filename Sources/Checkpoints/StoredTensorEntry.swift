import Components
import Files
import Formats
import Kernels

/// A tensor as a checkpoint file lists it: its own name, type and shape, and where its bytes lie.
public struct StoredTensorEntry: Sendable {
  /// The name the file gives it.
  public let name: String
  /// The element type in the file's own words, such as `BF16` or `Q4_K`.
  public let typeName: String
  /// The same as a storage format; nil for a type that is recognised but cannot be computed with.
  public let format: StorageFormat?
  /// The lengths of the axes, outermost first.
  public let shape: [Int]
  /// The place of its bytes in `file`.
  public let range: Range<Int>
  /// The file it is in.
  public let file: MappedFile

  /// A tensor called `name` at `range` of `file`, which its reader has checked.
  public init(
    name: String, typeName: String, format: StorageFormat?, shape: [Int], range: Range<Int>, file: MappedFile
  ) {
    self.name = name
    self.typeName = typeName
    self.format = format
    self.shape = shape
    self.range = range
    self.file = file
  }

  /// The stored bytes, valid while `file` lives.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: file.bytes[range]) }

  /// The same tensor under another name.
  public func renamed(_ name: String) -> StoredTensorEntry {
    StoredTensorEntry(name: name, typeName: typeName, format: format, shape: shape, range: range, file: file)
  }

  /// The number of elements.
  public var elementCount: Int { shape.reduce(1, *) }
}

extension StoredTensor {
  /// The tensor that a file lists, under another name; its format is one of those that are computed with.
  init(_ entry: StoredTensorEntry, named name: String) {
    self.init(
      name: name, shape: entry.shape, format: entry.format ?? .f32, bytes: entry.bytes, owner: entry.file)
  }
}

/// The product of `lengths`; nil when one is negative or the product does not fit.
func checkedProduct(_ lengths: [Int]) -> Int? {
  var product = 1
  for length in lengths {
    guard length >= 0 else { return nil }
    let (next, overflow) = product.multipliedReportingOverflow(by: length)
    if overflow { return nil }
    product = next
  }
  return product
}
