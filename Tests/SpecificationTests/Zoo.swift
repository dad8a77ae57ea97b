import Components
import Foundation
import Specification

/// A zoo in a temporary folder, gone with the last reference to it.
final class Zoo {
  /// The folder.
  let folder: String

  /// A zoo of these files: text by path.
  init(_ files: [String: String] = [:]) throws {
    folder = FileManager.default.temporaryDirectory.path + "/zoo-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (path, text) in files { try write(Array(text.utf8), to: path) }
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  func write(_ bytes: [UInt8], to path: String) throws {
    let url = URL(fileURLWithPath: "\(folder)/\(path)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  var catalog: Catalog { Catalog(folders: [folder]) }
  var loader: SpecificationLoader {
    SpecificationLoader(catalog: catalog, choosingOptions: [:], terms: FieldTerms(), composing: { _ in Problems() })
  }

  /// The architecture of `name`.
  func load(_ name: String, set changes: [String] = []) throws -> Architecture {
    try loader.load(name, patches: try Overrides(changes).patches)
  }

  /// What a person reads when `name` cannot be loaded; the folder's path is left out.
  func message(for name: String, set changes: [String] = []) -> String {
    let renderer = ProblemRenderer(texts: [Overrides.source: changes.joined(separator: "\n")])
    do throws(Problems) {
      _ = try loader.load(name, patches: try Overrides(changes).patches)
      return "no problem"
    } catch {
      return renderer.render(error).replacingOccurrences(of: folder + "/", with: "")
    }
  }
}

/// The message for a file of this text, which is called `spec.yaml`.
func message(_ text: String) throws -> String { try message(Array(text.utf8)) }

/// The message for a file of these bytes, which is called `spec.yaml`.
func message(_ bytes: [UInt8]) throws -> String {
  let zoo = try Zoo(Examples.zoo)
  try zoo.write(bytes, to: "spec.yaml")
  return zoo.message(for: zoo.folder + "/spec.yaml")
}

/// `text` read as YAML.
func yaml(_ text: String) throws -> Setting {
  try YAMLReader(source: "text").read(text)
}
