import Files
import Foundation
import Testing

@Suite("variants of models")
struct VariantTests {
  @Test("a component that takes another's place says which of its options went, and the line that keeps them")
  func dropped() throws {
    let moe = "mlp={type: moe, num_experts: 4, top_k: 2, expert_size: 64}"
    for command in [["check", "llama-2-7b", "--set", moe], ["diff", "llama-2-7b", "--set", moe]] {
      let run = try Command(command)
      #expect(run.status == 0, "\(run.notes)")
      #expect(run.notes.contains("this keeps them: mlp: {type: moe, …, gated: true, activation: silu}"), "\(run.notes)")
    }
    let kept = try Command(
      "check", "llama-2-7b", "--set",
      "mlp={type: moe, num_experts: 4, top_k: 2, expert_size: 64, gated: true, activation: silu}")
    #expect(kept.status == 0 && !kept.notes.contains("drops"), "\(kept.notes)")
    // The zoo's own models are what they are.
    let mixtral = try Command("check", "mixtral-8x7b")
    #expect(mixtral.status == 0 && mixtral.notes.isEmpty, "\(mixtral.notes)")
    try withTemporaryFolder { folder in
      let layered = try folder.write(
        "extends: llama-2-7b\nlayers:\n  variants:\n    d: {norm: rmsnorm}\n    s: {mlp: {type: moe, num_experts: 4, top_k: 2, expert_size: 64}}\n  pattern: [d, s]\n",
        to: "a.yaml")
      let run = try Command("check", layered)
      #expect(run.status == 0 && run.notes.contains("gated: true"), "\(run.notes)")
    }
  }

  @Test("a table of positions that no layer asks for is not built, and diff tells only what changed")
  func positions() throws {
    try withTemporaryFolder { folder in
      let none = try folder.write(
        "extends: gpt2\nlayers:\n  variants: {a: {position: alibi}, b: {position: rope}}\n  pattern: [a, b]\n",
        to: "a.yaml")
      let whole = try Command("check", "gpt2")
      let run = try Command("check", none)
      // 1,024 positions of 768 numbers.
      #expect(whole.output.contains("124,439,808") && run.output.contains("123,653,376"), "\(run.output)")
      let half = try folder.write(
        "extends: gpt2\nlayers:\n  variants: {a: {position: alibi}, b: {norm: layernorm}}\n  pattern: [a, b]\n",
        to: "b.yaml")
      #expect(try Command("check", half).output.contains("124,439,808"))
      let diff = try Command("diff", "gpt2", half).output
      #expect(!diff.contains("none → learned"), "\(diff)")
      let mixed = try folder.write(
        "extends: gpt2\nlayers:\n  variants: {a: {norm: layernorm}, b: {attention: {type: mla, num_heads: 12, kv_lora_rank: 64, nope_head_dim: 32, rope_head_dim: 32, v_head_dim: 64}}}\n  pattern: [a, b]\n",
        to: "c.yaml")
      let other = try Command("diff", "gpt2", mixed)
      #expect(
        other.status == 0 && !other.output.contains("num_kv_heads") && !other.output.contains("12 → 12"),
        "\(other.output)\(other.notes)")
    }
  }

  @Test("another formula drops the scalars of the one before, as another type drops its options")
  func changedFormula() throws {
    let base = #"mlp.activation={formula: "a * x", scalars: {a: 2}}"#
    let file = "extends: gpt2\nmlp: {activation: {formula: \"a * x\", scalars: {a: 2}}}\nlayers:\n"
    try withTemporaryFolder { folder in
      func parameters(_ arguments: [String]) throws -> Int? {
        let run = try Command(["show", "--json"] + arguments)
        #expect(run.status == 0, "\(run.notes)")
        return try JSONValue(parsing: run.output).object?["parameters"]?.object?["total"]?.integer
      }
      let plain = try #require(try parameters(["gpt2"]))
      // Twelve layers with a scalar each; with another formula, written anywhere, it is gone.
      #expect(try parameters(["gpt2", "--set", base]) == plain + 12)
      #expect(try parameters(["gpt2", "--set", base, "--set", #"mlp.activation.formula="x * x""#]) == plain)
      let overridden = try folder.write(
        file + "  overrides: [{layers: \"6:\", mlp: {activation: {formula: \"x * x\"}}}]\n", to: "a.yaml")
      #expect(try parameters([overridden]) == plain + 6)
      let varied = try folder.write(
        file + "  variants: {a: {}, b: {mlp: {activation: {formula: \"x * x\"}}}}\n  pattern: [a, 2*b]\n", to: "b.yaml")
      #expect(try parameters([varied]) == plain + 4)
      // The same formula again changes nothing, and its scalars may be set alone.
      #expect(try parameters(["gpt2", "--set", base, "--set", #"mlp.activation.formula="a * x""#]) == plain + 12)
      #expect(try parameters(["gpt2", "--set", base, "--set", "mlp.activation.scalars.a=3"]) == plain + 12)
    }
    let unnamed = try Command("check", "gpt2", "--set", base, "--set", #"mlp.activation.formula="a * x * x""#)
    #expect(unnamed.status == 3 && unnamed.notes.contains("scalars: {a: 1.0}"), "\(unnamed.notes)")
  }

  @Test("a scalar that a formula does not have is a mistake")
  func scalars() throws {
    let formula = #"mlp.activation={formula: "x * sigmoid(a * x)", scalars: {a: 1, b: 2}}"#
    let run = try Command("check", "gpt2", "--set", formula)
    #expect(run.status == 3 && run.notes.contains("the formula does not have the scalar 'b'"), "\(run.notes)")
    let unknown = try Command("check", "gpt2", "--set", #"mlp.activation={formula: "x * sigmoid(a*x)"}"#)
    #expect(unknown.status == 3 && unknown.notes.contains("scalars: {a: 1.0}"), "\(unknown.notes)")
  }

  @Test("what an option has no place beside is said, not that there is no such option")
  func exclusions() throws {
    let head = try Command("check", "gpt2", "--set", "head={normalize_rows: true, bias: true}")
    #expect(
      head.status == 3 && head.notes.contains("'normalize_rows'") && !head.notes.contains("no option here"),
      "\(head.notes)")
    let offset = try Command("check", "gpt2", "--set", "mlp.up_offset=1")
    #expect(offset.status == 3 && offset.notes.contains("'mlp' has it, but it has no effect beside"), "\(offset.notes)")
  }

  @Test("new writes a variant that checks as it is, and as its lines are taken in; it replaces nothing")
  func new() throws {
    try withTemporaryFolder { folder in
      let run = try Command(["new", "mine", "--from", "gpt2", "--set", "position=rope"], in: folder)
      #expect(run.status == 0 && run.output == "mine.yaml\n", "\(run.notes)")
      let file = folder.appending(path: "mine.yaml")
      let text = try String(contentsOf: file, encoding: .utf8)
      #expect(
        text.contains("extends: gpt2\n") && text.contains("\nposition: rope\n")
          && text.contains("# hidden_size: 768\n"), "\(text)")
      let checked = try Command("check", file.path)
      #expect(checked.status == 0 && checked.output.hasPrefix("mine: "), "\(checked.notes)")
      // Every line that was offered is one that a file may hold.
      let offered = text.split(separator: "\n").map { line in
        line.hasPrefix("# ") && line.contains(":") && !line.contains("'") ? String(line.dropFirst(2)) : String(line)
      }
      let whole = try Command("check", try folder.write(offered.joined(separator: "\n") + "\n", to: "whole.yaml"))
      #expect(whole.status == 0 && whole.output == checked.output, "\(whole.notes)")
      #expect(try Command(["new", "mine", "--from", "gpt2"], in: folder).status == 1)
      #expect(try String(contentsOf: file, encoding: .utf8) == text)
      let second = try Command(["new", "again", "--from", "mine.yaml"], in: folder)
      #expect(second.status == 0, "\(second.notes)")
      #expect(try Command(["check", "again.yaml"], in: folder).status == 0)
      #expect(try Command(["new", "a b", "--from", "gpt2"], in: folder).status == 2)
      #expect(try Command(["new", "x", "--from", "gpt22"], in: folder).status == 4)
    }
  }

  @Test("show --yaml is the resolved file: it composes the same")
  func resolved() throws {
    try withTemporaryFolder { folder in
      for model in ["gpt2", "llama-3.2-1b", "deepseek-v2-lite"] {
        let yaml = try Command("show", model, "--yaml")
        #expect(yaml.status == 0, "\(yaml.notes)")
        let file = try folder.write(yaml.output, to: "\(model).yaml")
        let diff = try Command("diff", model, file)
        #expect(
          diff.status == 0 && (diff.output.contains("the same model") || diff.output.contains("only metadata")),
          "\(diff.output)\(diff.notes)")
      }
    }
  }

  @Test("exact arithmetic reaches eval and run --prompts as it reaches run")
  func exact() throws {
    try withTemporaryFolder { folder in
      let stored = try Command("save", "story-llama", "--output", folder.path + "/bf16", "--dtype", "bf16")
      #expect(stored.status == 0, "\(stored.notes)")
      let text = try folder.write(
        String(repeating: "Once upon a time there was a little girl. ", count: 40), to: "t.txt")
      let eval = { (options: [String], arithmetic: String) in
        try Command(
          ["eval", folder.path + "/bf16", "--data", text, "--json", "--threads", "1", "-q"] + options,
          environment: ["CHIMERA_ARITHMETIC": arithmetic, "CHIMERA_CACHE": folder.path]
        ).output
      }
      // Asked for by the option or by the environment, exact is one thing, to the last digit.
      #expect(try eval(["--exact"], "stored") == eval([], "exact"))
    }
  }
}
