#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The sentence of the system's last error, such as "No such file or directory".
func lastSystemError() -> String {
  String(cString: strerror(errno))
}
