/// The weights by which the pixels of a row, or of a column, make those of a longer or shorter one.
///
/// As Pillow computes them for 8-bit levels (`precompute_coeffs` and `normalize_coeffs_8bpc` of its Resample.c): in
/// double precision, made to sum to 1, then integers of 22 fractional bits rounded half away from zero.
struct Coefficients {
  /// Fractional bits: what 32 bits leave beside a level's 8 and 2 for weights beyond 1.
  static let precision = 22

  /// The first source pixel of each target pixel, and how many follow it.
  private(set) var bounds: [(first: Int, count: Int)] = []  // [target]
  /// The weights, `stride` for each target pixel.
  private(set) var weights: [Int32]  // [target, stride]
  let stride: Int

  /// The weights from `source` pixels to `target` pixels.
  init(from source: Int, to target: Int, _ filter: ResamplingFilter) {
    let scale = Double(source) / Double(target)
    // Made smaller, the filter is spread over all the pixels that it stands for.
    let filterScale = max(scale, 1)
    let support = filter.support * filterScale
    stride = Int(support.rounded(.up)) * 2 + 1
    weights = [Int32](repeating: 0, count: target * stride)
    bounds.reserveCapacity(target)
    var row = [Double](repeating: 0, count: stride)
    let inverse = 1 / filterScale
    for place in 0..<target {
      let centre = (Double(place) + 0.5) * scale
      let first = max(Int(centre - support + 0.5), 0)
      let count = min(Int(centre + support + 0.5), source) - first
      var sum = 0.0
      for offset in 0..<count {
        row[offset] = filter.weight((Double(offset + first) - centre + 0.5) * inverse)
        sum += row[offset]
      }
      for offset in 0..<count {
        let weight = (sum == 0 ? row[offset] : row[offset] / sum) * Double(1 << Self.precision)
        weights[place * stride + offset] = Int32(weight < 0 ? weight - 0.5 : weight + 0.5)
      }
      bounds.append((first, count))
    }
  }
}
