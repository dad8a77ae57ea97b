import Checkpoints
import Files

/// What is said of a folder whose weights somebody quantized in a way that is not read.
enum QuantizedWeights {
  /// What is done about each way, by its name in `quantization_config`; others are told by their name.
  private static let advice: [String: String] = [
    "gptq": "take the model that it was made of, or a GGUF file of it",
    "awq": "take the model that it was made of, or a GGUF file of it",
    "bitsandbytes":
      "load it with transformers, call dequantize() and save_pretrained(), or take the model that it was made of",
    "mxfp4":
      "load it with transformers and Mxfp4Config(dequantize=True), and save it with save_pretrained(); or take a GGUF file",
    "compressed-tensors": "its numbers are packed; take the model that it was made of",
  ]
  /// Ways whose tensors may be numbers of eight bits beside their scales, which are read.
  private static let plain: Set<String> = ["fp8", "compressed-tensors", "fbgemm_fp8", "modelopt"]

  /// Throws `ModelProblem` when `config`, that of the folder at `path`, says that `tensors` are quantized in a way that is
  /// not read.
  static func check(_ config: JSONValue, _ tensors: [StoredTensorEntry], path: String) throws(ModelProblem) {
    guard let group = (config["quantization_config"] ?? config["compression_config"])?.object, !group.isEmpty else {
      return
    }
    let method = group["quant_method"]?.string ?? "an unknown method"
    // Where matrices are numbers, their types and scales say all.
    let packed = tensors.first { !isPlain($0) }
    if packed == nil, plain.contains(method) || tensors.allSatisfy({ $0.format != nil }) { return }
    let bits = (group["bits"] ?? group["w_bit"])?.integer.map { " in \($0) bits" } ?? ""
    throw .notAModel(
      path: path,
      why: "its weights are quantized by \(method.prefix(40))\(bits), which is not read"
        + (packed.map { " ('\($0.name)' is \($0.typeName))" } ?? "") + "; "
        + (advice[method] ?? "take the model that it was made of"))
  }

  private static func isPlain(_ tensor: StoredTensorEntry) -> Bool {
    tensor.format != nil || ["F64", "F8_E4M3", "F8_E5M2"].contains(tensor.typeName) || tensor.elementCount <= 1
  }
}
