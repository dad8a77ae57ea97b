import Essentials
import Synchronization

/// The system's line editing, readline or libedit, loaded when a conversation begins: history, editing keys, completion.
///
/// Its place in the program is found by name at run time, so that nothing has to be installed to build or to run.
struct LineEditor {
  private typealias Read = @convention(c) (UnsafePointer<CChar>?) -> UnsafeMutablePointer<CChar>?
  private typealias Remember = @convention(c) (UnsafePointer<CChar>?) -> Int32
  private typealias Complete = @convention(c) (UnsafePointer<CChar>?, Int32) -> UnsafeMutablePointer<CChar>?

  private let read: Read
  private let remember: Remember

  private static let names = [
    "libreadline.so.8", "libedit.so.2", "libreadline.so", "libedit.so", "libedit.3.dylib", "/usr/lib/libedit.dylib",
  ]
  /// What is completed; the library's function takes no context.
  private static let words = Mutex<[String]>([])

  /// The editor; nil where the system has none.
  init?(completing words: [String]) {
    guard let library = Self.names.lazy.compactMap({ dlopen($0, RTLD_NOW) }).first,
      let read = dlsym(library, "readline"), let remember = dlsym(library, "add_history")
    else { return nil }
    self.read = unsafeBitCast(read, to: Read.self)
    self.remember = unsafeBitCast(remember, to: Remember.self)
    Self.words.withLock { $0 = words }
    let complete: Complete = { beginning, number in
      let start = beginning.map { String(cString: $0) } ?? ""
      guard start.hasPrefix("/") else { return nil }
      let matches = LineEditor.words.withLock { $0.filter { $0.hasPrefix(start) } }
      // The library frees what it is given.
      return matches.indices.contains(Int(number)) ? strdup(matches[Int(number)]) : nil
    }
    dlsym(library, "rl_completion_entry_function")?.assumingMemoryBound(to: Complete?.self).pointee = complete
    // '/' belongs to the words of the conversation.
    if let breaks = dlsym(library, "rl_basic_word_break_characters"), let text = strdup(" \t\n") {
      breaks.assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self).pointee = text
    }
  }

  /// The next line; nil at the end of input.
  func line(_ prompt: String) -> String? {
    guard let text = read(prompt) else {
      Console.note("")
      return nil
    }
    defer { free(text) }
    let line = String(cString: text)
    if !line.isEmpty { _ = remember(text) }
    return line
  }
}
