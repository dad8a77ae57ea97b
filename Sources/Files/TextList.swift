/// Many UTF-8 texts where they lie, such as the pieces of a vocabulary in a mapped file: none is a `String` before
/// somebody asks for it.
///
/// Sendable although it holds a pointer: the memory is only read, and its owner is kept.
public struct TextList: @unchecked Sendable, RandomAccessCollection, ExpressibleByArrayLiteral {
  private let owner: AnyObject
  private let bytes: UnsafeBufferPointer<UInt8>
  private let places: [(start: Int, count: Int)]

  /// The texts of `file` at `places`, each of which is inside the file and UTF-8.
  public init(in file: MappedFile, at places: [(start: Int, count: Int)]) {
    owner = file
    bytes = file.bytes.bindMemory(to: UInt8.self)
    self.places = places
  }

  /// A copy of `texts`.
  public init(_ texts: [String]) {
    var places: [(start: Int, count: Int)] = []
    var length = 0
    for text in texts {
      places.append((length, text.utf8.count))
      length += text.utf8.count
    }
    let memory = Memory(count: length)
    _ = memory.bytes.initialize(from: texts.lazy.flatMap(\.utf8))
    owner = memory
    bytes = UnsafeBufferPointer(memory.bytes)
    self.places = places
  }

  public init(arrayLiteral texts: String...) { self.init(texts) }

  public var startIndex: Int { 0 }
  public var endIndex: Int { places.count }
  public subscript(index: Int) -> String { String(decoding: bytes(at: index), as: UTF8.self) }

  /// The bytes of the text at `index`; valid while this list lives.
  public func bytes(at index: Int) -> UnsafeBufferPointer<UInt8> {
    let place = places[index]
    return UnsafeBufferPointer(rebasing: bytes[place.start..<place.start + place.count])
  }

  /// Bytes that live as long as they are referred to.
  private final class Memory {
    let bytes: UnsafeMutableBufferPointer<UInt8>
    init(count: Int) { bytes = .allocate(capacity: count) }
    deinit { bytes.deallocate() }
  }
}
