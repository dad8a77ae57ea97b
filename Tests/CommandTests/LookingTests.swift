import Files
import Foundation
import Testing

@Suite("chimera show, diff and components")
struct LookingTests {
  private func json(_ arguments: String...) throws -> JSONValue {
    let run = try Command(arguments)
    #expect(run.status == 0, "\(run.notes)")
    return try JSONValue(parsing: run.output)
  }

  @Test(
    "the spec of show --json composes the same model again",
    arguments: [
      "gpt2", "llama-3.1-8b", "tiny-hybrid", "gpt-j-6b", "mistral-7b", "llama-sandwich-qknorm",
    ])
  func roundTrip(_ name: String) throws {
    try withTemporaryFolder { folder in
      let first = try json("show", name, "--json", "--plan")
      let file = try folder.write(try #require(first["spec"]).serialized(), to: "again.yaml")
      let second = try json("show", file, "--json", "--plan")
      #expect(first["spec"] == second["spec"])
      #expect(first["plan"] == second["plan"] && first["components"] == second["components"])
      #expect(first["parameters"] == second["parameters"])
    }
  }

  @Test("what show --json says is what is known")
  func facts() throws {
    let model = try json("show", "llama-3.1-8b", "--json", "--context", "1000")
    #expect(model["parameters"]?["total"]?.integer == 8_030_261_248)
    #expect(model["components"]?["layers"]?.array?.first?["attention"]?["num_kv_heads"]?.integer == 8)
    #expect(model["components"]?["head"]?["tied"]?.bool == false)
    #expect(model["components"]?["layers"]?.array?.first?["mlp"]?["activation"]?["type"]?.string == "silu")
    // 32 layers of 8 keys and 8 values of 128 numbers, 4 bytes each.
    #expect(model["cache_bytes"]?["per_token"]?["f32"]?.integer == 32 * 2 * 8 * 128 * 4)
    #expect(model["cache_bytes"]?["at_context"]?["bf16"]?.integer == 1000 * 32 * 2 * 8 * 128 * 2)
    #expect(model["context"]?.integer == 1000)
  }

  @Test("one changed line is one changed line in the patch, and −786,432 parameters")
  func rope() throws {
    let diff = try json("diff", "gpt2", "--set", "position=rope", "--json")
    #expect(diff["patch"] == ["extends": "gpt2", "position": "rope"])
    let row = diff["differences"]?.array?.first { $0["key"]?.string == "parameters" }
    #expect(row?["first"]?.string == "124,439,808" && row?["second"]?.string == "123,653,376")
  }

  @Test(
    "the patch saved as a file composes the second model exactly",
    arguments: [
      ("gpt2", "llama-2-7b"), ("llama-2-7b", "gpt2"), ("gpt2", "tiny-hybrid"), ("tiny-hybrid", "local-global-nope"),
      ("gpt1", "gpt-j-6b"), ("llama-2-7b", "llama-3.1-405b"), ("mistral-7b", "gpt2-parallel"),
    ])
  func patch(_ first: String, _ second: String) throws {
    try withTemporaryFolder { folder in
      let run = try Command("diff", first, second)
      let yaml = run.output.split(separator: "\n", omittingEmptySubsequences: false).drop { !$0.hasPrefix("# turns") }
      let file = try folder.write(yaml.joined(separator: "\n"), to: "made.yaml")
      let diff = try json("diff", file, second, "--json")
      #expect(diff["composes_the_same"]?.bool == true && diff["differences"]?.array?.isEmpty == true)
      let (made, wanted) = (try json("show", file, "--plan", "--json"), try json("show", second, "--plan", "--json"))
      #expect(made["plan"] == wanted["plan"])
    }
  }

  @Test("a patch says nothing that would follow without it")
  func smallest() throws {
    // Widths of 4 × hidden_size and scales by head follow; biases were written out by neither.
    let diff = try json("diff", "gpt2", "gpt2-medium", "--json")
    #expect(diff["patch"]?.object?.keys == ["extends", "hidden_size", "attention", "layers"])
  }

  @Test("models that compose the same say so, and what differs besides")
  func same() throws {
    #expect(try Command("diff", "gpt2", "gpt2").output == "gpt2 and gpt2 are the same model\n")
    let run = try Command("diff", "llama-3.1-70b", "llama-3.3-70b")
    #expect(run.output.hasPrefix("llama-3.1-70b and llama-3.3-70b have the same architecture; only metadata differ:\n"))
    #expect(run.output.contains("Llama-3.3-70B-Instruct"))
  }

  @Test("every component has a page with its own words")
  func components() throws {
    let all = try #require(try json("components", "--json").array)
    #expect(all.count > 15)
    for component in all {
      let name = try #require(component["name"]?.string)
      let slot = try #require(component["slot"]?.string)
      let documentation = try #require(component["documentation"]?.string)
      let pages = try Command("components", name).output
      #expect(pages.contains("\(slot): \(name)\n\n\(documentation)\n") || name == slot, "\(slot) \(name)")
      #expect(component["used_by"]?.array != nil)
    }
    let rope = try #require(all.first { $0["name"]?.string == "rope" })
    #expect(rope["used_by"]?.array?.contains("llama-2-7b") == true && rope["used_by"]?.array?.contains("gpt2") == false)
  }

  @Test("a default that follows from sizes is not told as a number")
  func derivedDefaults() throws {
    let attention = try #require(try json("components", "attention", "--json").array?.first)
    let options = Dictionary(
      uniqueKeysWithValues: (attention["options"]?.array ?? []).map { ($0["path"]?.string ?? "", $0) })
    #expect(options["num_kv_heads"]?["default"] == .null && options["num_kv_heads"]?["default_follows"]?.bool == true)
    #expect(options["head_dim"]?["default_follows"]?.bool == true)
    #expect(options["scale"]?["default"]?.string == "auto")
    #expect(options["bias"]?["default"]?.string == "false")
    #expect(options["num_heads"]?["required"]?.bool == true)
  }

  @Test("a slot lists its components")
  func slots() throws {
    let run = try Command("components", "norm")
    #expect(run.output.contains("layernorm") && run.output.contains("rmsnorm") && !run.output.contains("rope"))
  }
}
