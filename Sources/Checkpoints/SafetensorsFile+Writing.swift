import Components
import Files
import Kernels

extension SafetensorsFile {
  /// Writes `tensors` to `path`, whole or not at all.
  ///
  /// Order and padding are those of the reference writer: larger elements first, then by name, the header padded with
  /// spaces to a multiple of 8 bytes. `format: pt` is written because other readers ask for it. Throws for a
  /// block-quantised tensor, which safetensors cannot hold, for a name given twice, and when the system cannot write.
  public static func write(
    _ tensors: [StoredTensor], metadata: [String: String] = ["format": "pt"], to path: String
  ) throws {
    var typed: [(tensor: StoredTensor, type: SafetensorsType)] = []
    for tensor in tensors {
      guard let type = SafetensorsType(tensor.format) else {
        throw FileProblem(
          path: path,
          sentence: "tensor '\(tensor.name)' is stored as \(tensor.format.rawValue), which safetensors cannot hold")
      }
      guard let elements = checkedProduct(tensor.shape), type.byteCount(elements: elements) == tensor.bytes.count else {
        throw FileProblem(
          path: path,
          sentence: "tensor '\(tensor.name)' with shape \(tensor.shape) does not have \(tensor.bytes.count) bytes")
      }
      typed.append((tensor, type))
    }
    typed.sort { left, right in
      left.type.bits != right.type.bits
        ? left.type.bits > right.type.bits
        : left.tensor.name.utf8.lexicographicallyPrecedes(right.tensor.name.utf8)
    }

    var header = JSONObject()
    if !metadata.isEmpty {
      var texts = JSONObject()
      for key in metadata.keys.sorted() { texts[key] = metadata[key].map(JSONValue.string) }
      header["__metadata__"] = .object(texts)
    }
    var end = 0
    for (tensor, type) in typed {
      let begin = end
      end += tensor.bytes.count
      let entry: JSONValue = [
        "dtype": .string(type.rawValue), "shape": .array(tensor.shape.map(JSONValue.integer)),
        "data_offsets": [.integer(begin), .integer(end)],
      ]
      guard header.insert(entry, for: tensor.name) else {
        throw FileProblem(path: path, sentence: "two tensors are named '\(tensor.name)'")
      }
    }
    var text = Array(JSONValue.object(header).serialized().utf8)
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }

    try writeAtomically(to: path) { writer in
      try writer.write(UInt64(text.count))
      try writer.write(text)
      for (tensor, _) in typed {
        try withExtendedLifetime(tensor.owner) { try writer.write(tensor.bytes) }
      }
    }
  }
}
