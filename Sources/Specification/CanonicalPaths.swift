import Synchronization

/// Paths without links, each asked of the system once: a list of hundreds of models asks for the same few over and over.
///
/// It lives as long as a catalog. A careful reader who moves folders asks a new catalog.
final class CanonicalPaths: Sendable {
  private let known = Mutex<[String: String]>([:])

  /// The path without links, `.` and `..`; nil when nothing is there, which is asked again.
  subscript(path: String) -> String? {
    if let known = known.withLock({ $0[path] }) { return known }
    guard let found = SourceFile.canonicalPath(path) else { return nil }
    known.withLock { $0[path] = found }
    return found
  }
}
