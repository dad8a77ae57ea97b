/// A shape that is drawn around a centre, within a radius.
///
/// Whether a point lies in it is decided in integers, so that the same picture comes out on every machine.
enum Shape: String, CaseIterable {
  case circle
  case square
  case triangle
  case cross
  case diamond

  /// More than one of it.
  var plural: String { self == .cross ? "crosses" : rawValue + "s" }

  /// Whether the point (`x`, `y`) from its centre lies in the shape of the given radius, all in the same unit; y grows
  /// downwards.
  func contains(_ x: Int, _ y: Int, radius: Int) -> Bool {
    switch self {
    case .circle: x * x + y * y <= radius * radius
    // Its corners would reach beyond the circle: the sides are shorter.
    case .square: 10 * max(abs(x), abs(y)) <= 8 * radius
    // The top at the radius above the centre, the base as far below.
    case .triangle: y <= 3 * radius / 4 && 2 * abs(x) <= y + radius
    case .cross: max(abs(x), abs(y)) <= radius && 3 * min(abs(x), abs(y)) <= radius
    case .diamond: abs(x) + abs(y) <= radius
    }
  }
}

/// A colour with its name.
struct Ink: Equatable {
  let name: String
  let levels: (UInt8, UInt8, UInt8)

  static func == (left: Ink, right: Ink) -> Bool { left.name == right.name }

  static let all = [
    Ink(name: "red", levels: (214, 40, 40)), Ink(name: "green", levels: (40, 160, 60)),
    Ink(name: "blue", levels: (40, 80, 210)), Ink(name: "yellow", levels: (235, 200, 30)),
    Ink(name: "black", levels: (20, 20, 20)), Ink(name: "purple", levels: (140, 50, 170)),
  ]
}
