import Components
import Composition
import Describing
import Foundation
import Specification
import Testing

/// Every file of `Architectures/`: it composes, and has as many parameters as it says.
@Suite("The zoo")
struct ZooTests {
  @Test("composes each model with exactly the parameters it expects", arguments: PackageZoo.names)
  func composes(name: String) throws {
    let architecture = try PackageZoo.load(name)
    #expect(try PackageZoo.plan(architecture).parameterCount == architecture.expectedParams)
    #expect(architecture.facts.title != nil && architecture.facts.licence != nil && architecture.facts.paper != nil)
    #expect(architecture.name == name)
  }

  /// Published counts, and those that follow from published sizes: V·d + C·d + L·(12d² + 13d) + 2d for GPTs,
  /// V·d·(1 if tied, else 2) + L·(2·d·h·n + 2·d·kv·n + 3·d·f + 2d) + d for LLaMAs with heads of n.
  static let published: [(name: String, count: Int)] = [
    ("mixtral-8x7b", 46_702_792_704), ("qwen3-30b-a3b", 30_532_122_624), ("olmoe-1b-7b", 6_919_161_856),
    ("gpt-oss-20b", 20_914_757_184), ("gpt-oss-120b", 116_829_156_672),
    ("gpt1", 116_534_784),
    ("gpt2", 124_439_808), ("gpt2-medium", 354_823_168), ("gpt2-large", 774_030_080), ("gpt2-xl", 1_557_611_200),
    ("gpt3-small", 125_226_240), ("gpt3-medium", 355_871_744), ("gpt3-large", 760_300_032),
    ("gpt3-xl", 1_315_723_264), ("gpt3-xl-as-printed", 1_517_123_584), ("gpt3-2.7b", 2_651_553_280),
    ("gpt3-6.7b", 6_658_404_352), ("gpt3-13b", 12_853_386_240), ("gpt3-13b-as-printed", 12_936_488_380),
    ("gpt3-175b", 174_604_259_328),
    ("llama-7b", 6_738_415_616), ("llama-13b", 13_015_864_320), ("llama-33b", 32_528_943_616),
    ("llama-65b", 65_285_660_672),
    ("llama-2-7b", 6_738_415_616), ("llama-2-13b", 13_015_864_320), ("llama-2-70b", 68_976_648_192),
    ("llama-3-8b", 8_030_261_248), ("llama-3-70b", 70_553_706_496), ("llama-3.1-8b", 8_030_261_248),
    ("llama-3.1-70b", 70_553_706_496), ("llama-3.1-405b", 405_853_388_800), ("llama-3.2-1b", 1_235_814_400),
    ("llama-3.2-3b", 3_212_749_824), ("llama-3.3-70b", 70_553_706_496),
    ("smollm2-135m", 134_515_008), ("tinyllama-1.1b", 1_100_048_384), ("stories15M", 15_191_712),
    ("mistral-7b", 7_241_732_096), ("qwen2.5-0.5b", 494_032_768), ("qwen2.5-7b", 7_615_616_512),
    ("gpt-j-6b", 6_050_882_784), ("gpt-neox-20b", 20_554_567_680), ("pythia-70m", 70_426_624),
    ("phi-2", 2_779_683_840),
    ("bloom-560m", 559_214_592), ("bloom", 176_247_271_424), ("codegen-350m", 356_712_448),
    ("command-r", 34_980_831_232), ("command-r-plus", 103_810_674_688),
    ("falcon-7b", 6_921_720_704), ("falcon-40b", 41_835_970_560), ("gemma-2b", 2_506_172_416),
    ("gemma-7b", 8_537_680_896),
    ("gemma-2-2b", 2_614_341_888), ("gemma-2-9b", 9_241_705_984), ("gemma-2-27b", 27_227_128_320),
    ("gemma-3-1b", 999_885_952), ("gemma-3-270m", 268_098_176), ("starcoder", 15_517_456_384),
    ("gpt-neo-125m", 125_198_592), ("mpt-7b", 6_649_286_656), ("olmo-1b", 1_176_764_416), ("olmo-2-7b", 7_298_617_344),
    ("olmo-2-13b", 13_716_198_400), ("opt-125m", 125_239_296), ("opt-350m", 331_196_416),
    ("phi-3-mini-4k", 3_821_079_552), ("qwen3-0.6b", 596_049_920), ("qwen3-8b", 8_190_735_360),
    ("smollm3-3b", 3_075_098_624), ("stablelm-3b-4e1t", 2_795_443_200), ("starcoder2-3b", 3_030_371_328),
  ]

  @Test("counts what was published", arguments: published)
  func counts(name: String, count: Int) throws {
    #expect(try PackageZoo.count(name) == count)
  }

  /// What a change of GPT-2 adds: 1024·768 positions; a bias in each of 25 norms; three biases of a gated feed-forward
  /// for two (12·1024); two thirds of k and v with their biases (12·2·512·769); all biases but the norms' (12·9·768);
  /// a norm a layer (12·1536); a second matrix (50257·768).
  static let changes: [(change: String, delta: Int)] = [
    ("position={type: rope, theta: 10000}", -786_432),
    ("position=alibi", -786_432),
    ("position=none", -786_432),
    ("norm=rmsnorm", -19_200),
    ("mlp={gated: true, activation: silu, intermediate_size: 2048}", 12_288),
    ("attention.num_kv_heads=4", -9_449_472),
    ("block={parallel: true, shared_norm: true}", -18_432),
    ("head.tied=false", 38_597_376),
  ]

  @Test("counts what one change of GPT-2 makes", arguments: changes)
  func deltas(change: String, delta: Int) throws {
    #expect(try PackageZoo.count("gpt2", change) - 124_439_808 == delta)
  }

  @Test("counts GPT-2 without biases") func biases() throws {
    #expect(try PackageZoo.count("gpt2", "attention.bias=false", "mlp.bias=false") - 124_439_808 == -82_944)
  }

  @Test("has at least eight hybrids, each saying in a note and a comment what differs")
  func hybrids() throws {
    let hybrids = PackageZoo.catalog.models().filter { $0.family == "hybrids" }
    #expect(hybrids.count >= 8)
    for hybrid in hybrids {
      #expect(try PackageZoo.load(hybrid.name).facts.note != nil, "\(hybrid.name)")
      #expect(try String(contentsOfFile: hybrid.path, encoding: .utf8).hasPrefix("# "), "\(hybrid.name)")
    }
  }

  @Test(
    "reads as documentation: members of fewer than 15 lines, families of fewer than 80 and 60 of what GGUF files say, none wider than 120"
  )
  func lengths() throws {
    let members = PackageZoo.catalog.models().map { (path: $0.path, limit: 14) }
    let families = PackageZoo.catalog.familyFiles().map { (path: $0.path, limit: 79) }
    for (path, limit) in members + families {
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let own = lines.firstIndex { $0.hasPrefix("gguf:") } ?? lines.count - 1
      // The last line ends in a newline, after which nothing stands.
      #expect(own <= limit && lines.count - 1 - own < 60, "\(path)")
      #expect(lines.allSatisfy { $0.count <= 120 }, "\(path)")
    }
  }
}
