/// Numbers between two walls: whoever writes beyond them is found out.
final class GuardedMemory {
  private let whole: UnsafeMutableBufferPointer<Float>
  /// How many numbers lie between the walls.
  let count: Int

  private static let wall = 64
  /// A number that no arithmetic gives by chance.
  private static let brick = Float(bitPattern: 0x7fa5_5a5a)

  /// Room for `count` numbers, none of which is a number yet.
  init(_ count: Int) {
    self.count = count
    whole = .allocate(capacity: count + 2 * Self.wall)
    whole.initialize(repeating: Self.brick)
    fill(.nan)
  }

  /// `numbers`.
  convenience init(_ numbers: [Float]) {
    self.init(numbers.count)
    fill(numbers)
  }

  deinit { whole.deallocate() }

  /// The first number.
  var base: UnsafeMutablePointer<Float> { (whole.baseAddress ?? .allocate(capacity: 1)) + Self.wall }

  /// The numbers.
  var numbers: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }

  /// Makes all numbers `value`.
  func fill(_ value: Float) { base.update(repeating: value, count: count) }

  /// Makes the numbers `values`, as many as there are.
  func fill(_ values: [Float]) {
    for i in 0..<count { base[i] = values[i] }
  }

  /// Whether both walls stand.
  var isIntact: Bool {
    (0..<Self.wall).allSatisfy {
      whole[$0].bitPattern == Self.brick.bitPattern
        && whole[count + 2 * Self.wall - 1 - $0].bitPattern == Self.brick.bitPattern
    }
  }
}
