import ArgumentParser
import Checkpoints
import Components
import Essentials
import Files
import Generation
import Kernels
import Models

/// `chimera logits`: what a model computes for given tokens.
struct Logits: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logits",
    abstract: "Compute the logits of given tokens.",
    discussion: """
      Without --output, the five most likely next tokens at each position are listed.

        chimera logits story-llama --tokens 1,403,407
        chimera logits model-folder --tokens 1,2,3 --output logits.safetensors
      """)

  @Argument(help: "The model.") var model: String
  @Option(parsing: .unconditional, help: "The token ids: 1,2,3.") var tokens: String
  @Option(help: "Write all logits here, as the tensor 'logits' [tokens, vocabulary] of a safetensors file.") var output:
    String?
  @Flag(help: "Write a JSON document.") var json = false
  @Option(parsing: .unconditional, help: "Random seed of the weights.") var seed: UInt64 = 0
  @OptionGroup var cache: CacheOption
  @OptionGroup var options: RunOptions

  func run() throws {
    let ids = try TokenList.ids(tokens)
    let loaded = try options.load(model, seed: seed)
    let plan = loaded.description.plan
    guard plan.prediction == .tokens else { throw ModelProblem.noContinuation(plan.name, isEncoder: false) }
    if !plan.otherAxes.isEmpty { try plan.requireContinuation() }
    _ = try TextGenerator.length(of: plan, for: ids)
    let executor = try loaded.executor(
      pool: options.pool, longest: ids.count, states: cache.format, computeType: options.computeType())
    let sequence = try executor.openSequence(length: ids.count)
    let width = plan.logits.width
    var all: [Float] = []
    var rows: [JSONValue] = []
    try executor.forward([(sequence, ids)], logits: .all) { _, position, logits in
      // NaN cannot be ordered, and is no result.
      if logits.contains(where: \.isNaN) { throw ModelProblem.notANumber(tokens: position + 1) }
      if output != nil { all += logits }
      let top = logits.indices.sorted { logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1 }.prefix(5)
      if json {
        rows.append(row(position, ids[position], top.map { ($0, logits[$0]) }))
      } else if output == nil {
        let words = top.map { id in
          let piece = loaded.tokenizer?.decode([id]).debugDescription ?? ""
          return "\(id) \(piece.isEmpty ? "" : piece + " ")\((Double(logits[id]) * 1e4).rounded() / 1e4)"
        }
        Console.write("\(position)  \(ids[position])  →  \(words.joined(separator: "   "))\n")
      }
    }
    if json { Console.write(JSONValue.array(rows).serialized(pretty: true) + "\n") }
    guard let output else { return }
    let tensor = StoredTensor(name: "logits", shape: [ids.count, width], numbers: all)
    do { try SafetensorsFile.write([tensor], to: output) } catch let problem as FileProblem {
      throw Failure(.failed, problem.description)
    }
    Console.note("wrote \(output)")
  }

  private func row(_ position: Int, _ token: Int, _ top: [(id: Int, logit: Float)]) -> JSONValue {
    var object = JSONObject()
    object["position"] = .integer(position)
    object["token"] = .integer(token)
    object["top"] = .array(
      top.map { entry in
        var object = JSONObject()
        object["id"] = .integer(entry.id)
        object["logit"] = .number(Double(entry.logit))
        return .object(object)
      })
    return .object(object)
  }
}
