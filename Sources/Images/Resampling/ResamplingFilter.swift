import Essentials

/// How levels between pixels are found when a picture is resized; the raw value is Pillow's number.
public enum ResamplingFilter: Int, Sendable, CaseIterable {
  case nearest = 0
  case lanczos = 1
  case bilinear = 2
  case bicubic = 3
  case box = 4
  case hamming = 5

  /// The name that a file writes.
  public var name: String { "\(self)" }

  /// The filter called `name`.
  public init?(name: String) {
    guard let filter = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = filter
  }

  /// How far from its centre it reaches, in pixels of the smaller scale; 0: it takes one pixel as it is.
  var support: Double {
    switch self {
    case .nearest: 0
    case .box: 0.5
    case .bilinear, .hamming: 1
    case .bicubic: 2
    case .lanczos: 3
    }
  }

  /// Its weight at `x`.
  ///
  /// ```
  /// bilinear  1 - |x|                            bicubic  Keys' cubic with a = -1/2
  /// hamming   sinc(x) · (0.54 + 0.46 cos πx)     lanczos  sinc(x) · sinc(x/3)
  /// ```
  func weight(_ x: Double) -> Double {
    let distance = abs(x)
    switch self {
    // The half-open interval of the box decides which of two equally near pixels counts.
    case .nearest, .box: return x > -0.5 && x <= 0.5 ? 1 : 0
    case .bilinear: return distance < 1 ? 1 - distance : 0
    case .hamming:
      if distance == 0 { return 1 }
      if distance >= 1 { return 0 }
      let angle = distance * Double.pi
      // Pillow writes these two numbers in single precision.
      return sin(angle) / angle * (Double(Float(0.54)) + Double(Float(0.46)) * cos(angle))
    case .bicubic:
      let a = -0.5
      if distance < 1 { return ((a + 2) * distance - (a + 3)) * distance * distance + 1 }
      if distance < 2 { return (((distance - 5) * distance + 8) * distance - 4) * a }
      return 0
    case .lanczos: return x >= -3 && x < 3 ? Self.sinc(x) * Self.sinc(x / 3) : 0
    }
  }

  private static func sinc(_ x: Double) -> Double {
    if x == 0 { return 1 }
    let angle = x * Double.pi
    return sin(angle) / angle
  }
}
