import ArgumentParser
import Components
import Essentials
import PluginLoading
import StandardComponents
import Synchronization

/// The components that are not this package's: linked into the program, or from libraries that the user names: with
/// `--plugin`, in `CHIMERA_PLUGINS`, or in the configuration file. No spec and no model's folder can name any.
enum Extensions {
  private static let all = Mutex<[(origin: String, contents: PluginContents)]>([])

  /// Whether all components are this package's own.
  static var isEmpty: Bool { all.withLock { $0.isEmpty } }

  /// Adds what `origin` brings.
  static func add(_ contents: PluginContents, from origin: String) { all.withLock { $0.append((origin, contents)) } }

  /// The paths behind `--plugin`, and the other arguments in their order. What stands behind `--` is nobody's option.
  static func split(_ arguments: [String]) throws -> (paths: [String], rest: [String]) {
    var (paths, rest): ([String], [String]) = ([], [])
    var index = 0
    while index < arguments.count {
      let argument = arguments[index]
      if argument == "--" {
        rest += arguments[index...]
        break
      }
      if argument == "--plugin" {
        index += 1
        guard index < arguments.count else { throw ValidationError("--plugin takes the path of a library") }
        paths.append(arguments[index])
      } else if argument.hasPrefix("--plugin=") {
        paths.append(String(argument.dropFirst("--plugin=".count)))
      } else {
        rest.append(argument)
      }
      index += 1
    }
    return (paths, rest)
  }

  /// Loads the libraries at `paths`, those of the environment and those of the configuration file, each once.
  static func load(_ paths: [String]) throws {
    let environment = ProcessInfo.processInfo.environment["CHIMERA_PLUGINS", default: ""].split(separator: ":").map(
      String.init)
    let wanted = try paths + environment + UserConfiguration.read().plugins
    if wanted.isEmpty { return }
    let own = try mark()
    let probe = PluginProbe(program: Zoo.executablePath)
    var seen: Set<String> = []
    for path in wanted {
      let file = try PluginFile(path, for: own)
      guard seen.insert(file.canonicalPath).inserted else { continue }
      try probe.run(file)
      add(try PluginLibrary(loading: file).contents, from: path)
    }
    _ = try registry()
  }

  /// The exit status of a process that does nothing but load the library at `path`.
  static func probe(_ path: String) -> Int32 {
    guard let own = try? mark(), let file = try? PluginFile(path, for: own) else { return 1 }
    return (try? PluginLibrary(loading: file)) == nil ? 1 : 0
  }

  /// The components that files can name; throws when two have one name, and says where both come from.
  static func registry() throws -> Registry {
    var registry = try Registry(standardComponents, documentation: standardComponentDocumentation)
    var origins: [String: String] = [:]
    for (origin, contents) in all.withLock({ $0 }) {
      for component in contents.components {
        let (slot, name) = (component.type.slot, component.type.name)
        if registry.names(in: slot).contains(name) {
          throw PluginProblem(
            origin,
            "its component '\(name)' of the slot '\(slot.rawValue)' has the name of one of \(origins["\(slot) \(name)"] ?? "this package")"
          )
        }
        try registry.register(component.type, documentation: component.documentation)
        origins["\(slot) \(name)"] = origin
      }
    }
    return registry
  }

  /// What this program was built of, and by what.
  private static func mark() throws -> PluginMark {
    let text = standardComponentMark.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
    guard let mark = PluginMark(text) else {
      throw Failure(.failed, "this program does not say what it was built of, so that it loads no plugin")
    }
    return mark
  }
}
