extension Picture {
  /// This picture with another size, bit for bit as Pillow 13 resizes 8-bit pictures (Clark and others, Resample.c).
  ///
  /// Two passes, along rows and along columns, each rounded to 8-bit levels; a pass that would change nothing is left
  /// out. What rounds once, at the end, differs by one level in many pixels. Rows come first unless the height shrinks by
  /// more than twice as many pixels as the width, which was found by comparing; earlier versions began with rows always.
  /// `size` has sides of at least 1.
  public func resized(to size: PictureSize, _ filter: ResamplingFilter) -> Picture {
    precondition(size.width > 0 && size.height > 0, "a picture of \(size) pixels")
    if size == self.size { return self }
    if filter == .nearest { return nearest(size) }
    let columns = size.width == width ? nil : Coefficients(from: width, to: size.width, filter)
    let rows = size.height == height ? nil : Coefficients(from: height, to: size.height, filter)
    var result = Picture(width: size.width, height: size.height)
    let length = 3 * size.width
    levels.withUnsafeBufferPointer { source in
      result.levels.withUnsafeMutableBufferPointer { target in
        guard let rows else {
          for row in 0..<height { resize(row, of: source, by: columns, to: target, at: row * length) }
          return
        }
        if size.height < height, height - size.height > 2 * (width - size.width) {
          columnsFirst(source, by: columns, rows, to: target, length)
        } else {
          rowsFirst(source, by: columns, rows, to: target, length)
        }
      }
    }
    return result
  }

  // Rows are resized when the first target row asks for them, and only as many are held as one target row reads: a
  // picture of a few columns and millions of rows must not become a wide one of millions of rows on its way.
  private func rowsFirst(
    _ source: UnsafeBufferPointer<UInt8>, by columns: Coefficients?, _ rows: Coefficients,
    to target: UnsafeMutableBufferPointer<UInt8>, _ length: Int
  ) {
    let held = min(rows.stride, height)
    var window = [UInt8](repeating: 0, count: held * length)  // [row mod held, width, 3]
    var sums = [Int32](repeating: 0, count: length)
    var next = 0
    window.withUnsafeMutableBufferPointer { window in
      for (y, bounds) in rows.bounds.enumerated() {
        next = max(next, bounds.first)
        while next < bounds.first + bounds.count {
          resize(next, of: source, by: columns, to: window, at: next % held * length)
          next += 1
        }
        let weights = rows.weights[y * rows.stride..<y * rows.stride + bounds.count]
        let places = (0..<bounds.count).map { (bounds.first + $0) % held * length }
        Self.sum(UnsafeBufferPointer(window), places, weights, &sums, to: target, at: y * length)
      }
    }
  }

  private func columnsFirst(
    _ source: UnsafeBufferPointer<UInt8>, by columns: Coefficients?, _ rows: Coefficients,
    to target: UnsafeMutableBufferPointer<UInt8>, _ length: Int
  ) {
    var row = [UInt8](repeating: 0, count: 3 * width)
    var sums = [Int32](repeating: 0, count: 3 * width)
    row.withUnsafeMutableBufferPointer { row in
      for (y, bounds) in rows.bounds.enumerated() {
        let weights = rows.weights[y * rows.stride..<y * rows.stride + bounds.count]
        let places = (0..<bounds.count).map { (bounds.first + $0) * 3 * width }
        Self.sum(source, places, weights, &sums, to: row, at: 0)
        resize(0, of: UnsafeBufferPointer(row), by: columns, to: target, at: y * length)
      }
    }
  }

  // The sum of the rows that begin at `places`, each times its weight.
  private static func sum(
    _ source: UnsafeBufferPointer<UInt8>, _ places: [Int], _ weights: ArraySlice<Int32>, _ sums: inout [Int32],
    to target: UnsafeMutableBufferPointer<UInt8>, at start: Int
  ) {
    for column in sums.indices { sums[column] = half }
    for (place, weight) in zip(places, weights) {
      for column in sums.indices { sums[column] &+= Int32(source[place + column]) &* weight }
    }
    for column in sums.indices { target[start + column] = level(sums[column]) }
  }

  // One row of a source, wider or narrower.
  private func resize(
    _ row: Int, of source: UnsafeBufferPointer<UInt8>, by columns: Coefficients?,
    to target: UnsafeMutableBufferPointer<UInt8>, at start: Int
  ) {
    let rowStart = row * 3 * width
    guard let columns else {
      for column in 0..<3 * width { target[start + column] = source[rowStart + column] }
      return
    }
    columns.weights.withUnsafeBufferPointer { weights in
      for (x, bounds) in columns.bounds.enumerated() {
        var (red, green, blue) = (Self.half, Self.half, Self.half)
        var at = rowStart + 3 * bounds.first
        for offset in 0..<bounds.count {
          let weight = weights[x * columns.stride + offset]
          red &+= Int32(source[at]) &* weight
          green &+= Int32(source[at + 1]) &* weight
          blue &+= Int32(source[at + 2]) &* weight
          at += 3
        }
        target[start + 3 * x] = Self.level(red)
        target[start + 3 * x + 1] = Self.level(green)
        target[start + 3 * x + 2] = Self.level(blue)
      }
    }
  }

  // Wrapping sums, as in C: the weights sum to 1 and overshoot by less than the two bits that are kept for it.
  private static let half = Int32(1) << Int32(Coefficients.precision - 1)

  private static func level(_ sum: Int32) -> UInt8 {
    UInt8(min(max(sum >> Int32(Coefficients.precision), 0), 255))
  }

  // The centres of the target's pixels are added up, as Pillow does: their rounding decides between two pixels.
  private func nearest(_ size: PictureSize) -> Picture {
    func places(_ source: Int, _ target: Int) -> [Int] {
      let step = Double(source) / Double(target)
      var centre = step * 0.5
      return (0..<target).map { _ in
        defer { centre += step }
        return min(Int(centre), source - 1)
      }
    }
    let (columns, rows) = (places(width, size.width), places(height, size.height))
    var result = Picture(width: size.width, height: size.height)
    var target = 0
    for y in rows {
      for x in columns {
        let source = 3 * (y * width + x)
        for channel in 0..<3 { result.levels[target + channel] = levels[source + channel] }
        target += 3
      }
    }
    return result
  }
}
