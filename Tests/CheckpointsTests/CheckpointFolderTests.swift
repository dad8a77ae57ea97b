import Checkpoints
import Components
import Files
import Testing

private func sentence(_ folder: String) -> String? {
  do {
    _ = try CheckpointFolder(path: folder)
    return nil
  } catch {
    return error.sentence
  }
}

@Suite struct CheckpointFolderTests {
  /// Two shards with one tensor each and the index that `map` spells.
  private func shards(_ map: String, _ body: (String) throws -> Void) throws {
    try withFolder { folder throws in
      try SafetensorsFile.write([tensor("a", [1], [1])], to: folder + "/model-00001-of-00002.safetensors")
      try SafetensorsFile.write([tensor("b", [1], [2])], to: folder + "/model-00002-of-00002.safetensors")
      try writeAtomically(
        #"{"metadata":{"total_size":8},"weight_map":\#(map)}"#, to: folder + "/model.safetensors.index.json")
      try body(folder)
    }
  }

  @Test("a single file is opened")
  func single() throws {
    try withFolder { folder throws in
      try SafetensorsFile.write([tensor("a", [1], [1])], to: folder + "/model.safetensors")
      #expect(try CheckpointFolder(path: folder).tensors.map(\.name) == ["a"])
      #expect(CheckpointFolder.hasWeights(folder))
      #expect(try CheckpointFolder.config(in: folder) == nil)
    }
  }

  @Test("shards are opened by their index")
  func sharded() throws {
    try shards(#"{"b":"model-00002-of-00002.safetensors","a":"model-00001-of-00002.safetensors"}"#) { folder throws in
      let opened = try CheckpointFolder(path: folder)
      #expect(opened.tensors.map(\.name) == ["a", "b"])
      #expect(opened.fileNames == ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])
    }
  }

  @Test(
    "an index that leaves the folder or lies is refused",
    arguments: [
      (
        #"{"a":"../x.safetensors"}"#,
        "tensor 'a' is said to be in '../x.safetensors', which is not a plain safetensors file name"
      ),
      (
        #"{"a":"/etc/x.safetensors"}"#,
        "tensor 'a' is said to be in '/etc/x.safetensors', which is not a plain safetensors file name"
      ),
      (
        #"{"a":"sub\\x.safetensors"}"#,
        "tensor 'a' is said to be in 'sub\\x.safetensors', which is not a plain safetensors file name"
      ),
      (
        #"{"a":"..safetensors"}"#,
        "tensor 'a' is said to be in '..safetensors', which is not a plain safetensors file name"
      ),
      (
        #"{"a":"x\u0000.safetensors"}"#,
        "tensor 'a' is said to be in 'x\0.safetensors', which is not a plain safetensors file name"
      ),
      (
        #"{"a":"pytorch_model.bin"}"#,
        "tensor 'a' is said to be in 'pytorch_model.bin', which is not a plain safetensors file name"
      ),
      (#"{"a":7}"#, "the file of tensor 'a' is an integer; expected its name"),
      ("[]", "there is no object 'weight_map'"),
      (#"{"a":"none.safetensors"}"#, "cannot open the file: No such file or directory"),
      (
        #"{"a":"model-00001-of-00002.safetensors","c":"model-00001-of-00002.safetensors"}"#,
        "the index places tensor 'c' here; it is not here"
      ),
      (#"{"b":"model-00001-of-00002.safetensors"}"#, "the index places tensor 'b' here; it is not here"),
    ])
  func lies(_ map: String, reason: String) throws {
    try shards(map) { folder throws in #expect(sentence(folder) == reason) }
  }

  @Test("a tensor that the index does not place in its shard is refused")
  func extra() throws {
    try withFolder { folder throws in
      try SafetensorsFile.write([tensor("a", [1], [1]), tensor("b", [1], [1])], to: folder + "/m.safetensors")
      try writeAtomically(#"{"weight_map":{"a":"m.safetensors"}}"#, to: folder + "/model.safetensors.index.json")
      #expect(sentence(folder) == "tensor 'b' is here but not so in model.safetensors.index.json")
    }
  }

  @Test(
    "pickles are refused with a hint and never opened", arguments: ["pytorch_model.bin", "model.pt", "weights.pth"])
  func pickles(_ name: String) throws {
    try withFolder { folder throws in
      try writeAtomically("not even a pickle", to: folder + "/" + name)
      #expect(sentence(folder)?.hasPrefix("the weights are in a pickle, which is never opened") == true)
    }
  }

  @Test("an empty folder, a missing one and a file are told apart")
  func nothing() throws {
    try withFolder { folder throws in
      #expect(sentence(folder) == "the folder has no model.safetensors and no model.safetensors.index.json")
      #expect(sentence(folder + "/none") == "no such folder")
      try writeAtomically("x", to: folder + "/file")
      #expect(sentence(folder + "/file") == "not a folder")
      try writeAtomically("[]", to: folder + "/config.json")
      #expect(throws: FileProblem.self) { _ = try CheckpointFolder.config(in: folder) }
    }
  }

  @Test("a written folder reads back, in one file and in shards")
  func writing() throws {
    try withFolder { folder throws in
      let tensors = try ["a", "b", "c"].map { try tensor($0, [2], [1, 2]) }
      try CheckpointFolder.write(tensors, config: ["model_type": "x"], to: folder + "/one")
      try CheckpointFolder.write(tensors, config: nil, to: folder + "/many", shardBytes: 16)
      let one = try CheckpointFolder(path: folder + "/one")
      let many = try CheckpointFolder(path: folder + "/many")
      #expect(one.fileNames == ["model.safetensors"])
      #expect(many.fileNames == ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])
      for opened in [one, many] {
        #expect(opened.tensors.map(\.name) == ["a", "b", "c"])
        #expect(opened.tensors.map(\.contents) == tensors.map(\.contents))
      }
      #expect(try CheckpointFolder.config(in: folder + "/one")?["model_type"] == "x")
      #expect(
        try JSONValue(contentsOf: folder + "/many/model.safetensors.index.json")["metadata"]?["total_size"] == 24)
    }
  }
}
