/// Lends `bytes` to `body` as a file's bytes.
func withBytes(_ bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
  try Array(bytes).withUnsafeBytes { (bytes) throws -> Void in try body(bytes) }
}
