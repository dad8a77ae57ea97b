/// The beginning of a dynamic library's file, compared with this machine before the system's loader sees it: a loader
/// believes a header, and a library that was cut short ends the process.
///
/// ELF: System V ABI, gabi 4.1, chapters 4 and 5. Mach-O: only the kind and the processor are looked at, for there the
/// loader checks the rest itself.
enum LibraryHeader {
  static func check(_ bytes: UnsafeRawBufferPointer, _ path: String) throws(PluginProblem) {
    guard bytes.count >= 64 else {
      throw PluginProblem(path, "this is not a dynamic library: it has \(bytes.count) bytes")
    }
    switch bytes.loadUnaligned(as: UInt32.self) {
    case 0x464c_457f: try checkELF(bytes, path)
    case 0xfeed_facf: try checkMachO(bytes, path)
    default:
      throw PluginProblem(path, "this is not a dynamic library; 'swift build' makes one in .build, beside its modules")
    }
  }

  private static func checkELF(_ bytes: UnsafeRawBufferPointer, _ path: String) throws(PluginProblem) {
    #if !os(Linux) && !os(FreeBSD) && !os(Android)
      throw PluginProblem(path, "this library is for another system")
    #endif
    func half(_ offset: Int) -> Int { Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)) }
    func wide(_ offset: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
    // 64 bits, little endian.
    guard bytes[4] == 2, bytes[5] == 1 else { throw PluginProblem(path, "this library is for another processor") }
    guard half(16) == 3 else { throw PluginProblem(path, "this is a program or an object file, not a dynamic library") }
    #if arch(x86_64)
      let own = 62
    #elseif arch(arm64)
      let own = 183
    #else
      let own = half(18)
    #endif
    guard half(18) == own else { throw PluginProblem(path, "this library is for another processor") }
    let (table, size, count) = (wide(32), half(54), half(56))
    guard size >= 56, count > 0, table <= UInt64(bytes.count), UInt64(size * count) <= UInt64(bytes.count) - table
    else {
      throw PluginProblem(path, "this library is cut short")
    }
    for index in 0..<count {
      let at = Int(table) + index * size
      let (offset, length) = (wide(at + 8), wide(at + 32))
      guard offset <= UInt64(bytes.count), length <= UInt64(bytes.count) - offset else {
        throw PluginProblem(path, "this library is cut short")
      }
    }
  }

  private static func checkMachO(_ bytes: UnsafeRawBufferPointer, _ path: String) throws(PluginProblem) {
    #if !canImport(Darwin)
      throw PluginProblem(path, "this library is for another system")
    #else
      let word = { (offset: Int) in bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
      #if arch(arm64)
        let own: UInt32 = 0x0100_000c
      #else
        let own: UInt32 = 0x0100_0007
      #endif
      guard word(4) == own else { throw PluginProblem(path, "this library is for another processor") }
      // A dylib or a bundle.
      guard word(12) == 6 || word(12) == 8 else {
        throw PluginProblem(path, "this is a program or an object file, not a dynamic library")
      }
    #endif
  }
}
