import Components
import Composition
import Describing
import Specification
import Testing

@Suite("what differs between two models")
struct ArchitectureDiffTests {
  let zoo: ZooModels

  init() throws { zoo = try ZooModels() }

  private func row(_ diff: ArchitectureDiff, _ group: String, _ key: String) -> [String?]? {
    diff.rows.first { $0.group == group && $0.key == key }.map { [$0.first, $0.second] }
  }

  @Test("a model does not differ from itself, nor from one with its defaults written out")
  func same() throws {
    let model = try zoo.sheet("llama-2-7b")
    #expect(ArchitectureDiff(model, model).rows.isEmpty)
    let written = ArchitectureDiff(model, try zoo.sheet("llama-2-7b", "attention.num_kv_heads=32"))
    #expect(written.composesTheSame && written.rows.isEmpty)
  }

  @Test("options are compared as they take effect, defaults included")
  func effective() throws {
    let diff = ArchitectureDiff(try zoo.sheet("gpt2"), try zoo.sheet("llama-2-7b"))
    #expect(row(diff, "attention", "num_kv_heads") == ["12", "32"])
    #expect(row(diff, "mlp", "intermediate_size") == ["3072", "11008"])
    #expect(row(diff, "position", "") == ["learned", "rope"])
    #expect(row(diff, "position", "theta") == [nil, "10000"])
    #expect(row(diff, "norm", "eps") == nil, "both have 1e-5")
    #expect(row(diff, "costs", "parameters") == ["124,439,808", "6,738,415,616"])
    #expect(!diff.composesTheSame)
  }

  @Test("one line changed is one component in the rows, and its parameters")
  func oneLine() throws {
    let base = try zoo.sheet("gpt2")
    let diff = ArchitectureDiff(base, try zoo.sheet("gpt2", "position=rope"))
    #expect(Set(diff.rows.map(\.group)) == ["position", "costs"])
    #expect(row(diff, "costs", "  embed.positions") == ["786,432", nil])
  }

  @Test("options of some layers say which")
  func someLayers() throws {
    let diff = ArchitectureDiff(try zoo.sheet("gpt2"), try zoo.sheet("tiny-hybrid"))
    #expect(row(diff, "attention", "window") == [nil, "512 (0–2, 4–6, 8–10)"])
    #expect(row(diff, "block", "placement") == ["pre", "pre (0–10), sandwich (11)"])
    #expect(row(diff, "sizes", "pattern") == [nil, "3*local, global"])
  }

  @Test("the patch from one model to another composes the other, for every pair", arguments: ZooModels.differing)
  func patches(_ first: String) throws {
    let base = try zoo.sheet(first)
    for second in ZooModels.differing {
      let target = try zoo.sheet(second)
      let patch = ArchitectureDiff.patch(from: base.architecture, to: target.architecture)
      let made = try zoo.loader.load(first, patches: [patch])
      #expect(try zoo.composer.assemble(made).choices.isEquivalent(to: target.choices), "\(first) → \(second)")
      #expect(made.shape == target.plan.shape, "\(first) → \(second)")
    }
  }

  @Test("facts and maps are no architecture")
  func otherDifferences() throws {
    let (base, target) = (try zoo.sheet("gpt2"), try zoo.sheet("gpt2", "facts.title=Another"))
    #expect(ArchitectureDiff(base, target).composesTheSame)
    #expect(ArchitectureDiff.patch(from: base.architecture, to: target.architecture).entries?.isEmpty == true)
    let other = ArchitectureDiff.otherPatch(from: base.architecture, to: target.architecture)
    #expect(other[path: "facts.title"]?.text == "Another" && other.entries?.count == 1)
  }
}
