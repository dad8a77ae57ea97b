/// Σ aᵢ·bᵢ, by several running sums; 0 when empty.
public func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
  var total = 0.0
  for i in 0..<count { total += Double(a[i]) * Double(b[i]) }
  return Float(total)
}

/// y += factor · x.
public func add(_ x: UnsafePointer<Float>, scaledBy factor: Float, to y: UnsafeMutablePointer<Float>, count: Int) {
  for i in 0..<count { y[i] += factor * x[i] }
}

/// Σ xᵢ, by several running sums; 0 when empty.
public func sum(_ x: UnsafePointer<Float>, count: Int) -> Float {
  var total = 0.0
  for i in 0..<count { total += Double(x[i]) }
  return Float(total)
}

/// Σ xᵢ², by several running sums; 0 when empty.
public func sumOfSquares(_ x: UnsafePointer<Float>, count: Int) -> Float { dot(x, x, count: count) }

/// The largest xᵢ; −∞ when empty. NaN is passed over.
public func maximum(_ x: UnsafePointer<Float>, count: Int) -> Float {
  var largest = -Float.infinity
  for i in 0..<count where x[i] > largest { largest = x[i] }
  return largest
}
