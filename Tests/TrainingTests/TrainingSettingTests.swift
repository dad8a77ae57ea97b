import Execution
import Components
import Files
import Foundation
import StandardComponents
import TestSupport
import Testing
import Training

/// One declaration of the settings serves options, studies, JSON and the page of them.
@Suite struct TrainingSettingTests {
  // The members of training.json as runs of before the table have them, with what `chimera train` took for usual:
  // the bytes of a run's fingerprint.
  private static let before = """
    {"steps":2000,"batch":12,"context":256,"accumulate":1,"lr":null,"warmup":100,"optimizer":"adamw","schedule":"cosine",\
    "clip":1.0,"dropout":0.0,"seed":"0","init_seed":null,"validation_fraction":0.1,"validation_batches":50,\
    "validate_every":250,"save_every":250,"keep":2,"threads":1,"arithmetic":"f32","recompute":false}
    """

  @Test("the JSON of settings has the members of runs of before, in their order and form") func json() throws {
    let settings = TrainingSettings(try Registry(standardComponents), inStudy: false)
    #expect(JSONValue.object(settings.json).serialized() == Self.before)
  }

  @Test("so many tokens are so many steps of the context that the model has, not of the usual one") func tokens() throws
  {
    var settings = TrainingSettings(try Registry(standardComponents), inStudy: true)
    settings.settle(given: [], modelContext: 64, tokens: 409_600, inStudy: true)
    #expect(settings.context == 64 && settings.steps == 400 && settings.tokens == 409_600)
    #expect(settings.warmup == 40 && settings.validateEvery == 40)
  }

  @Test("each setting comes back from JSON as it went, and none is taken for another") func roundTrip() throws {
    let registry = try Registry(standardComponents)
    var settings = TrainingSettings(registry, inStudy: false)
    (settings.steps, settings.batch, settings.context, settings.accumulate) = (3, 5, 7, 9)
    (settings.rate, settings.warmup, settings.clip, settings.dropout) = (0.25, 11, 0.5, 0.125)
    (settings.seed, settings.initSeed, settings.validationFraction) = (UInt64.max, 13, 0.75)
    (settings.validationBatches, settings.validateEvery, settings.saveEvery) = (15, 17, 19)
    (settings.keep, settings.threads, settings.frozen) = (21, 23, ["layers.0", "stacks.image"])
    settings.options = TrainingOptions(precision: .bf16, recomputation: .cheap)
    settings.objective = Setting(text: "masked_tokens")
    settings.lora = AdapterSettings("rank=2,alpha=3,dora,target=attn.q,dropout=0.5")
    let text = JSONValue.object(settings.json).serialized()
    let object = try #require(JSONValue(parsing: text).object)
    let back = try #require(TrainingSettings(object, registry))
    #expect(JSONValue.object(back.json).serialized() == text && back.seed == UInt64.max)
    let usual = TrainingSettings(registry, inStudy: false)
    let changed = usual.differences(from: settings).map(\.key)
    #expect(
      changed
        == TrainingSetting.all.map(\.key).filter { !["optimizer", "schedule", "save_every", "keep"].contains($0) })
  }

  @Test("a member that is missing or of another kind is no run's, but for those that older runs had not")
  func incomplete() throws {
    let registry = try Registry(standardComponents)
    for setting in TrainingSetting.all {
      var json = TrainingSettings(registry, inStudy: false).json
      json[setting.key] = nil
      let isOptional = ["lr", "objective", "lora", "freeze", "init_seed", "arithmetic", "recompute"].contains(
        setting.key)
      #expect((TrainingSettings(json, registry) != nil) == isOptional, "\(setting.key)")
      json[setting.key] = .array([1])
      if case .component = setting.kind { continue }
      #expect(TrainingSettings(json, registry) == nil, "\(setting.key)")
    }
  }

  @Test("options take their ranges' ends and refuse what is beyond, with what they take") func options() throws {
    for setting in TrainingSetting.all {
      #expect(!setting.expectation.isEmpty)
      guard case .integer(let range) = setting.kind else { continue }
      #expect(setting.value(ofOption: String(range.lowerBound)) == .integer(range.lowerBound))
      #expect(setting.value(ofOption: String(range.upperBound)) == .integer(range.upperBound))
      for text in [String(range.lowerBound - 1), String(range.upperBound + 1), "1.5", "x", "", "99999999999999999999"] {
        #expect(setting.value(ofOption: text) == nil, "--\(setting.option) \(text)")
      }
    }
    let part = try #require(TrainingSetting.named("dropout"))
    #expect(part.value(ofOption: "0") != nil && part.value(ofOption: "0.999") != nil)
    for text in ["1", "-0.1", "nan", "inf", "x"] { #expect(part.value(ofOption: text) == nil) }
    let rate = try #require(TrainingSetting.named("lr"))
    for text in ["-1", "1001", "nan", "inf"] { #expect(rate.value(ofOption: text) == nil) }
  }

  @Test("sizes whose product is beyond 64 bits are counted as many") func products() throws {
    var settings = TrainingSettings(try Registry(standardComponents), inStudy: false)
    (settings.steps, settings.batch, settings.context, settings.accumulate) = (1 << 40, 1 << 20, 1 << 24, 1 << 15)
    #expect(settings.tokensPerStep == 1 << 59 && settings.tokens == Int.max)
  }

  // CHIMERA_UPDATE_DOCUMENTATION=1 swift test --filter TrainingSettingTests writes the page anew.
  @Test("the page of settings is the table") func page() throws {
    let path = Here.package + "/Documentation/TrainingSettings.md"
    let text = """
      # Settings of a training run

      The options of `chimera train` and the keys of a study's `train:` group (`chimera ablate … --train KEY=VALUE`). A run
      is resumed only with the settings that it began with; `--save-every` and `--keep` may change. This page is written
      from `TrainingSetting.all`.


      """ + TrainingSetting.table
    if ProcessInfo.processInfo.environment["CHIMERA_UPDATE_DOCUMENTATION"] != nil {
      try makeFolder(Here.package + "/Documentation")
      try writeAtomically(text, to: path)
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text, "CHIMERA_UPDATE_DOCUMENTATION=1 writes it anew")
  }
}
