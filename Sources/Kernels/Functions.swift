import CKernels

/// y = exp(x), element by element, within 2 units in the last place; x and y may be the same memory.
///
/// Overflow gives ∞ and underflow passes through the subnormals to 0; NaN stays NaN.
public func exponentials(of x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
  ck_exponentials(x, y, count)
}

/// y = 1 / (1 + exp(−x)), element by element, with relative error below 5e-7; x and y may be the same memory.
public func sigmoids(of x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
  ck_sigmoids(x, y, count)
}

/// y = tanh(x), element by element, with relative error below 5e-7; x and y may be the same memory.
public func hyperbolicTangents(of x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
  ck_hyperbolic_tangents(x, y, count)
}

/// y = erf(x), element by element, with relative error below 5e-7; x and y may be the same memory.
public func errorFunctions(of x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
  ck_error_functions(x, y, count)
}

/// Σ exp(xᵢ − shift), by several running sums.
public func sumOfExponentials(_ x: UnsafePointer<Float>, minus shift: Float, count: Int) -> Float {
  ck_sum_of_exponentials(x, shift, count)
}

/// y = factor · exp(x − shift) (+ y when `accumulate`), element by element; x and y may be the same memory.
public func exponentials(
  of x: UnsafePointer<Float>, minus shift: Float, times factor: Float, into y: UnsafeMutablePointer<Float>, count: Int,
  accumulate: Bool
) {
  ck_scaled_exponentials(x, shift, factor, y, count, accumulate)
}

/// x = exp(x − max x) / Σ exp(x − max x). A row of nothing but −∞ becomes zeros.
public func softmax(inPlace x: UnsafeMutablePointer<Float>, count: Int) { ck_softmax(x, count) }
