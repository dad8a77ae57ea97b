import Components
import Describing
import Essentials
import Files

/// How numbers and findings are written in every form of the report.
public enum Wording {
  /// `2.0134`: a loss in nats.
  public static func loss(_ value: Double?) -> String {
    guard let value else { return "–" }
    return value.isFinite ? fixed(value, 4) : "NaN"
  }

  /// `+0.0134`, with a real minus.
  public static func signed(_ value: Double?, digits: Int = 4) -> String {
    guard let value, value.isFinite else { return "–" }
    let text = fixed(abs(value), digits)
    let isZero = !text.contains { $0 != "0" && $0 != "." }
    return isZero ? text : (value < 0 ? "−" : "+") + text
  }

  /// `−0.0388 ± 0.0136`: a mean difference with half its interval.
  public static func difference(_ comparison: Comparison) -> String {
    guard let mean = comparison.difference.mean else { return "–" }
    return signed(mean) + (comparison.halfWidth.map { " ± " + fixed($0, 4) } ?? "")
  }

  /// `−1.9 %`.
  public static func percent(_ value: Double?) -> String { value == nil ? "–" : signed(value, digits: 2) + " %" }

  /// `2.0150 ± 0.0289`: the mean of a sample with its standard deviation.
  public static func sample(_ sample: Sample) -> String {
    guard let mean = sample.mean else { return "–" }
    return loss(mean) + (sample.standardDeviation.map { " ± " + fixed($0, 4) } ?? "")
  }

  /// `0.0028`, or `< 0.0001`.
  public static func probability(_ value: Double?) -> String {
    guard let value else { return "–" }
    return value < 0.0001 ? "< 0.0001" : fixed(value, 4)
  }

  /// `834,304`.
  public static func count(_ value: Int) -> String { grouped(Double(value)) }

  /// `1.65 M`, `2.31 G`: operations.
  public static func operations(_ value: Double) -> String {
    let (number, unit) = scaled(value, 1000, ["", " K", " M", " G", " T", " P"])
    return number + unit
  }

  /// `12.4 MiB`.
  public static func bytes(_ value: Int) -> String {
    let (number, unit) = scaled(Double(value), 1024, [" bytes", " KiB", " MiB", " GiB", " TiB"])
    return number + unit
  }

  /// `41 s`, `12 min`, `3 h 20 min`.
  public static func duration(_ seconds: Double) -> String {
    if seconds < 99.5 { return fixed(seconds, seconds < 9.95 ? 1 : 0) + " s" }
    let minutes = Int(rounding: seconds / 60)
    return minutes < 100 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
  }

  /// `+0.31 %`: how far an arm's size is from the baseline's, and whether that is further than `hold` lets it be.
  public static func mismatch(_ arm: PlannedArm, _ hold: Hold) -> String {
    share(arm.mismatch) + (arm.isMatched || hold.quantity == .none ? "" : ", not matched")
  }

  /// A part of the baseline, more or less: `−0.98 %`.
  package static func share(_ part: Double) -> String {
    abs(part) < 0.00005 ? "0 %" : signed(part * 100, digits: 2) + " %"
  }

  /// `diverged after 3 steps`, of a run whose loss became NaN.
  public static func divergence(_ result: TaskResult) -> String {
    "diverged" + (result.divergedAfter.map { " after \(count($0)) \($0 == 1 ? "step" : "steps")" } ?? "")
  }

  /// `path` as a shell takes it.
  static func quoted(_ path: String) -> String {
    let plain = path.utf8.allSatisfy {
      $0 > 0x7F || "/._-+:@%,=".utf8.contains($0) || Character(Unicode.Scalar($0)).isLetter
        || Character(Unicode.Scalar($0)).isNumber
    }
    return plain && !path.isEmpty ? path : "'" + path.replacing("'", with: "'\\''") + "'"
  }

  /// `1.5e+30`: a number that is too large for digits alone.
  static func short(_ value: Double) -> String {
    Quantity.written(value, "%.3g")
  }

  /// `0.000793701`: a setting's value, to six digits.
  static func digits(_ value: Double) -> String { Quantity.written(value, "%.6g") }

  static func fixed(_ value: Double, _ digits: Int) -> String {
    if abs(value) >= 1e15 { return short(value) }
    return Quantity.written(value, "%.\(digits)f")
  }

  private static func scaled(_ value: Double, _ base: Double, _ units: [String]) -> (String, String) {
    var value = value
    var unit = 0
    while value >= base - 0.5, unit + 1 < units.count {
      value /= base
      unit += 1
    }
    return (fixed(value, unit == 0 ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0), units[unit])
  }
}
