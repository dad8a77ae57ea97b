import Essentials

/// Memory for a tensor that had to be rearranged, freed with this object.
final class TensorBuffer {
  let bytes: UnsafeMutableRawBufferPointer

  /// Room for `byteCount` bytes, at a multiple of 64 as vector loads like it; nil when the system has none.
  init?(byteCount: Int) {
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, 64, max(1, byteCount)) == 0, let memory else { return nil }
    bytes = UnsafeMutableRawBufferPointer(start: memory, count: byteCount)
  }

  deinit { free(bytes.baseAddress) }
}
