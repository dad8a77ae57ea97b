import Ablation
import Components
import Composition
import Kernels
import Specification
import StandardComponents
import TestSupport
import Testing

@Suite("the coordinate check") struct CoordinateCheckTests {
  private func check(_ initialization: String) throws -> CoordinateCheck {
    let composer = Composer(try Registry(standardComponents))
    let loader = SpecificationLoader(catalog: Catalog(folders: [Here.architectures]), for: composer)
    let changes = [
      "hidden_size=64", "attention.num_heads=4", "layers.count=2", "head.tied=false", "init=" + initialization,
    ]
    let architecture = try loader.load("gpt2-mini", patches: try Overrides(changes).patches)
    return try CoordinateCheck(
      architecture, loader, composer, rate: CoordinateCheck.usualRate, pool: ThreadPool(threads: 1))
  }

  @Test("with muP and CompleteP all is flat, and without it wider models change more")
  func flat() throws {
    let plain = try check("normal")
    #expect(plain.widths == [64, 128, 256])
    #expect(!plain.isFlat && plain.lines.dropFirst().allSatisfy { $0.slope > 0.5 }, "\(plain.lines)")
    for own in ["{type: mup, base_width: 64}", "{type: completep, base_width: 64, base_layers: 1}"] {
      let found = try check(own)
      #expect(found.lines.map(\.name) == ["embedding", "layer 0", "layer 1", "logits"])
      #expect(found.isFlat, "\(found.lines)")
    }
  }
}
