import Components
import Files

/// The tensors of an adapter, by the modules that they belong to.
struct AdapterTensors {
  /// What is learned of one module.
  struct Module {
    /// `[r, in]`; of an embedding `[r, rows]`.
    var a: StoredTensorEntry?
    /// `[out, r]`; of an embedding `[width, r]`.
    var b: StoredTensorEntry?
    /// What is added to the bias, before it is scaled: `[out]`.
    var bias: StoredTensorEntry?
    /// The lengths of rows: `[out]`.
    var magnitudes: StoredTensorEntry?
    var isEmbedding = false
  }

  /// What is learned, by the module's name in the reference implementation, in the order of the names.
  let modules: [(name: String, module: Module)]
  /// Tensors that take the place of the model's, by the reference implementation's name.
  let replaced: [(name: String, tensor: StoredTensorEntry)]

  static let file = "adapter_model.safetensors"
  private static let prefix = "base_model.model."

  /// Opens the tensors in the folder `path`.
  init(in path: String) throws {
    let file = path + "/" + Self.file
    guard kind(ofPath: file) == .file else {
      if kind(ofPath: path + "/adapter_model.bin") == .file {
        throw FileProblem(
          path: path + "/adapter_model.bin",
          sentence: "the adapter is in a pickle, which is never opened, because reading one runs the code in it; "
            + "load it with PEFT and save it again, which writes \(Self.file)")
      }
      throw FileProblem(path: path, sentence: "the folder has no \(Self.file)", cause: .missing)
    }
    var modules: [String: Module] = [:]
    var replaced: [(name: String, tensor: StoredTensorEntry)] = []
    for tensor in try SafetensorsFile(path: file).tensors {
      guard tensor.format != nil else {
        throw FileProblem(
          path: file, sentence: "'\(tensor.name)' is stored as \(tensor.typeName); expected F32, F16 or BF16")
      }
      let name = tensor.name.hasPrefix(Self.prefix) ? String(tensor.name.dropFirst(Self.prefix.count)) : tensor.name
      if let (module, part) = Self.part(of: name) {
        modules[module, default: Module()][keyPath: part] = tensor
        if part == \.a || part == \.b { modules[module]?.isEmbedding = name.contains(".lora_embedding_") }
      } else if name.contains("lora_") || name.contains("trainable_tokens") {
        throw FileProblem(path: file, sentence: "'\(tensor.name)' is of a kind of adapter that is not read")
      } else {
        let own = name.replacing(".modules_to_save", with: "").replacing(".base_layer", with: "")
        replaced.append((own, tensor))
      }
    }
    for (name, module) in modules where module.a == nil || module.b == nil {
      throw FileProblem(
        path: file, sentence: "of '\(name)' there is \(module.a == nil ? "no lora_A" : "no lora_B")")
    }
    self.modules = modules.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { ($0.key, $0.value) }
    self.replaced = replaced
  }

  private static func part(of name: String) -> (module: String, WritableKeyPath<Module, StoredTensorEntry?>)? {
    let parts: [(String, WritableKeyPath<Module, StoredTensorEntry?>)] = [
      (".lora_A.weight", \.a), (".lora_B.weight", \.b), (".lora_B.bias", \.bias), (".lora_embedding_A", \.a),
      (".lora_embedding_B", \.b), (".lora_magnitude_vector", \.magnitudes),
      (".lora_magnitude_vector.weight", \.magnitudes),
    ]
    return parts.first { name.hasSuffix($0.0) }.map { (String(name.dropLast($0.0.count)), $0.1) }
  }
}
