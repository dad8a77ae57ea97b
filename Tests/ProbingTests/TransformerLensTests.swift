import Checkpoints
import Components
import Conformance
import Foundation
import Kernels
import Models
import Probing
import TestSupport
import Testing

/// Activations, ablations, activation patching and the logit lens of a very small GPT-2, as TransformerLens 4.3 has them:
/// `Tests/Interop/probes.py`.
@Suite("TransformerLens sees and changes the same")
struct TransformerLensTests {
  private static let folder = Here.package + "/Tests/Probes/gpt2"
  // Sums of 16 and 64 numbers near 1, in another order: a few roundings through three layers.
  private static let tolerance = 1e-5

  private let probe: ModelProbe
  private let expected: [String: [Float]]
  private let clean: [Int]
  private let other: [Int]

  init() throws {
    let models = try Here.models()
    let loaded = try models.load(models.describe(Self.folder))
    probe = try ModelProbe(loaded, tokens: 16, pool: ThreadPool(threads: 2), computeType: .f32)
    var (expected, ids): ([String: [Float]], [String: [Int]]) = ([:], [:])
    for entry in try SafetensorsFile(path: Self.folder + "/expected.safetensors").tensors {
      withExtendedLifetime(entry.file) {
        if entry.format == .f32 {
          expected[entry.name] = (0..<entry.elementCount).map {
            entry.bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self)
          }
        } else {
          ids[entry.name] = (0..<entry.elementCount).map {
            Int(entry.bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self))
          }
        }
      }
    }
    self.expected = expected
    clean = try #require(ids["clean"])
    other = try #require(ids["other"])
  }

  @Test("activations by name")
  func activations() throws {
    let names = expected.keys.filter { name in
      ["embed", "logits", "final_norm"].contains(name) || name.hasPrefix("layers.") || name.hasPrefix("embed.")
    }.sorted()
    #expect(names.count == 3 * 14 + 4)
    for (name, _, numbers) in try probe.record(names, of: clean) {
      #expect(largestDifference(numbers, try #require(expected[name])) < Float(Self.tolerance), "\(name)")
    }
  }

  @Test("the loss with a head at zero or at its mean", arguments: [PartReplacement.zero, .mean])
  func heads(_ by: PartReplacement) throws {
    let study = try PartStudy(probe, .loss, windows: [clean], other: nil, seed: 0)
    #expect(abs(study.cleanMean - Double(try #require(expected["loss"]?.first))) < Self.tolerance)
    let changes = try probe.map.parts(of: .head).map { PartChange(name: $0.name, parts: [($0, by)]) }
    let theirs = try #require(expected["\(by.rawValue).head"])
    #expect(theirs.count == changes.count && theirs.contains { abs($0) > 0.01 })
    for (effect, expected) in zip(try study.effects(of: changes), theirs) {
      #expect(abs(effect.mean - Double(expected)) < Self.tolerance, "\(effect.name)")
    }
  }

  @Test("activation patching", arguments: ["input", "attn", "mlp", "head"])
  func patching(_ what: String) throws {
    let study = try PartStudy(probe, .answer(17, against: 23), windows: [other], other: clean, seed: 0)
    let parts = what == "head" ? try probe.map.parts(of: .head) : try probe.map.parts(named: "layers.*.\(what)")
    let changes = parts.flatMap { part in
      (what == "head" ? [nil] : other.indices.map { Set([$0]) }).map {
        PartChange(name: part.name, parts: [(part, .patch)], positions: $0)
      }
    }
    let theirs = try #require(expected["patch.\(what)"])
    #expect(theirs.count == changes.count)
    for (effect, expected) in zip(try study.effects(of: changes), theirs) {
      #expect(abs(effect.mean + study.cleanMean - Double(expected)) < Self.tolerance, "\(effect.name)")
    }
  }

  @Test("the logit lens")
  func lens() throws {
    var seen = 0
    try probe.lens(clean) { name, position, logits in
      guard let layer = name.split(separator: ".").dropFirst().first, let theirs = expected["lens.\(layer)"] else {
        return
      }
      let own = logits.map(Double.init)
      let most = own.max() ?? 0
      let whole = most + log(own.reduce(0) { $0 + exp($1 - most) })
      for (id, logit) in own.enumerated() {
        #expect(abs(logit - whole - Double(theirs[position * own.count + id])) < Self.tolerance)
      }
      seen += 1
    }
    #expect(seen == 3 * clean.count)
  }
}
