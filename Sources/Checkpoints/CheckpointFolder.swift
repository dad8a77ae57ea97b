import Files

/// A folder as Hugging Face publishes models: a `config.json` and safetensors files, one or several.
///
/// Weights that a pickle holds (`pytorch_model.bin`, `.pt`, `.pth`) are refused and never opened: reading a pickle runs
/// what is in it, and this package contains no reader for one. File names in an index are someone else's input and must
/// stay inside the folder.
public struct CheckpointFolder: Sendable {
  /// The folder's path.
  public let path: String
  /// All tensors of all files.
  public let tensors: [StoredTensorEntry]
  /// The names of the files they are in.
  public let fileNames: [String]

  static let single = "model.safetensors"
  static let index = "model.safetensors.index.json"

  /// Opens the weights in the folder at `path`.
  public init(path: String) throws(FileProblem) {
    self.path = path
    guard kind(ofPath: path) == .folder else {
      throw FileProblem(path: path, sentence: kind(ofPath: path) == .nothing ? "no such folder" : "not a folder")
    }
    if kind(ofPath: path + "/" + Self.index) == .file {
      (tensors, fileNames) = try Self.sharded(path)
    } else if kind(ofPath: path + "/" + Self.single) == .file {
      tensors = try SafetensorsFile(path: path + "/" + Self.single).tensors
      fileNames = [Self.single]
    } else {
      throw try Self.missing(path)
    }
  }

  /// Whether the folder at `path` has weights that can be opened.
  public static func hasWeights(_ path: String) -> Bool {
    kind(ofPath: path + "/" + index) == .file || kind(ofPath: path + "/" + single) == .file
  }

  /// Whether the folder at `path` has weights, and every file that its index names is there.
  public static func isWhole(_ path: String) -> Bool {
    let index = path + "/" + index
    guard kind(ofPath: index) == .file else { return kind(ofPath: path + "/" + single) == .file }
    // A broken index is told of when it is opened.
    guard let map = try? JSONValue(contentsOf: index)["weight_map"]?.object else { return true }
    return Set(map.values.compactMap(\.string)).allSatisfy {
      !isPlainFileName($0) || kind(ofPath: path + "/" + $0) == .file
    }
  }

  /// The parsed `config.json`; nil when there is none.
  public static func config(in path: String) throws(FileProblem) -> JSONValue? {
    let file = path + "/config.json"
    guard kind(ofPath: file) == .file else { return nil }
    let config = try JSONValue(contentsOf: file, limit: 16 << 20, literals: true)
    guard config.object != nil else {
      throw FileProblem(path: file, sentence: "the file holds \(config.kind); expected an object")
    }
    return config
  }

  private static func sharded(_ path: String) throws(FileProblem) -> ([StoredTensorEntry], [String]) {
    let indexPath = path + "/" + index
    let json = try JSONValue(contentsOf: indexPath)
    guard let map = json["weight_map"]?.object else {
      throw FileProblem(path: indexPath, sentence: "there is no object 'weight_map'")
    }
    var files: [String] = []
    var wanted: [String: [String]] = [:]
    for (name, value) in map {
      guard let file = value.string else {
        throw FileProblem(path: indexPath, sentence: "the file of tensor '\(name)' is \(value.kind); expected its name")
      }
      guard isPlainFileName(file) else {
        throw FileProblem(
          path: indexPath,
          sentence: "tensor '\(name)' is said to be in '\(file)', which is not a plain safetensors file name")
      }
      if wanted[file] == nil { files.append(file) }
      wanted[file, default: []].append(name)
    }
    files.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var tensors: [StoredTensorEntry] = []
    for file in files {
      let shard = try SafetensorsFile(path: path + "/" + file).tensors
      var present = Set(shard.map(\.name))
      for name in wanted[file] ?? [] where present.remove(name) == nil {
        throw FileProblem(path: path + "/" + file, sentence: "the index places tensor '\(name)' here; it is not here")
      }
      if let extra = present.min() {
        throw FileProblem(path: path + "/" + file, sentence: "tensor '\(extra)' is here but not so in \(index)")
      }
      tensors += shard
    }
    return (tensors, files)
  }

  /// A name of one component that cannot leave the folder.
  private static func isPlainFileName(_ name: String) -> Bool {
    name.hasSuffix(".safetensors") && !name.hasPrefix(".") && !name.contains("..")
      && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 < 0x20 || $0 == 0x7F }
  }

  private static func missing(_ path: String) throws(FileProblem) -> FileProblem {
    let pickles = try namesInFolder(path).filter { name in
      [".bin", ".pt", ".pth", ".pkl", ".ckpt"].contains { name.hasSuffix($0) }
    }
    guard let pickle = pickles.first else {
      return FileProblem(path: path, sentence: "the folder has no \(single) and no \(index)")
    }
    return FileProblem(
      path: path + "/" + pickle,
      sentence:
        "the weights are in a pickle, which is never opened, because reading one runs the code in it; convert it to "
        + "safetensors first: load it with the program it is from and save it with safe_serialization=True")
  }
}
