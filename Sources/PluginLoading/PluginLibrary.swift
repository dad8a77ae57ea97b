import Components

import Essentials

/// A plugin's library that has become part of this program. It is never unloaded: types have no end.
public struct PluginLibrary: Sendable {
  /// The path it was given by.
  public let path: String
  /// Its components, each with its doc comment.
  public let contents: PluginContents

  /// Loads `file`, which runs what it runs when it is loaded, and asks it for its components.
  ///
  /// Its symbols stay its own (`RTLD_LOCAL`), so that two plugins never meet; what it leaves undefined is this program's.
  public init(loading file: PluginFile) throws(PluginProblem) {
    path = file.path
    guard let handle = dlopen(file.canonicalPath, RTLD_NOW | RTLD_LOCAL) else {
      throw PluginProblem(path, "the system cannot load it: \(Self.reason(file.canonicalPath))")
    }
    guard let symbol = dlsym(handle, file.mark.entry) else {
      throw PluginProblem(path, "it names the entry point '\(file.mark.entry)', which is not there")
    }
    let entry = unsafeBitCast(symbol, to: (@convention(c) (UnsafeMutableRawPointer) -> UnsafePointer<UInt8>?).self)
    var contents = PluginContents()
    let text = withUnsafeMutablePointer(to: &contents) { entry(UnsafeMutableRawPointer($0)) }
    // A file can be changed between the look at it and its loading.
    guard let text, PluginMark(String(cString: text)) == file.mark else {
      throw PluginProblem(path, "its entry point names another interface or compiler than its file does")
    }
    guard !contents.components.isEmpty else { throw PluginProblem(path, "it has no components") }
    self.contents = contents
  }

  /// What the system's loader says, without the path that it begins with.
  private static func reason(_ path: String) -> String {
    let text = dlerror().map { String(cString: $0) } ?? "no reason given"
    return text.hasPrefix(path + ": ") ? String(text.dropFirst(path.count + 2)) : text
  }
}
