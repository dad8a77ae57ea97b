import CKernels

/// One token of a gated linear recurrence: state ← decay·state + k·vᵀ, then y = q·state.
///
/// state: [keys, values], q, k: [keys], v, y: [values]. The state is read and written once; nothing else may overlap it.
public func gatedLinearRecurrenceStep(
  _ decay: Float, query q: UnsafePointer<Float>, key k: UnsafePointer<Float>, value v: UnsafePointer<Float>, keys: Int,
  values: Int, state: UnsafeMutablePointer<Float>, into y: UnsafeMutablePointer<Float>
) {
  ck_linear_recurrence(decay, q, k, v, keys, values, state, y)
}
