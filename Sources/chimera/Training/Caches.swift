import Essentials
import Files

/// Where the program keeps what it can make again.
enum Caches {
  /// The folder of tokenized texts.
  static var tokens: String { folder + "/tokens" }

  /// The folder of pictures that were drawn.
  static var pictures: String { folder + "/pictures" }

  /// The folder of all of it: `CHIMERA_CACHE`, or `chimera` in the user's cache.
  static var folder: String {
    let environment = ProcessInfo.processInfo.environment
    if let folder = environment["CHIMERA_CACHE"], !folder.isEmpty { return folder }
    let cache =
      environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
      ?? (environment["HOME"] ?? FileManager.default.homeDirectoryForCurrentUser.path)
      + "/.cache"
    return cache + "/chimera"
  }

  /// Says that tokens could not be kept, which costs time and nothing else.
  static func tell(_ problem: FileProblem?) {
    guard let problem else { return }
    Console.note(
      "note: the tokens are not kept for the next time (\(problem.path): \(problem.sentence)); "
        + "CHIMERA_CACHE or XDG_CACHE_HOME names another folder for them")
  }
}
