import Formats
import CKernels

/// y = the `count` numbers stored at `bytes` in `format`, as f32. `count` is whole blocks; no alignment is asked for.
public func widen(
  _ format: StorageFormat, _ bytes: UnsafeRawPointer, count: Int, into y: UnsafeMutablePointer<Float>
) {
  precondition(count % format.elementsPerBlock == 0, "\(count) elements are not whole blocks of \(format.rawValue)")
  ck_widen(format.code, bytes, count, y)
}

/// Stores `count` numbers of x in `format`: to nearest even for f16 and bf16, as ggml's reference quantiser for blocks,
/// without weights of importance.
public func narrow(
  _ x: UnsafePointer<Float>, count: Int, to format: StorageFormat, into bytes: UnsafeMutableRawPointer
) {
  precondition(count % format.elementsPerBlock == 0, "\(count) elements are not whole blocks of \(format.rawValue)")
  ck_narrow(format.code, x, count, bytes)
}
