import Components
import Files
import Kernels

extension CheckpointFolder {
  /// Writes `tensors` and `config` into the folder at `path` as Hugging Face publishes models.
  ///
  /// One file, or shards of at most `shardBytes` of tensor data each with an index. Every file is written whole or not
  /// at all, and the index and `config.json` last, so that a folder that has them is complete. Throws when a file
  /// cannot be written and for tensors that safetensors cannot hold.
  public static func write(
    _ tensors: [StoredTensor], config: JSONValue?, to path: String, shardBytes: Int = 5_000_000_000
  ) throws {
    try makeFolder(path)
    var shards: [[StoredTensor]] = [[]]
    var bytes = 0
    for tensor in tensors {
      if bytes > 0, bytes + tensor.bytes.count > shardBytes {
        shards.append([])
        bytes = 0
      }
      shards[shards.count - 1].append(tensor)
      bytes += tensor.bytes.count
    }
    if shards.count == 1 {
      try SafetensorsFile.write(tensors, to: path + "/" + single)
      // An index of earlier shards would be read instead of the file.
      try removeFile(path + "/" + index)
    } else {
      try writeShards(shards, to: path)
    }
    if let config {
      try writeAtomically(config.serialized(pretty: true, literals: true) + "\n", to: path + "/config.json")
    }
  }

  private static func writeShards(_ shards: [[StoredTensor]], to path: String) throws {
    func padded(_ number: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
    var files: [(tensor: String, file: String)] = []
    for (number, shard) in shards.enumerated() {
      let name = "model-\(padded(number + 1))-of-\(padded(shards.count)).safetensors"
      try SafetensorsFile.write(shard, to: path + "/" + name)
      files += shard.map { ($0.name, name) }
    }
    var map = JSONObject()
    for (tensor, file) in files.sorted(by: { $0.tensor < $1.tensor }) { map[tensor] = .string(file) }
    let total = shards.joined().reduce(0) { $0 + $1.bytes.count }
    let text: JSONValue = ["metadata": ["total_size": .integer(total)], "weight_map": .object(map)]
    try writeAtomically(text.serialized(pretty: true) + "\n", to: path + "/" + index)
  }
}
