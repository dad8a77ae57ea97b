import Essentials

/// Student's t distribution with ν degrees of freedom: how far a mean strays from the truth when its spread is known
/// only from the same few numbers.
///
///     P(|T| ≥ t) = I_x(ν/2, ½),   x = ν / (ν + t²)
///
/// I is the regularized incomplete beta function, by the continued fraction of DLMF 8.17.22 (https://dlmf.nist.gov/8.17).
/// Source: Student, "The probable error of a mean", Biometrika 6 (1908). With two degrees of freedom, three seeds, the
/// tails are heavy: 95 % lie within ±4.30, not within ±1.96.
public struct StudentT: Sendable {
  /// ν, above 0.
  public let degreesOfFreedom: Double

  /// The distribution with `degreesOfFreedom`, which must be above 0.
  public init(degreesOfFreedom: Int) {
    precondition(degreesOfFreedom > 0, "\(degreesOfFreedom) degrees of freedom are none")
    self.degreesOfFreedom = Double(degreesOfFreedom)
  }

  /// The probability of a value at least as far from 0 as `t`, on either side.
  public func twoSidedProbability(_ t: Double) -> Double {
    if t.isInfinite { return 0 }
    return regularizedBeta(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5)
  }

  /// The t ≥ 0 beyond which, on both sides together, `probability` lies; it must be above 0 and at most 1.
  public func critical(_ probability: Double) -> Double {
    precondition(probability > 0 && probability <= 1, "\(probability) is not a probability above 0")
    var high = 1.0
    while twoSidedProbability(high) > probability { high *= 2 }
    var low = 0.0
    // Halving ends where two neighbouring numbers are left.
    while true {
      let middle = low + (high - low) / 2
      if middle <= low || middle >= high { return middle }
      if twoSidedProbability(middle) > probability { low = middle } else { high = middle }
    }
  }
}

/// I_x(a, b), for 0 ≤ x ≤ 1.
private func regularizedBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  if x <= 0 { return 0 }
  if x >= 1 { return 1 }
  // The fraction converges quickly below this point, and I_x(a, b) = 1 − I_{1−x}(b, a) leads there.
  if x > (a + 1) / (a + b + 2) { return 1 - regularizedBeta(1 - x, b, a) }
  let front = exp(a * log(x) + b * log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b)) / a
  // Evaluated forwards as quotients of neighbours (Lentz 1976, with Thompson and Barnett's guard against zero, 1986).
  let tiny = 1e-300
  var (fraction, c, d) = (1.0, 1.0, 0.0)
  for step in 0..<500 {
    let m = Double(step / 2)
    let numerator: Double
    if step == 0 {
      numerator = 1
    } else if step % 2 == 0 {
      numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    } else {
      numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    }
    d = 1 + numerator * d
    d = 1 / (abs(d) < tiny ? tiny : d)
    c = 1 + numerator / c
    if abs(c) < tiny { c = tiny }
    fraction *= c * d
    if abs(c * d - 1) < 1e-15 { break }
  }
  return front * (fraction - 1)
}

/// ln Γ(x), without the C library's, which writes to a global variable.
///
/// Lanczos's approximation with g = 7 and nine terms (Godfrey's coefficients), to about 15 digits for x ≥ ½.
func logGamma(_ x: Double) -> Double {
  let coefficients = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ]
  let base = x - 1 + 7.5
  var sum = coefficients[0]
  for index in 1..<coefficients.count { sum += coefficients[index] / (x - 1 + Double(index)) }
  return 0.5 * log(2 * Double.pi) + (x - 0.5) * log(base) - base + log(sum)
}
