import Essentials
import Kernels

extension ElementwiseProgram.Operation {
  /// What the operation gives in double precision: for numbers that are known beforehand, and to compare programs with.
  func value(_ a: Double, _ b: Double, _ c: Double) -> Double {
    switch self {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .larger: a > b ? a : b
    case .smaller: a < b ? a : b
    case .choose: a > 0 ? b : c
    case .absolute: abs(a)
    case .root: a.squareRoot()
    case .exponential: exp(a)
    case .logarithm: log(a)
    case .sine: sin(a)
    case .cosine: cos(a)
    case .sigmoid: 1 / (1 + exp(-a))
    case .hyperbolicTangent: tanh(a)
    case .errorFunction: erf(a)
    }
  }
}
