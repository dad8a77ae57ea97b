import Components
import Composition
import Conformance
import Files
import Models
import Specification
import TestSupport
import Testing

/// Saving a model in which one thing is another: what a folder cannot say is refused, and never lost in silence.
@Suite struct SavingOptionsTests {
  /// What a change turned into.
  private enum Outcome { case same, refused, impossible, other(String) }

  private static let sizes = [
    "vocab_size=48", "context_length=32", "hidden_size=32", "layers.count=3", "attention.num_heads=4",
  ]
  /// What families of experts and of compressed keys also need.
  private static let further = [
    [], ["mlp.intermediate_size=24"], ["mlp.num_experts=4", "mlp.top_k=2", "mlp.expert_size=16"],
    [
      "attention.kv_lora_rank=8", "attention.nope_head_dim=8", "attention.rope_head_dim=4", "attention.v_head_dim=8",
      "mlp.intermediate_size=24",
    ],
  ]

  /// The changes of `architecture`: each option of each of its components, and each other component in its place.
  private static func changes(of architecture: Architecture) throws -> [(what: String, patch: String)] {
    let composer = Composer(Standard.kit.registry)
    let choices = try composer.assemble(architecture).choices
    var changes: [(what: String, patch: String)] = []
    var places = choices.model
    places.merge(choices.layer(0)) { $1 }
    for choice in places.inOrder {
      let place = choice.slot.optionPath ?? choice.slot.rawValue
      for name in Standard.kit.registry.names(in: choice.slot) where name != choice.name {
        changes.append(("\(place) \(name)", "\(place)={type: \(name)}"))
      }
      let options = Standard.components.first { $0.slot == choice.slot && $0.name == choice.name }?.options ?? []
      for option in options {
        for value in values(of: option, now: choice.value(option.path)) {
          changes.append(("\(choice.slot) \(choice.name) \(option.path)", "\(place).\(option.path)=\(value)"))
        }
      }
    }
    return changes
  }

  /// Other values of an option.
  private static func values(of option: OptionDescription, now: Setting?) -> [String] {
    switch option.kind {
    case .number: [now?.number.map { $0 == 0 ? "0.5" : "\($0 * 0.5)" } ?? "0.5"]
    case .numberOrWord(let words): [now?.number.map { "\($0 * 0.5 + 0.1)" } ?? "0.5"] + words.filter { $0 != now?.text }
    case .integer: now?.integer.map { ["\($0 * 2)", "\($0 + 1)"] } ?? ["2", "8"]
    case .flag: [now?.flag == true ? "false" : "true"]
    case .choice(let words): words.filter { $0 != now?.text }
    case .flags: [now?.flag == true ? "false" : "true"]
    case .component(let slot): Standard.kit.registry.names(in: slot).filter { $0 != now?.text }
    case .text, .numbers, .namedNumbers, .group: []
    }
  }

  /// Saves `family` in small sizes with `patches`, and compares what the folder computes with what it was made of.
  private static func outcome(_ family: String, _ patches: [String]) throws -> Outcome {
    try SmallModels.inFolder { folder in
      let (native, saved) = (folder + "/native", folder + "/saved")
      do {
        try SmallModels.write(SmallModels.architecture(family, patches), to: native)
      } catch is Problems {
        return .impossible
      }
      let models = try Here.models()
      do { try models.save(models.describe(native), to: saved) } catch is Problems { return .refused }
      let wanted = try SmallModels.logits(native)
      guard wanted.allSatisfy(\.isFinite) else { return .impossible }
      let difference = largestDifference(wanted, try SmallModels.logits(saved))
      // The same plan over the same numbers gives the same bits.
      return difference == 0 ? .same : .other("\(family) \(patches.last ?? ""): logits differ by \(difference)")
    }
  }

  @Test("each option of each component, and each other component: saved as what it is, or refused")
  func everyOption() throws {
    var tried: [String: Int] = [:]
    var (same, refused, families) = (0, 0, 0)
    var wrong: [String] = []
    for family in Catalog(folders: [Here.architectures]).familyFiles().map(\.family).sorted() {
      let name = "\(family)/\(Catalog.familyFile)"
      guard
        let (base, architecture) = Self.further.lazy.compactMap({ more -> ([String], Architecture)? in
          let patches = Self.sizes + more
          guard let architecture = try? SmallModels.architecture(name, patches),
            (try? Composer(Standard.kit.registry).compose(architecture)) != nil
          else { return nil }
          return (patches, architecture)
        }).first, architecture.config != nil
      else { continue }
      families += 1
      for change in try Self.changes(of: architecture) where tried[change.what, default: 0] < 2 {
        switch try Self.outcome(name, base + [change.patch]) {
        case .same: same += 1
        case .refused: refused += 1
        case .impossible: continue
        case .other(let sentence): wrong.append(sentence)
        }
        tried[change.what, default: 0] += 1
      }
    }
    #expect(wrong == [])
    #expect(families >= 30 && same >= 50 && refused >= 100, "\(families) families, \(same) saved, \(refused) refused")
  }

  /// The faults that were found first: all of them are refused, or come back.
  @Test(
    "what the listings do not show is not lost",
    arguments: [
      ("bloom/family", "position.max_bias=4"), ("mpt/family", "position.strength=2"),
      ("llama/family", "head.softcap=1"),
      ("llama/family", "head.scale=0.5"), ("gpt2/family", "head.normalize_rows=true"),
      ("bloom/family", "position.before_scale=true"), ("xglm/family", "position.theta=100"),
      ("llama/family", "mlp.activation={type: formula, formula: \"max(x, 0)^2\"}"),
    ])
  func unseen(_ family: String, _ patch: String) throws {
    let outcome = try Self.outcome(family, Self.sizes + [patch])
    if case .other(let sentence) = outcome { Issue.record("\(sentence)") }
    if case .impossible = outcome { Issue.record("\(family) with \(patch) was not composed") }
  }
}
