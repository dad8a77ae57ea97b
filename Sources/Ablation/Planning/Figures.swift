import Components
import Essentials
import Files

/// `1 %`, `+2.3 %`.
package func percent(_ part: Double, signed: Bool = false) -> String {
  let tenths = (abs(part) * 1000).rounded() / 10
  let digits = tenths == tenths.rounded() ? String(Int(rounding: tenths)) : String(tenths)
  return (signed ? (part < 0 ? "−" : "+") : "") + digits + " %"
}

/// An integer with commas between its thousands.
package func grouped(_ value: Double) -> String {
  let digits = Array(String(Int(rounding: value)))
  return String(
    digits.enumerated().flatMap { (digits.count - $0) % 3 == 0 && $0 > 0 && digits[$0 - 1] != "-" ? [",", $1] : [$1] })
}
