import Files

/// What an encoder reads for each level of each channel: a table, since a level is one of 256.
///
/// ```
/// y = (x · factor - mean) / deviation
/// ```
///
/// `x · factor` is computed in double precision and rounded to single, the rest in single, as transformers' processors
/// do with NumPy; in any other order the last bit differs.
struct LevelScale: Sendable {
  /// In what the numbers are computed.
  enum Arithmetic: String {
    case single = "float32"
    /// Every step is rounded to bfloat16.
    case brain = "bfloat16"
  }

  private let table: [Float]  // [3, 256]

  /// Reads `do_rescale`, `rescale_factor`, `do_normalize`, `image_mean` and `image_std`.
  init(_ settings: ImageSettings) throws(FileProblem) {
    let factor = try settings.bool("do_rescale") ? settings.number("rescale_factor") : 1
    let normalizes = try settings.bool("do_normalize")
    let mean = try normalizes ? settings.channels("image_mean") : [0, 0, 0]
    let deviation = try normalizes ? settings.channels("image_std") : [1, 1, 1]
    guard deviation.allSatisfy({ Float($0) != 0 }) else { throw settings.problem("image_std", "numbers other than 0") }
    let word = settings["arithmetic"]?.string ?? Arithmetic.single.rawValue
    guard let arithmetic = Arithmetic(rawValue: word) else {
      throw settings.problem("arithmetic", "float32 or bfloat16")
    }
    table = (0..<3 * 256).map { place in
      let (channel, level) = (place / 256, place % 256)
      switch arithmetic {
      case .single:
        let scaled = Float(Double(level) * factor)
        return normalizes ? (scaled - Float(mean[channel])) / Float(deviation[channel]) : scaled
      case .brain:
        let scaled = Self.rounded(Float(level) * Float(factor))
        guard normalizes else { return scaled }
        let centred = Self.rounded(scaled - Self.rounded(Float(mean[channel])))
        return Self.rounded(centred / Self.rounded(Float(deviation[channel])))
      }
    }
  }

  subscript(channel: Int, level: UInt8) -> Float { table[channel << 8 | Int(level)] }

  // The nearest bfloat16, to even.
  private static func rounded(_ value: Float) -> Float {
    let bits = value.bitPattern
    return Float(bitPattern: (bits + 0x7FFF + bits >> 16 & 1) & 0xFFFF_0000)
  }
}
