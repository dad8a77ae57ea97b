import Checkpoints
import Components
import Execution
import Files
import Kernels

/// A model that compares texts with pictures, compared with what an `expected.safetensors` says of some: `input_ids` [texts, tokens], with
/// `attention_mask` where texts are of unlike lengths, and `pixel_values` are read, and of `text_embeds` [texts, width],
/// `image_embeds` [pictures, width], `logits_per_text` [texts, pictures] and `logits_per_image` [pictures, texts] those are compared that are there.
struct VerifiedPairs {
  private(set) var largestDifference: Float = 0
  private(set) var place = (row: 0, position: 0, id: 0)
  private(set) var tensor = ""
  private(set) var compared: [String] = []
  private(set) var count = 0

  init(_ model: LoadedModel, _ file: SafetensorsFile, pool: ThreadPool, computeType: ComputeType) throws {
    let plan = model.description.plan
    guard let axis = plan.pictureStacks.first?.axis,
      let read = try VerifiedPictures(model, file, pool: pool, computeType: computeType)
    else { throw ModelProblem.noStates(plan.name) }
    let (texts, pictures) = (try Self.texts(file), read.rows)
    guard !texts.isEmpty, texts.allSatisfy({ !$0.isEmpty }), !pictures.isEmpty else {
      throw FileProblem(path: file.file.path, sentence: "there are no texts and pictures to compare")
    }
    let width = plan.axes[axis.index].inputWidth ?? 1
    let longest = texts.map(\.count).max() ?? 1
    let rows = max(longest, pictures.map { $0.count / width }.max() ?? 1)
    func last(_ executor: PlanExecutor, _ tokens: [Int], _ picture: [Float]?) throws -> [Float] {
      var vector: [Float] = []
      let beside = picture.map { [[axis: AxisInput.rows($0)]] } ?? []
      try executor.forward([(executor.openSequence(length: tokens.count), tokens)], beside: beside, logits: .last) {
        vector = Array($2)
      }
      return vector
    }
    let ofTexts = try model.statesExecutor(pool: pool, tokens: longest, computeType: computeType)
    try compare("text_embeds", texts.map { try last(ofTexts, $0, nil) }, file)
    let ofPictures = try model.otherExecutor(pool: pool, rows: rows, computeType: computeType)
    // Beside any text, of which the vector sees nothing.
    try compare("image_embeds", pictures.map { try last(ofPictures, [0], $0) }, file)
    // An output is a text's vector and a picture's, of which each sees nothing of the other.
    let both = try PlanExecutor(
      plan, model.parameters, pool: pool, maximumRows: rows, states: .f32, fusing: true, computeType: computeType)
    let outputs = try (0..<max(texts.count, pictures.count)).map {
      try last(both, texts[$0 % texts.count], pictures[$0 % pictures.count])
    }
    let half = plan.logits.width / 2
    let products = texts.indices.map { text in
      pictures.indices.map { picture in
        zip(outputs[text].prefix(half), outputs[picture].suffix(half)).reduce(Float(0)) { $0 + $1.0 * $1.1 }
      }
    }
    try compare("logits_per_text", products, file)
    try compare("logits_per_image", pictures.indices.map { picture in products.map { $0[picture] } }, file)
    if compared.isEmpty {
      throw FileProblem(
        path: file.file.path,
        sentence: "there is none of the tensors 'text_embeds', 'image_embeds', 'logits_per_text' and 'logits_per_image'"
      )
    }
  }

  /// The texts of `file`, without the tokens that the mask hides behind them.
  private static func texts(_ file: SafetensorsFile) throws -> [[Int]] {
    func entry(_ name: String) -> StoredTensorEntry? { file.tensors.first { $0.name == name } }
    guard let ids = entry("input_ids"), ids.shape.count == 2 else {
      throw FileProblem(path: file.file.path, sentence: "there is no tensor 'input_ids' [texts, tokens]")
    }
    let (tokens, length) = (try Verification.integers(ids), ids.shape[1])
    let mask = try entry("attention_mask").map { try Verification.integers($0) }
    if let mask, mask.count != tokens.count {
      throw FileProblem(path: file.file.path, sentence: "'attention_mask' is not of the shape of 'input_ids'")
    }
    return (0..<ids.shape[0]).map { row in
      let range = row * length..<(row + 1) * length
      return Array(tokens[range].prefix(mask.map { $0[range].prefix { $0 != 0 }.count } ?? length))
    }
  }

  /// Compares `found` with the tensor `name`, where there is one.
  private mutating func compare(_ name: String, _ found: [[Float]], _ file: SafetensorsFile) throws {
    guard let expected = file.tensors.first(where: { $0.name == name }) else { return }
    let shape = [found.count, found.first?.count ?? 0]
    guard expected.shape == shape, expected.format == .f32 else {
      throw FileProblem(
        path: file.file.path,
        sentence: "'\(name)' is \(expected.typeName) \(expected.shape); expected F32 \(shape)")
    }
    compared.append(name)
    if tensor.isEmpty { tensor = name }
    for (row, values) in found.enumerated() {
      for (id, value) in values.enumerated() {
        let wanted = expected.bytes.loadUnaligned(fromByteOffset: (row * shape[1] + id) * 4, as: Float.self)
        let difference = abs(value - wanted)
        // A NaN differs from everything.
        if !(difference <= largestDifference) {
          largestDifference = difference.isNaN ? .infinity : difference
          (place, tensor) = ((row, 0, id), name)
        }
      }
    }
    count += shape[0] * shape[1]
  }
}
