import Essentials
import Files
import Generation
import Models
import ServingLink
import Synchronization

/// A request for the hidden states of texts: `/v1/embeddings`.
struct EmbeddingRequest {
  let inputs: [[Int]]
  let pooling: TextPooling.Mode
  let isBase64: Bool

  /// Reads the parameters behind `model`. Throws the first that is wrong.
  init(_ fields: inout RequestFields, _ model: ServedModel) throws(ErrorAnswer) {
    _ = try fields.string("user")
    guard let value = fields.value("input") else { throw fields.wrong("input", "is missing") }
    var inputs: [[Int]] = []
    if let text = value.string {
      inputs = [try model.encodeForVector(text, "input")]
    } else if let list = value.array, list.first?.integer != nil {
      inputs = [try Self.ids(list, fields)]
    } else if let list = value.array, !list.isEmpty, list.count <= ServerLimits.prompts {
      for one in list {
        if let text = one.string {
          inputs.append(try model.encodeForVector(text, "input"))
        } else if let ids = one.array {
          inputs.append(try Self.ids(ids, fields))
        } else {
          throw fields.wrong("input", "takes texts or lists of token ids, not \(one.kind)")
        }
      }
    } else {
      throw fields.wrong("input", "takes a text, token ids, or a list of 1 to \(ServerLimits.prompts) of one of them")
    }
    for ids in inputs { try model.check(ids, "input", limit: model.pooling.maximumTokens) }
    self.inputs = inputs
    switch try fields.string("encoding_format") {
    case nil, "float": isBase64 = false
    case "base64": isBase64 = true
    default: throw fields.wrong("encoding_format", "takes float or base64")
    }
    let name = try fields.string("pooling")
    guard let pooling = name.map(TextPooling.Mode.init) ?? model.pooling.mode else {
      throw fields.wrong("pooling", "takes \(TextPooling.Mode.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.pooling = pooling
    try fields.finish()
  }

  private static func ids(_ list: [JSONValue], _ fields: RequestFields) throws(ErrorAnswer) -> [Int] {
    var ids: [Int] = []
    for one in list {
      guard let id = one.integer else { throw fields.wrong("input", "takes token ids, not \(one.kind) among them") }
      ids.append(id)
    }
    return ids
  }
}

/// The answer to a request for hidden states, as it comes together.
final class EmbeddingReply: Sendable {
  private struct State {
    var vectors: [[Double]]
    var left: Int
    var isOver = false
  }

  private let request: EmbeddingRequest
  private let model: String
  private let answer: Answer
  private let ended: @Sendable (Int) -> Void
  private let state: Mutex<State>

  init(_ request: EmbeddingRequest, model: String, _ answer: Answer, ended: @escaping @Sendable (Int) -> Void) {
    (self.request, self.model, self.answer, self.ended) = (request, model, answer, ended)
    state = Mutex(State(vectors: Array(repeating: [], count: request.inputs.count), left: request.inputs.count))
  }

  /// Takes what became of the text `place`.
  func take(_ event: Job.Event, place: Int) {
    state.withLock { state in
      if state.isOver { return }
      switch event {
      case .failed(let error):
        state.isOver = true
        answer.leave()
        answer.finish(error)
        ended(error.status)
      case .embedded(let vector):
        state.vectors[place] = vector
        state.left -= 1
        if state.left == 0 { finish(&state) }
      case .batch, .probed: break
      }
    }
  }

  private func finish(_ state: inout State) {
    state.isOver = true
    let data = state.vectors.enumerated().map { index, vector -> JSONValue in
      let written: JSONValue =
        request.isBase64
        ? .string(Self.base64(vector)) : .array(vector.map { .number(Double(Float($0))) })
      return ["object": "embedding", "index": .integer(index), "embedding": written]
    }
    let tokens = request.inputs.reduce(0) { $0 + $1.count }
    ended(200)
    answer.finish([
      "object": "list", "data": .array(data), "model": .string(model),
      "usage": ["prompt_tokens": .integer(tokens), "total_tokens": .integer(tokens)],
    ])
  }

  /// The numbers in f32, little-endian, in base64.
  private static func base64(_ vector: [Double]) -> String {
    var bytes = Data()
    for number in vector { withUnsafeBytes(of: Float(number).bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
    return bytes.base64EncodedString()
  }
}
