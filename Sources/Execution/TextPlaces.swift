/// Where the tokens of a text with pictures stand in time, down and across.
public struct TextPlaces: Sendable, Hashable {
  /// Three numbers for each of the first tokens.
  public var numbers: [Int32] = []
  /// What later tokens add to their position, for all three.
  public var shift = 0

  /// Every token stands at its position.
  public init() {}

  /// The place of `position` in direction `direction`: 0 in time, 1 down, 2 across.
  func place(of position: Int, _ direction: Int) -> Int32 {
    let index = 3 * position + direction
    return numbers.indices.contains(index) ? numbers[index] : Int32(truncatingIfNeeded: position + shift)
  }

  /// Adds the place of the next token, the same in all directions.
  public mutating func append(_ place: Int) { append(place, place, place) }

  /// Adds the place of the next token in time, down and across.
  public mutating func append(_ time: Int, _ down: Int, _ across: Int) {
    numbers += [time, down, across].map { Int32(truncatingIfNeeded: $0) }
  }
}
