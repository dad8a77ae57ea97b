#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// y = exp(x), element by element; x and y may be the same memory.
public func exponentials(of x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
  for i in 0..<count { y[i] = exp(x[i]) }
}

/// y = 1 / (1 + exp(−x)), element by element; x and y may be the same memory.
public func sigmoids(of x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
  for i in 0..<count { y[i] = Float(1 / (1 + exp(-Double(x[i])))) }
}

/// y = tanh(x), element by element; x and y may be the same memory.
public func hyperbolicTangents(of x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
  for i in 0..<count { y[i] = tanh(x[i]) }
}

/// y = erf(x), element by element; x and y may be the same memory.
public func errorFunctions(of x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
  for i in 0..<count { y[i] = erf(x[i]) }
}

/// x = exp(x − max x) / Σ exp(x − max x). A row of nothing but −∞ becomes zeros.
public func softmax(inPlace x: UnsafeMutablePointer<Float>, count: Int) {
  let largest = maximum(x, count: count)
  guard largest > -Float.infinity else { return x.update(repeating: 0, count: count) }
  for i in 0..<count { x[i] = exp(x[i] - largest) }
  let total = sum(x, count: count)
  for i in 0..<count { x[i] /= total }
}
