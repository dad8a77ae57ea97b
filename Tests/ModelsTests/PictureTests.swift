import Checkpoints
import Components
import Execution
import Files
import Foundation
import Generation
import Images
import Kernels
import Models
import SharedData
import TestSupport
import Testing

/// Models that are given pictures, with what transformers 5.23 computed: `Tests/Pictures`, made by `Tests/Interop/pictures.py`, and the
/// shared fixtures.
@Suite struct PictureTests {
  static let folder = Here.package + "/Tests/Pictures"
  static let encoders = ["vit", "clip", "siglip", "dinov2", "dinov2_with_registers", "dinov2_small_table"]
  static let tiled = [
    "llava", "gemma3", "paligemma2", "internvl", "internvl_llama", "internvl_qwen3",
    "internvl_qwen3_moe", "internvl_gpt_oss", "llava_mistral", "llava_qwen2", "aya_vision",
    "pixtral", "mistral3", "mistral3_ministral3", "llava_next", "llava_next_mistral", "llava_onevision",
    "llama4", "git", "kosmos2",
  ]
  static let readers = tiled + ["qwen2_5_vl", "qwen3_vl", "glm4v", "mllama"] + placed
  static let placed = ["gemma4", "gemma4_large"]
  static let names = encoders + readers
  static let shared = [
    "vit", "clip_vision_model", "llava", "paligemma", "gemma3", "idefics3", "smolvlm", "qwen2_vl", "mllama",
  ]
  private static let pool = ThreadPool(threads: 2)

  private static func load(_ path: String, patches: [String] = []) throws -> LoadedModel {
    let models = try Here.models()
    return try models.load(models.describe(path))
  }

  // Float sums of a few dozen terms near 1, in another order than torch's.
  @Test("a folder gives the reference's states, logits and greedy tokens through its family alone", arguments: names)
  func agrees(_ name: String) throws {
    let path = Self.folder + "/" + name
    let result = try Verification(
      Self.load(path), expected: path + "/expected.safetensors", pool: Self.pool, computeType: .stored)
    #expect(result.largestDifference < 2e-5)
    #expect(result.count > 0)
    #expect(result.greedy?.agreed == result.greedy?.wanted)
    #expect((result.greedy?.wanted ?? 8) == 8)
  }

  @Test(
    "the shared fixtures agree within their bound, of every family that is read",
    .needs("fixtures-multimodal"), arguments: shared)
  func fixtures(_ name: String) throws {
    let path = try SharedData.path("fixtures-multimodal/\(name)")
    let result = try Verification(
      Self.load(path), expected: path + "/expected.safetensors", pool: Self.pool, computeType: .stored)
    #expect(result.largestDifference < 1e-4)
    #expect(result.greedy?.agreed == result.greedy?.wanted)
  }

  /// What `words.json` says of a text.
  private struct Words: Decodable {
    let pictures: [String]
    let ids: [Int]
  }

  private static func words(_ name: String) throws -> [Words] {
    try JSONDecoder().decode([Words].self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/\(name)/words.json")))
  }

  @Test("from picture files a text goes on as the reference's", arguments: readers)
  func generates(_ name: String) throws {
    let path = Self.folder + "/" + name
    let loaded = try Self.load(path)
    let plan = loaded.description.plan
    let text = try Self.words(name)[0]
    let encoder = try PictureEncoder(loaded)
    let pictures = try PictureReader(plan, stack: encoder.stack, folder: path)
      .read(text.pictures.map { Self.folder + "/" + $0 })
    var settings = TextGenerator.Settings()
    settings.maximumTokens = 8
    settings.ignoresEnd = true
    settings.sampling.temperature = 0
    try ShownPictures(pictures, in: text.ids, of: plan, encoder, pool: Self.pool, computeType: .stored)
      .show(to: &settings)
    if plan.lets(.prompt) { settings.prefix = text.ids.count }
    let rows = encoder.rows(of: pictures).reduce(0, +)
    let executor = try loaded.executor(
      pool: Self.pool, longest: max(text.ids.count, rows), states: .f32, computeType: .stored)
    let result = try TextGenerator(executor, tokenizer: nil).generate(text.ids, settings) { _, _ in true }
    let file = try SafetensorsFile(path: path + "/expected.safetensors")
    let greedy = try #require(file.tensors.first { $0.name == "greedy" })
    let wanted = (0..<greedy.elementCount).map {
      Int(greedy.bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self))
    }
    #expect(text.ids + result.tokens == wanted)
  }

  @Test("a picture file becomes the reference's pixels, bit for bit", arguments: tiled)
  func pixels(_ name: String) throws {
    let path = Self.folder + "/" + name
    let file = try SafetensorsFile(path: path + "/expected.safetensors")
    let entry = try #require(file.tensors.first { $0.name == "pixel_values" })
    let wanted = (0..<entry.elementCount).map { entry.bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
    let (height, width) = (entry.shape[entry.shape.count - 2], entry.shape[entry.shape.count - 1])
    var processor = try ImageProcessor(folder: path)
    // What its model says to the processor.
    if name.hasPrefix("mistral3") { processor = try processor.cutting(patches: 8) }
    var (pictures, tiles) = (0, 0)
    for text in try Self.words(name) {
      for picture in try processor.process(files: text.pictures.map({ Self.folder + "/" + $0 })) {
        let lines = 3 * picture.shape[2]
        for tile in 0..<picture.shape[0] {
          let place = entry.shape.count == 5 ? pictures * entry.shape[1] + tile : tiles + tile
          for line in 0..<lines {
            let own = (tile * lines + line) * picture.shape[3]
            let start =
              (place * 3 * height + line / picture.shape[2] * height + line % picture.shape[2]) * width
            #expect(
              picture.values[own..<own + picture.shape[3]].elementsEqual(wanted[start..<start + picture.shape[3]]))
          }
        }
        (pictures, tiles) = (pictures + 1, tiles + picture.shape[0])
      }
    }
    #expect(pictures == 3)
  }

  /// The numbers of a tensor of what the reference computed.
  private static func values(_ name: String, _ folder: String) throws -> [Float] {
    let file = try SafetensorsFile(path: folder + "/expected.safetensors")
    let entry = try #require(file.tensors.first { $0.name == name })
    return (0..<entry.elementCount).map { entry.bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
  }

  @Test(
    "patches of pictures of any size are the processor's, bit for bit", arguments: ["qwen2_5_vl", "qwen3_vl", "glm4v"])
  func patches(_ name: String) throws {
    let path = Self.folder + "/" + name
    let plan = try Self.load(path).description.plan
    let reader = try PictureReader(plan, stack: plan.pictureStacks.first, folder: path)
    let pictures = try ["one.png", "two.png", "three.png"].flatMap { try reader.read([Self.folder + "/" + $0]) }
    #expect(try pictures.flatMap(\.tiles).flatMap(\.self) == Self.values("pixel_values", path))
  }

  @Test("patches that are padded to a number of them are the processor's, bit for bit", arguments: placed)
  func paddedPatches(_ name: String) throws {
    let path = Self.folder + "/" + name
    let wanted = try Self.values("pixel_values", path)
    let processor = try ImageProcessor(folder: path)
    let files = ["one.png", "two.png", "three.png"].map { Self.folder + "/" + $0 }
    let pictures = try processor.process(files: files)
    let room = wanted.count / pictures.count
    for (index, picture) in pictures.enumerated() {
      let own = wanted[index * room..<(index + 1) * room]
      #expect(picture.values.elementsEqual(own.prefix(picture.values.count)))
      #expect(own.dropFirst(picture.values.count).allSatisfy { $0 == 0 })
    }
  }

  @Test("a configuration that has the text's keys beside the encoder's, as it is published, says the same")
  func flat() throws {
    let path = Self.folder + "/qwen2_5_vl"
    let data = try Data(contentsOf: URL(fileURLWithPath: path + "/config.json"))
    var config = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    var text = try #require(config.removeValue(forKey: "text_config") as? [String: Any])
    text["model_type"] = nil
    var rope = try #require(text.removeValue(forKey: "rope_parameters") as? [String: Any])
    text["rope_theta"] = rope.removeValue(forKey: "rope_theta")
    rope["rope_type"] = nil
    rope["type"] = "mrope"
    text["rope_scaling"] = rope
    config.merge(text) { own, _ in own }
    let other = FileManager.default.temporaryDirectory.path + "/flat-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: other) }
    try JSONSerialization.data(withJSONObject: config).write(to: URL(fileURLWithPath: other + "/config.json"))
    try FileManager.default.copyItem(atPath: path + "/model.safetensors", toPath: other + "/model.safetensors")
    let result = try Verification(
      Self.load(other), expected: path + "/expected.safetensors", pool: Self.pool, computeType: .stored)
    #expect(result.largestDifference < 2e-5)
  }

  @Test("pictures of another size than positions are for, and other numbers of places, are refused in a sentence")
  func refused() throws {
    let loaded = try Self.load(Self.folder + "/llava")
    let plan = loaded.description.plan
    let stack = try #require(plan.pictureStacks.first)
    #expect(plan.pictureStacks.count == 1 && stack.placeholder == 30)
    // The processor of the encoder cuts to 12×12; one that cuts to 8×8 makes patches without a position.
    let other = FileManager.default.temporaryDirectory.path + "/small-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: other) }
    let settings = try String(contentsOfFile: Self.folder + "/llava/preprocessor_config.json", encoding: .utf8)
    try settings.replacingOccurrences(of: "12", with: "8")
      .write(toFile: other + "/preprocessor_config.json", atomically: true, encoding: .utf8)
    let reader = try PictureReader(plan, stack: stack, folder: other)
    #expect(
      throws: ModelProblem.picture(
        "a picture of 8×8 pixels has 2×2 patches, and '\(plan.name)' has positions for a square of 9")
    ) { try reader.read([Self.folder + "/one.png"]) }
    #expect(throws: FileProblem.self) { try reader.read([Self.folder + "/none.png"]) }
    let text = try Here.models().describe("gpt2-nano")
    #expect(throws: ModelProblem.self) { try PictureReader(text.plan, folder: other) }
    #expect(PicturePrompt.runs(of: 7, in: [1, 7, 7, 2, 7]) == [1..<3, 4..<5])
  }

  /// A batch with its loss and gradients in `training.safetensors`, by `Tests/Interop/picture_gradients.py`.
  private static func gradients(
    _ loaded: LoadedModel, _ path: String, _ inputs: [[Int]], _ targets: [[Int]], _ beside: [[RowAxis: AxisInput]],
    rows: Int = 0
  ) throws -> (loss: Double, worst: (difference: Double, name: String), count: Int) {
    let plan = loaded.description.plan
    let rows = max(rows, inputs.reduce(0) { $0 + $1.count })
    let executor = try GradientExecutor(
      plan, loaded.parameters, pool: pool, rows: rows, options: TrainingOptions(precision: .f32))
    executor.clearGradients()
    let found = try executor.trainingLoss(inputs, targets: targets, beside: beside)
    let file = try SafetensorsFile(path: path + "/training.safetensors")
    func floats(_ bytes: UnsafeRawBufferPointer) -> [Float] {
      (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
    }
    let loss = try #require(file.tensors.first { $0.name == "loss" })
    let entries = file.tensors.filter { $0.name.hasPrefix("grad.") }.map { $0.renamed(String($0.name.dropFirst(5))) }
    let wanted = try Here.models().canonical(entries, of: loaded.description).mapValues { tensor in
      withExtendedLifetime(tensor.owner) { floats(tensor.bytes) }
    }
    var worst = (difference: 0.0, name: "")
    // The gradient of a key's bias is zero, but for rounding: what is far below the largest of all says nothing.
    let floor = wanted.values.reduce(Float(0)) { $1.reduce($0) { max($0, abs($1)) } } / 1000
    var furthest: Float = 0
    for (index, tensor) in plan.parameters.enumerated() {
      let expected = try #require(wanted[tensor.name.text], "no gradient of \(tensor.name)")
      let largest = expected.reduce(floor) { max($0, abs($1)) }
      for (a, b) in zip(executor.gradient(index), expected) {
        furthest = max(furthest, abs(a - b))
        let difference = Double(abs(a - b) / largest)
        if !(difference <= worst.difference) { worst = (difference.isNaN ? .infinity : difference, tensor.name.text) }
      }
    }
    // The bound of other fixtures: 1e-4 of the largest gradient of all.
    #expect(furthest < 1e-4 * 1000 * floor)
    return (found / Double(floats(loss.bytes)[0]), worst, wanted.count)
  }

  // Within each tensor relative to its own largest gradient: sums of a few dozen terms, some of which cancel.
  @Test(
    "gradients are torch's, of the text, of what joins it with pictures, of gates and of the encoder",
    arguments: [("llava", 59), ("mllama", 113)])
  func gradientsOfStacks(_ name: String, _ tensors: Int) throws {
    let path = Self.folder + "/" + name
    let loaded = try Self.load(path)
    let text = try Self.words(name)[0]
    let stack = try #require(loaded.description.plan.pictureStacks.first)
    let picture = try PictureReader(loaded.description, stack: stack)
      .read(text.pictures.map { Self.folder + "/" + $0 })[0]
    let token = try #require(stack.placeholder ?? stack.mark)
    let last = try #require(text.ids.lastIndex(of: token))
    let targets = text.ids.indices.dropLast().map { $0 < last ? -1 : text.ids[$0 + 1] }
    let given: AxisInput = picture.canvas.map { .canvas(picture.tiles[0], number: $0) } ?? .rows(picture.tiles[0])
    let (loss, worst, count) = try Self.gradients(
      loaded, path, [Array(text.ids.dropLast())], [targets], [[stack.axis: given]],
      rows: picture.tiles[0].count / stack.patches.width)
    #expect(abs(loss - 1) < 1e-5)
    #expect(worst.difference < 1e-3, "\(worst)")
    #expect(count == tensors)
    // The last of a text that is read by gates: without these nothing of the pictures would be learned.
    let gates = loaded.description.plan.parameters.enumerated().filter { $1.shape == [1] }.map(\.offset)
    #expect(gates.allSatisfy { loaded.parameters.values($0)[0] != 0 })
    #expect((name == "mllama") == !gates.isEmpty)
  }

  @Test("the gradients of ViT with its classes are torch's")
  func gradientsOfClasses() throws {
    let path = Self.folder + "/vit"
    let loaded = try Self.load(path)
    let pictures = try PictureReader(loaded.description)
      .read(["one.png", "two.png", "three.png"].map { Self.folder + "/" + $0 })
    let width = try #require(loaded.description.plan.axes[RowAxis.tokens.index].inputWidth)
    let rows = pictures.map { $0.tiles[0] }
    let inputs = rows.map { Array(repeating: 0, count: $0.count / width) }
    let targets = inputs.enumerated().map { index, ids in [index] + Array(repeating: -1, count: ids.count - 1) }
    let (loss, worst, count) = try Self.gradients(loaded, path, inputs, targets, rows.map { [.tokens: .rows($0)] })
    #expect(abs(loss - 1) < 1e-5)
    #expect(worst.difference < 1e-3, "\(worst)")
    #expect(count == 34)
  }

  @Test("a text without pictures is read as the text's own stack alone reads it")
  func withoutPictures() throws {
    let loaded = try Self.load(Self.folder + "/llava")
    let executor = try loaded.executor(pool: Self.pool, states: .f32, computeType: .stored)
    #expect(executor.plan.otherAxes.allSatisfy { executor.plan.axes[$0.index].mayBeEmpty })
    let sequence = try executor.openSequence(length: 5)
    var count = 0
    try executor.forward([(sequence, [1, 5, 9, 4, 3])], logits: .all) { _, _, logits in
      count += 1
      let isFinite = logits.allSatisfy { $0.isFinite }
      #expect(isFinite)
    }
    #expect(count == 5)
  }
}
