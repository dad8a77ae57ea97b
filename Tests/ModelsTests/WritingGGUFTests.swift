import Checkpoints
import Components
import Composition
import Conformance
import Files
import Formats
import Foundation
import Models
import Specification
import TestSupport
import Testing

/// Models saved as GGUF files.
@Suite struct WritingGGUFTests {
  private static func sizes(_ family: String, hidden: Int = 64) -> [String] {
    [
      "vocab_size=48", "context_length=32", "hidden_size=\(hidden)", "layers.count=3", "attention.num_heads=4",
      "mlp.intermediate_size=\(hidden)",
    ] + (["gpt2", "phi3", "bloom"].contains(family) ? [] : ["attention.num_kv_heads=2"])
  }

  /// A folder of a family in small sizes, as others publish it.
  private static func model(_ family: String, hidden: Int = 64, _ more: [String] = [], in folder: String) throws
    -> String
  {
    let models = try Here.models()
    try SmallModels.write(
      SmallModels.architecture("\(family)/family", sizes(family, hidden: hidden) + more), to: folder + "/native")
    try models.save(models.describe(folder + "/native"), to: folder + "/model")
    return folder + "/model"
  }

  @Test(
    "a GGUF file computes what the folder that it was made of computes, and is saved as that folder again",
    arguments: ["llama", "qwen2", "qwen3", "gemma", "gpt2", "phi3", "granite", "starcoder2", "olmo2"])
  func same(_ family: String) throws {
    try SmallModels.inFolder { folder in
      let model = try Self.model(family, in: folder)
      let models = try Here.models()
      let written = try models.saveGGUF(models.describe(model), to: folder + "/model.gguf", as: nil)
      #expect(written.total.relativeError == 0)
      // Rows that were moved are summed in another order.
      #expect(largestDifference(try SmallModels.logits(folder + "/model.gguf"), try SmallModels.logits(model)) < 2e-5)
      try models.save(models.describe(folder + "/model.gguf"), to: folder + "/back")
      let (before, after) = (
        try SafetensorsFile(path: model + "/model.safetensors"),
        try SafetensorsFile(path: folder + "/back/model.safetensors")
      )
      #expect(before.tensors.map(\.name) == after.tensors.map(\.name))
      for (one, other) in zip(before.tensors, after.tensors) {
        // A one that was added to a norm and taken off again may round.
        let exact = one.bytes.elementsEqual(other.bytes)
        #expect(exact || (family == "gemma" && one.name.contains("norm")), "\(one.name)")
      }
    }
  }

  /// Of Falcon's two maps no configuration chooses one; readers know EXAONE 4 with windows by its 64 layers; what
  /// Gemma 4 turns of a head is read and not written, and so are Apertus' trained numbers, which a file has as keys.
  private static let others = ["falcon", "exaone4", "gemma4", "apertus"]
  /// The families that say how they are written as GGUF, and that the sizes above make.
  private static let families = Set(Catalog(folders: [Here.architectures]).models().map(\.family)).sorted().filter {
    guard !others.contains($0), let model = try? SmallModels.architecture("\($0)/family", sizes($0)),
      model.gguf != nil
    else { return false }
    return (try? Composer(Standard.kit.registry).compose(model)) != nil
  }

  @Test("a family that has the key 'gguf' is written as a file that computes the same", arguments: families)
  func everyFamily(_ family: String) throws {
    #expect(Self.families.count > 25)
    try SmallModels.inFolder { folder in
      let model = folder + "/native"
      try SmallModels.write(SmallModels.architecture("\(family)/family", Self.sizes(family)), to: model)
      let models = try Here.models()
      _ = try models.saveGGUF(models.describe(model), to: folder + "/model.gguf", as: nil)
      #expect(largestDifference(try SmallModels.logits(folder + "/model.gguf"), try SmallModels.logits(model)) < 2e-5)
    }
  }

  @Test("factors of rotary frequencies are a tensor of their own, and come back")
  func factors() throws {
    try SmallModels.inFolder { folder in
      let scaling = "position.scaling={type: factors, factors: [1, 1.5, 2, 3, 4, 5, 6, 8]}"
      try SmallModels.write(
        SmallModels.architecture("llama/family", Self.sizes("llama") + [scaling]), to: folder + "/native")
      let models = try Here.models()
      _ = try models.saveGGUF(models.describe(folder + "/native"), to: folder + "/model.gguf", as: nil)
      let file = try GGUFFile(path: folder + "/model.gguf")
      #expect(file.tensors.contains { $0.name == "rope_freqs.weight" && $0.shape == [8] })
      #expect(
        largestDifference(try SmallModels.logits(folder + "/model.gguf"), try SmallModels.logits(folder + "/native"))
          < 2e-5)
    }
  }

  @Test(
    "every mix is written and read, with fewer errors the more bits it has",
    arguments: [("llama", 256), ("gpt2", 64)])
  func mixes(_ family: String, _ hidden: Int) throws {
    try SmallModels.inFolder { folder in
      let model = try Self.model(family, hidden: hidden, in: folder)
      let models = try Here.models()
      var errors: [QuantizationMix: Double] = [:]
      for mix in QuantizationMix.allCases {
        let path = folder + "/\(mix.rawValue).gguf"
        let written = try models.saveGGUF(models.describe(model), to: path, as: mix)
        errors[mix] = written.total.relativeError
        let file = try GGUFFile(path: path)
        #expect(file["general.file_type"]?.integer == mix.number)
        #expect(try SmallModels.logits(path).allSatisfy(\.isFinite))
        for tensor in file.tensors where tensor.shape.count == 1 || tensor.name.contains("norm") {
          #expect(tensor.typeName == "F32", "\(tensor.name)")
        }
      }
      #expect(errors[.F32] == 0)
      let order: [QuantizationMix] = [.F16, .BF16, .Q8_0, .Q5_1, .Q4_0]
      for (better, worse) in zip(order, order.dropFirst()) { #expect(errors[better]! < errors[worse]!) }
      if hidden == 256 { #expect(errors[.Q6_K]! < errors[.Q5_K_M]! && errors[.Q5_K_M]! < errors[.Q4_K_S]!) }
    }
  }

  @Test("a mix gives more bits to what suffers most, as llama-quantize does, and shorter blocks where rows are short")
  func choices() {
    // llama-quantize of ggml 0.25.3 with 16 layers.
    var tensors: [(name: String, shape: [Int])] = [("token_embd.weight", [512, 256]), ("output_norm.weight", [256])]
    for layer in 0..<16 {
      tensors += [
        ("blk.\(layer).attn_norm.weight", [256]), ("blk.\(layer).attn_q.weight", [256, 256]),
        ("blk.\(layer).attn_v.weight", [64, 256]), ("blk.\(layer).ffn_down.weight", [256, 512]),
      ]
    }
    let formats = QuantizationMix.Q4_K_M.formats(of: tensors, experts: 0)
    func format(_ name: String) -> StorageFormat? { zip(tensors, formats).first { $0.0.name == name }?.1 }
    #expect(format("token_embd.weight") == .q6_k)  // it is the output too
    #expect(format("output_norm.weight") == .f32)
    #expect(format("blk.0.attn_q.weight") == .q4_k)
    let more = (0..<16).filter { format("blk.\($0).attn_v.weight") == .q6_k }
    #expect(more == [0, 1, 4, 7, 10, 13, 14, 15])
    #expect(more == (0..<16).filter { format("blk.\($0).ffn_down.weight") == .q6_k })
    let short = QuantizationMix.Q4_K_M.formats(
      of: [("blk.0.attn_q.weight", [64, 96]), ("blk.0.attn_k.weight", [64, 40]), ("output.weight", [64, 96])],
      experts: 0)
    #expect(short == [.q5_0, .f16, .q8_0])
  }

  @Test("an adapter goes into the file that is written")
  func adapted() throws {
    try SmallModels.inFolder { folder in
      let model = try Self.model("llama", in: folder)
      let (a, b) = ((0..<128).map { Float($0 % 7) * 0.1 - 0.3 }, (0..<128).map { Float($0 % 5) * 0.1 - 0.2 })
      try FileManager.default.createDirectory(atPath: folder + "/adapter", withIntermediateDirectories: true)
      let name = "base_model.model.model.layers.1.self_attn.q_proj"
      try SafetensorsFile.write(
        [
          StoredTensor(name: name + ".lora_A.weight", shape: [2, 64], numbers: a),
          StoredTensor(name: name + ".lora_B.weight", shape: [64, 2], numbers: b),
        ], to: folder + "/adapter/adapter_model.safetensors")
      let config = #"{"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_modules": ["q_proj"]}"#
      try Data(config.utf8).write(to: URL(fileURLWithPath: folder + "/adapter/adapter_config.json"))
      let models = try Here.models()
      try models.save(models.describe(model, adapter: folder + "/adapter"), to: folder + "/merged")
      let wanted = try SmallModels.logits(folder + "/merged")
      _ = try models.saveGGUF(models.describe(model, adapter: folder + "/adapter"), to: folder + "/a.gguf", as: nil)
      #expect(largestDifference(try SmallModels.logits(folder + "/a.gguf"), wanted) < 2e-5)
      // The rows of q are elsewhere in a GGUF file, and so are those of an adapter that is put into one.
      _ = try models.saveGGUF(models.describe(model), to: folder + "/b.gguf", as: nil)
      _ = try models.saveGGUF(
        models.describe(folder + "/b.gguf", adapter: folder + "/adapter"), to: folder + "/c.gguf", as: nil)
      #expect(largestDifference(try SmallModels.logits(folder + "/c.gguf"), wanted) < 2e-5)
    }
  }

  @Test("a family that says nothing of GGUF, and a wiring that its files cannot say, are refused by name")
  func refused() throws {
    try SmallModels.inFolder { folder in
      let models = try Here.models()
      for (family, more, word) in [
        ("opt", [], "'small' has no key 'gguf'"), ("llama", ["attention.window=4"], "cannot say what 'small' is"),
      ] {
        try SmallModels.write(
          SmallModels.architecture("\(family)/family", Self.sizes(family) + more), to: folder + "/\(family)")
        let problems = #expect(throws: Problems.self) {
          try models.saveGGUF(models.describe(folder + "/\(family)"), to: folder + "/x.gguf", as: nil)
        }
        #expect(problems?.list.first?.sentence.contains(word) == true, "\(problems?.list.first?.sentence ?? "")")
        #expect(!FileManager.default.fileExists(atPath: folder + "/x.gguf"))
      }
    }
  }
}

/// Folders whose weights somebody quantized.
@Suite struct QuantizedFolderTests {
  @Test(
    "weights that are quantized in a way that is not read are refused by name, with what to do",
    arguments: [
      (
        "gptq", "\"bits\": 4",
        "quantized by gptq in 4 bits, which is not read ('model.layers.0.mlp.up_proj.qweight' is I32); take the model that it was made of, or a GGUF file of it"
      ),
      ("bitsandbytes", "\"load_in_4bit\": true", "quantized by bitsandbytes, which is not read"),
      ("mxfp4", "\"modules_to_not_convert\": []", "Mxfp4Config(dequantize=True)"),
      ("awq", "\"w_bit\": 4", "quantized by awq in 4 bits, which is not read"),
      ("compressed-tensors", "\"format\": \"pack-quantized\"", "its numbers are packed"),
      ("aqlm", "\"nbits\": 2", "quantized by aqlm, which is not read"),
    ])
  func refused(_ method: String, _ more: String, _ sentence: String) throws {
    try SmallModels.inFolder { folder in
      let header =
        #"{"model.layers.0.mlp.up_proj.qweight":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}}"#
      let bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
      try Data(bytes + [UInt8](repeating: 0, count: 8)).write(to: URL(fileURLWithPath: folder + "/model.safetensors"))
      let config =
        "{\"model_type\": \"llama\", \"quantization_config\": {\"quant_method\": \"\(method)\", \(more)}}"
      try Data(config.utf8).write(to: URL(fileURLWithPath: folder + "/config.json"))
      let models = try Here.models()
      let problem = #expect(throws: ModelProblem.self) { try models.describe(folder) }
      #expect(problem?.description.contains(sentence) == true, "\(problem?.description ?? "")")
    }
  }
}
