import Checkpoints
import Essentials
import Files

/// Where a model's weights, configuration and tokenizer are.
public enum ModelSource: Sendable, Hashable {
  /// A spec of the zoo or a YAML file; weights are elsewhere.
  case specification(path: String)
  /// A folder with safetensors files, and mostly a `config.json`.
  case folder(path: String)
  /// A single safetensors file.
  case safetensors(path: String)
  /// A GGUF file.
  case gguf(path: String)
  /// A folder with a spec of its own, `resolved.yaml`, and weights under canonical names: what training makes.
  case trained(path: String)

  /// The spec of a trained model's folder.
  static let spec = "resolved.yaml"
  /// The file of a native folder for numbers that safetensors cannot hold, under canonical names.
  static let blocks = "model.gguf"
  /// The file of a native folder for a vocabulary that came out of a GGUF file.
  static let vocabulary = "tokenizer.gguf"

  /// The source at `path` when weights are there: a folder, a GGUF file or a safetensors file; nil otherwise.
  init?(path: String) throws(FileProblem) {
    switch kind(ofPath: path) {
    case .folder: self = kind(ofPath: path + "/" + Self.spec) == .file ? .trained(path: path) : .folder(path: path)
    case .file:
      if path.hasSuffix(".yaml") || path.hasSuffix(".yml") { return nil }
      if path.hasSuffix(".safetensors") {
        self = .safetensors(path: path)
      } else if try ModelSource.startsAsGGUF(path) || path.hasSuffix(".gguf") {
        self = .gguf(path: path)
      } else {
        return nil
      }
    default: return nil
    }
  }

  private static func startsAsGGUF(_ path: String) throws(FileProblem) -> Bool {
    let file = try MappedFile(path: path)
    return withExtendedLifetime(file) { GGUFFile.isGGUF(file.bytes) }
  }

  /// The name that a file or folder gives a model.
  var name: String {
    switch self {
    case .specification(let path), .folder(let path), .trained(let path), .safetensors(let path), .gguf(let path):
      let last = path.split(separator: "/").last.map(String.init) ?? path
      for ending in [".yaml", ".yml", ".safetensors", ".gguf"] where last.hasSuffix(ending) {
        return String(last.dropLast(ending.count))
      }
      return last
    }
  }

  /// Where it is.
  public var path: String {
    switch self {
    case .specification(let path), .folder(let path), .trained(let path), .safetensors(let path), .gguf(let path): path
    }
  }

  /// The folder that its other files stand in.
  public var folder: String {
    switch self {
    case .folder(let path), .trained(let path): path
    case .specification(let path), .safetensors(let path), .gguf(let path):
      path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : "."
    }
  }
}
