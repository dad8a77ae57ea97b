import CKernels

/// Σ aᵢ·bᵢ, by several running sums; 0 when empty.
public func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float { ck_dot(a, b, count) }

/// y += factor · x.
public func add(_ x: UnsafePointer<Float>, scaledBy factor: Float, to y: UnsafeMutablePointer<Float>, count: Int) {
  ck_add_scaled(factor, x, y, count)
}

/// y = factor · x (+ y when `accumulate`); x and y may be the same memory.
public func multiply(
  _ x: UnsafePointer<Float>, by factor: Float, into y: UnsafeMutablePointer<Float>, count: Int, accumulate: Bool
) {
  ck_scale(factor, x, y, count, accumulate)
}

/// yᵢ = aᵢ · bᵢ (+ yᵢ when `accumulate`); y may be the memory of either.
public func multiply(
  _ a: UnsafePointer<Float>, with b: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int,
  accumulate: Bool
) {
  ck_products(a, b, y, count, accumulate)
}

/// Σ xᵢ, by several running sums; 0 when empty.
public func sum(_ x: UnsafePointer<Float>, count: Int) -> Float { ck_sum(x, count) }

/// Σ xᵢ², by several running sums; 0 when empty.
public func sumOfSquares(_ x: UnsafePointer<Float>, count: Int) -> Float { ck_sum_of_squares(x, count) }

/// The largest xᵢ; −∞ when empty. NaN is passed over.
public func maximum(_ x: UnsafePointer<Float>, count: Int) -> Float { ck_maximum(x, count) }
