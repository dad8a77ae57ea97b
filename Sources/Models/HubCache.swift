import Files
import Foundation

/// The cache of downloaded models that the Hugging Face tools share; it is only read.
///
/// `<root>/models--org--name/refs/main` holds a commit, and `snapshots/<commit>` its files.
struct HubCache {
  private let root: String

  /// The cache that the environment names: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `HF_HOME`, or the default place.
  init(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
    let home = environment["HOME"] ?? NSHomeDirectory()
    let cache = environment["XDG_CACHE_HOME"] ?? home + "/.cache"
    let path =
      environment["HF_HUB_CACHE"] ?? environment["HUGGINGFACE_HUB_CACHE"]
      ?? (environment["HF_HOME"] ?? cache + "/huggingface") + "/hub"
    root = path.hasPrefix("~/") ? home + path.dropFirst(1) : path
  }

  /// The folder of `repository`, such as `org/name`, as its main branch was last fetched; nil when it was not.
  func snapshot(of repository: String) -> String? {
    let parts = repository.split(separator: "/", omittingEmptySubsequences: false)
    let isPlain = { (part: Substring) in
      !part.isEmpty && !part.hasPrefix(".") && part.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\\") }
    }
    guard parts.count == 2, parts.allSatisfy(isPlain) else { return nil }
    let folder = "\(root)/models--\(parts[0])--\(parts[1])"
    guard let reference = try? String(contentsOfFile: folder + "/refs/main", encoding: .utf8) else { return nil }
    let commit = reference.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !commit.isEmpty,
      commit.utf8.allSatisfy({ ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x66 || (0x30...0x39).contains($0) })
    else { return nil }
    let snapshot = "\(folder)/snapshots/\(commit)"
    return kind(ofPath: snapshot) == .folder ? snapshot : nil
  }
}
