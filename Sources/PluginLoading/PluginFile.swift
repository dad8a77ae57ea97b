import Files

import Essentials

/// A plugin's library as a file, looked at before anything of it runs.
public struct PluginFile: Sendable {
  /// The path it was given by.
  public let path: String
  /// The path without links.
  public let canonicalPath: String
  /// What it says of itself.
  public let mark: PluginMark

  /// Looks at the library at `path`; throws where it is not one to load into a program that was built with `own`.
  public init(_ path: String, for own: PluginMark) throws(PluginProblem) {
    self.path = path
    guard !path.isEmpty, !path.utf8.contains(0), let resolved = realpath(path, nil) else {
      throw PluginProblem(path, "there is no such file")
    }
    canonicalPath = String(cString: resolved)
    free(resolved)
    try Self.requireOwned(canonicalPath, path)
    let file: MappedFile
    do throws(FileProblem) { file = try MappedFile(path: canonicalPath) } catch {
      throw PluginProblem(path, error.sentence)
    }
    try LibraryHeader.check(file.bytes, path)
    guard let mark = PluginMark(searching: file.bytes) else {
      throw PluginProblem(
        path, "this library has no entry point of a Chimera plugin; 'chimera plugin new' makes a package that has")
    }
    self.mark = mark
    guard mark.compiler == own.compiler else {
      throw PluginProblem(
        path, "built by \(mark.compiler), and this program by \(own.compiler); build it again with the same compiler")
    }
    guard mark.interface == own.interface else {
      throw PluginProblem(
        path,
        "built against the interface \(mark.interface), and this program has \(own.interface); build it again against the same sources"
      )
    }
  }

  /// A library runs as whoever loads it: nobody else may have been able to write it.
  private static func requireOwned(_ file: String, _ path: String) throws(PluginProblem) {
    let folder = file.lastIndex(of: "/").map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."
    for (place, isFolder) in [(file, false), (folder, true)] {
      var status = stat()
      guard stat(place, &status) == 0 else {
        throw PluginProblem(path, "cannot look at it: \(String(cString: strerror(errno)))")
      }
      let what = isFolder ? "the folder it is in" : "it"
      if !isFolder, status.st_mode & S_IFMT != S_IFREG { throw PluginProblem(path, "this is not a file") }
      guard status.st_uid == geteuid() || status.st_uid == 0 else {
        throw PluginProblem(path, "\(what) belongs to another user (\(status.st_uid)), who could change what runs here")
      }
      // In a sticky folder such as /tmp others cannot replace a file.
      if status.st_mode & S_IWOTH != 0, !isFolder || status.st_mode & mode_t(S_ISVTX) == 0 {
        throw PluginProblem(path, "anyone may write \(what); take that right away first: chmod o-w")
      }
    }
  }
}
