import Components
import Essentials
import Files
import Specification

/// What a user has set for all runs: `config.yaml` in `$XDG_CONFIG_HOME/chimera`, or in `~/.config/chimera`.
///
///     plugins: [~/my-norm/.build/release/libMyNorm.so]
///
/// A path that is not absolute is beside the file.
struct UserConfiguration {
  /// The libraries to load.
  private(set) var plugins: [String] = []

  /// Reads the file; nothing is set where there is none.
  static func read() throws -> UserConfiguration {
    let environment = ProcessInfo.processInfo.environment
    let home = environment["HOME", default: ""]
    let folder = environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? home + "/.config"
    let path = folder + "/chimera/config.yaml"
    var configuration = UserConfiguration()
    guard kind(ofPath: path) == .file else { return configuration }
    let file = try MappedFile(path: path)
    let tree = try withExtendedLifetime(file) { try YAMLReader(source: path).read(Array(file.bytes)) }
    for entry in tree.entries ?? [] {
      guard entry.key == "plugins" else {
        throw Problems([
          Problem("no key of the configuration is named '\(entry.key)'", at: entry.place, hint: "it has 'plugins'")
        ])
      }
      for item in entry.value.list ?? [entry.value] {
        guard let text = item.text else {
          throw Problems([
            Problem("'plugins' takes paths of libraries, not \(item.kindInWords)", at: item.place ?? entry.place)
          ])
        }
        let path = text.hasPrefix("~/") ? home + text.dropFirst() : text
        configuration.plugins.append(path.hasPrefix("/") ? path : "\(folder)/chimera/\(path)")
      }
    }
    return configuration
  }
}
