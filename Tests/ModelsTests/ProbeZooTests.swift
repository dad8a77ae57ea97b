import Components
import Conformance
import Execution
import Kernels
import Probing
import TestSupport
import Testing

/// Probes of every architecture's shape, small: names, changes and lenses need no adapter.
@Suite("every architecture can be probed")
struct ProbeZooTests {
  private static let tokens = (0..<12).map { ($0 * 11 + 3) % 61 }
  private static let others = (0..<12).map { ($0 * 7 + 5) % 61 }

  private static func model(_ name: String) throws -> (Plan, Parameters) {
    let plan = try PassTests.shrunk(name)
    let parameters = try Parameters(plan, seed: 3)
    var noise = Noise(seed: 4)
    for index in plan.parameters.indices {
      guard let numbers = parameters.mutable(index) else { continue }
      for i in numbers.indices { numbers[i] += 0.1 * noise.next() }
    }
    return (plan, parameters)
  }

  @Test("every step's values are recorded, and nobody who looks changes a bit", arguments: PassTests.names)
  func records(_ name: String) throws {
    let (plan, parameters) = try Self.model(name)
    let probe = try ModelProbe(plan, parameters, tokens: 12, pool: ThreadPool(threads: 1), computeType: .stored)
    let executor = try PlanExecutor(
      plan, parameters, pool: ThreadPool(threads: 1), maximumRows: 256, states: .f32, fusing: false,
      computeType: .stored)
    var logits: [Float] = []
    try executor.forward([(try executor.openSequence(length: 12), Self.tokens)], logits: .all) { logits += $2 }
    let all = probe.map.values.map(\.name)
    #expect(Set(all).count == all.count)
    let recorded = try probe.record(all, of: Self.tokens)
    #expect(recorded.count == all.count && recorded.allSatisfy { $0.shape[0] == 12 })
    #expect(recorded.first { $0.name == "logits" }?.numbers == logits)
    // Values that have two names, the layers' ends among them, are one.
    let byName = Dictionary(uniqueKeysWithValues: recorded.map { ($0.name, $0.numbers) })
    let layers = try probe.map.parts(of: .layer)
    #expect(layers.count == plan.shape.layerCount)
    #expect(byName["layers.0.input"] == byName["embed"])
    let sublayers = try probe.map.parts(of: .sublayer)
    #expect(sublayers.count >= layers.count)
    // With a plain sum the stream grows by what sublayers give; attention's weights sum to one, or less beside a sink.
    let attention = probe.map.attentionNames
    for (_, shape, weights) in try attention.isEmpty ? [] : probe.record(attention, of: Self.tokens) {
      for query in 0..<shape[0] * shape[1] {
        let sum = weights[query * 12..<(query + 1) * 12].reduce(0, +)
        #expect(sum <= 1 + 1e-5 && sum > 0)
      }
    }
  }

  @Test("a layer that is skipped gives what it got, and a sublayer at zero gives nothing", arguments: PassTests.names)
  func zeroes(_ name: String) throws {
    let (plan, parameters) = try Self.model(name)
    let probe = try ModelProbe(plan, parameters, tokens: 12, pool: ThreadPool(threads: 1), computeType: .stored)
    let measure = ProbeMeasure.natural(for: plan, mask: nil, marks: [])
    let study = try PartStudy(probe, measure, windows: [Self.tokens, Self.others], other: nil, seed: 1)
    let layers = try probe.map.parts(of: .layer)
    let last = try #require(layers.last)
    let skip = PartChange(name: "skip", parts: [(last, .zero)])
    try study.prepare([skip])
    let skipped = try probe.record(
      ["\(last.name).input", "\(last.name).output"], of: Self.tokens, changing: study.prepared(skip))
    #expect(skipped[0].numbers == skipped[1].numbers)
    let part = try #require(try probe.map.parts(of: .sublayer).first)
    let zero = PartChange(name: "zero", parts: [(part, .zero)])
    #expect(
      try probe.record([part.name], of: Self.tokens, changing: study.prepared(zero))[0].numbers.allSatisfy { $0 == 0 })
    // Every kind of part can be changed in every way, and what it does is a number.
    var parts = layers.suffix(1) + [part]
    if let head = try? probe.map.parts(of: .head).last { parts.append(head) }
    let changes = parts.flatMap { part in
      [PartReplacement.zero, .mean, .resample].map { PartChange(name: part.name, parts: [(part, $0)]) }
    }
    let effects = try study.effects(of: changes)
    #expect(effects.allSatisfy { $0.mean.isFinite } && effects.contains { abs($0.mean) > 1e-6 })
    // A text's own numbers change nothing: those of layers are sums that are taken apart, a rounding of numbers near 1.
    let own = try PartStudy(probe, measure, windows: [Self.tokens], other: Self.tokens, seed: 0)
    for effect in try own.effects(of: parts.map { PartChange(name: $0.name, parts: [($0, .patch)]) }) {
      #expect(abs(effect.mean) < 1e-5, "\(effect.name)")
    }
  }

  @Test("the lens behind the last layer gives the logits", arguments: PassTests.names)
  func lenses(_ name: String) throws {
    let (plan, parameters) = try Self.model(name)
    let probe = try ModelProbe(plan, parameters, tokens: 12, pool: ThreadPool(threads: 1), computeType: .stored)
    var rows: [String: [Float]] = [:]
    guard plan.prediction == .tokens else {
      #expect(throws: ProbeProblem.noLens(plan.name)) { try probe.lens(Self.tokens) { _, _, _ in } }
      return
    }
    try probe.lens(Self.tokens) { name, _, logits in rows[name, default: []] += logits }
    let logits = try probe.record(["logits"], of: Self.tokens)[0].numbers
    #expect(rows["layers.\(plan.shape.layerCount - 1).output"] == logits)
    #expect(rows["layers.0.output"] != logits || plan.shape.layerCount == 1)
    // All layers skipped is the lens before the first.
    let study = try PartStudy(probe, .distance, windows: [Self.tokens], other: nil, seed: 0)
    let skip = PartChange(name: "skip", parts: try probe.map.parts(of: .layer).map { ($0, .zero) })
    #expect(try probe.record(["logits"], of: Self.tokens, changing: study.prepared(skip))[0].numbers == rows["embed"])
  }
}
