extension Picture {
  /// Samples of a pixel along each side, by which edges are smoothed.
  private static let fine = 4

  /// Draws a shape around (`x`, `y`) in pixels.
  mutating func draw(_ shape: Shape, x: Int, y: Int, radius: Int, _ ink: Ink) {
    let fine = Self.fine
    for row in max(0, y - radius)...min(height - 1, y + radius) {
      for column in max(0, x - radius)...min(width - 1, x + radius) {
        var covered = 0
        for sample in 0..<fine * fine {
          // Centres of the samples, in halves of one.
          let right = 2 * ((column - x) * fine + sample % fine) + 1 - fine
          let down = 2 * ((row - y) * fine + sample / fine) + 1 - fine
          if shape.contains(right, down, radius: 2 * fine * radius) { covered += 1 }
        }
        if covered > 0 { blend(column, row, ink, covered, of: fine * fine) }
      }
    }
  }

  /// Writes `text` in letters of `scale` times 5×7 pixels, its top left corner at (`x`, `y`).
  mutating func write(_ text: String, x: Int, y: Int, scale: Int, _ ink: Ink) {
    for (place, letter) in text.enumerated() {
      for (column, bits) in BitmapFont.columns(of: letter).enumerated() {
        for row in 0..<BitmapFont.height where bits >> row & 1 == 1 {
          let left = x + (place * BitmapFont.advance + column) * scale
          for pixel in 0..<scale * scale {
            let (across, down) = (left + pixel % scale, y + row * scale + pixel / scale)
            if (0..<width).contains(across), (0..<height).contains(down) { blend(across, down, ink, 1, of: 1) }
          }
        }
      }
    }
  }

  private mutating func blend(_ x: Int, _ y: Int, _ ink: Ink, _ part: Int, of whole: Int) {
    let place = 3 * (y * width + x)
    for (channel, level) in [ink.levels.0, ink.levels.1, ink.levels.2].enumerated() {
      let below = Int(levels[place + channel])
      levels[place + channel] = UInt8((below * (whole - part) + Int(level) * part + whole / 2) / whole)
    }
  }
}
