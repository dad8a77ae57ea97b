// The C library and the essential part of Foundation, under one name on every platform. The rest of Foundation, with the
// tables of all languages that come with it, would cost every start some milliseconds and megabytes; a test sees to it that
// the program does not load it.
#if canImport(FoundationEssentials)
  @_exported import FoundationEssentials
  #if canImport(Musl)
    @_exported import Musl
  #else
    @_exported import Glibc
  #endif
#else
  @_exported import Foundation
#endif

extension StringProtocol {
  /// The text without the white space at its ends.
  public var trimmed: String {
    let rest = drop(while: \.isWhitespace)
    return String(rest[..<(rest.lastIndex { !$0.isWhitespace }.map { rest.index(after: $0) } ?? rest.startIndex)])
  }
}

/// The program that runs, as a path from the root; nil where the system does not say.
public func executablePath() -> String? {
  #if canImport(Darwin)
    return Bundle.main.executablePath
  #else
    return try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  #endif
}
