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

  /// Where a configuration says how its weights are quantized.
  static let keys = ["quantization_config", "compression_config"]

  /// The keys of `config`, that of the folder at `path`, that its tensors' own types and scales answer; none where it says
  /// nothing of quantization, or something that is for its family to know.
  ///
  /// Throws `ModelProblem` when `tensors` are quantized in a way that is not read.
  static func keys(readOf config: JSONValue, _ tensors: [StoredTensorEntry], path: String) throws(ModelProblem)
    -> [String]
  {
    let keys = keys.filter { config[$0]?.object?.isEmpty == false }
    guard let group = keys.first.flatMap({ config[$0] }) else { return [] }
    let method = group["quant_method"]?.string ?? "an unknown method"
    let packed = tensors.first { !isPlain($0) }
    if packed == nil {
      // What is quantized while it runs is for the family to know.
      if tensors.allSatisfy({ $0.format != nil }) { return [] }
      if plain.contains(method) { return keys }
    }
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
