import Essentials

/// The system's libjpeg-turbo through its TurboJPEG interface, opened when the first JPEG is read.
///
/// Its functions are found by name at run time, so that nothing has to be installed to build or to run. Pillow reads
/// JPEG with the same library and the same settings: the accurate inverse transform, smooth upsampling of colour.
package struct JPEGLibrary: Sendable {
  typealias Create = @convention(c) () -> OpaquePointer?
  typealias ReadHeader =
    @convention(c) (
      OpaquePointer, UnsafePointer<UInt8>, UInt, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>,
      UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>
    ) -> Int32
  typealias Decompress =
    @convention(c) (
      OpaquePointer, UnsafePointer<UInt8>, UInt, UnsafeMutablePointer<UInt8>, Int32, Int32, Int32, Int32, Int32
    ) -> Int32
  typealias Message = @convention(c) (OpaquePointer) -> UnsafePointer<CChar>?
  typealias Code = @convention(c) (OpaquePointer) -> Int32
  typealias Destroy = @convention(c) (OpaquePointer) -> Int32

  let create: Create
  let readHeader: ReadHeader
  let decompress: Decompress
  let message: Message
  let code: Code
  let destroy: Destroy

  /// The system's library; nil where it has none.
  package static let system = JPEGLibrary(names: [
    "libturbojpeg.so.0", "libturbojpeg.so", "libturbojpeg.0.dylib", "libturbojpeg.dylib",
    "/opt/homebrew/lib/libturbojpeg.dylib", "/usr/local/lib/libturbojpeg.dylib",
  ])

  /// Whether the system has it.
  package static var isInstalled: Bool { system != nil }

  /// What to do where there is none.
  package static let absence =
    "reading a JPEG file needs the library libturbojpeg, which is not installed; install it with "
    + "'apt-get install libturbojpeg0' (macOS: 'brew install jpeg-turbo'), or save the picture as PNG"

  /// The first library of `names` that has every function.
  package init?(names: [String]) {
    guard let library = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first,
      let create = dlsym(library, "tjInitDecompress"), let readHeader = dlsym(library, "tjDecompressHeader3"),
      let decompress = dlsym(library, "tjDecompress2"), let message = dlsym(library, "tjGetErrorStr2"),
      let code = dlsym(library, "tjGetErrorCode"), let destroy = dlsym(library, "tjDestroy")
    else { return nil }
    self.create = unsafeBitCast(create, to: Create.self)
    self.readHeader = unsafeBitCast(readHeader, to: ReadHeader.self)
    self.decompress = unsafeBitCast(decompress, to: Decompress.self)
    self.message = unsafeBitCast(message, to: Message.self)
    self.code = unsafeBitCast(code, to: Code.self)
    self.destroy = unsafeBitCast(destroy, to: Destroy.self)
  }
}
