extension Int {
  /// A number of bytes for a person, in decimal units as hubs show sizes: `812 kB`, `548 MB`, `14.5 GB`.
  var inBytes: String {
    var (value, unit) = (Double(self), 0)
    while value >= 999.5, unit < Self.byteUnits.count - 1 { (value, unit) = (value / 1000, unit + 1) }
    let digits = unit == 0 || value >= 99.95 ? 0 : 1
    return "\(value.digits(digits)) \(Self.byteUnits[unit])"
  }

  private static let byteUnits = ["bytes", "kB", "MB", "GB", "TB", "PB"]
}
