import Files
import Foundation
import Testing

@Suite("the command line's contract")
struct ContractTests {
  @Test(
    "help is the result when it is asked for",
    arguments: [
      [], ["list"], ["show"], ["diff"], ["check"], ["components"], ["schema"], ["run"], ["tokenize"], ["logits"],
      ["verify"], ["ablate"], ["ablate", "run"], ["ablate", "merge"], ["save"], ["train"], ["eval"], ["tokenizer"],
      ["new"], ["export"], ["import"],
    ])
  func help(_ command: [String]) throws {
    let run = try Command(command + ["--help"])
    #expect(run.status == 0 && run.notes.isEmpty)
    #expect(run.output.contains("USAGE: chimera"))
    // The program's own help has every command and every variable of the environment; run's has what is common.
    let most = command.isEmpty || command == ["run"] ? 74 : 54
    #expect(run.output.split(separator: "\n").count <= most, "it fits a screen")
    if !command.isEmpty { #expect(run.output.contains("\n  chimera \(command[0])"), "it has an example") }
  }

  @Test(
    "what cannot be parsed is a mistake of usage: 2",
    arguments: [
      ["show"], ["show", "gpt2", "--no-such-option"], ["no-such-command"], ["diff", "gpt2"],
      ["list", "--max-params", "2X"],
      ["show", "gpt2", "--every-layer"], ["show", "gpt2", "--context", "0"],
    ])
  func usage(_ arguments: [String]) throws {
    let run = try Command(arguments)
    #expect(run.status == 2)
    #expect(run.output.isEmpty && run.notes.hasPrefix("error: ") && !run.notes.contains("Error:"), "\(run.notes)")
  }

  @Test(
    "what is not there: 4, with the nearest name",
    arguments: [
      (["show", "gpt22"], "'gpt2'"), (["diff", "gpt2", "lama-2-7b"], "'llama-2-7b'"),
      (["list", "--family", "gpt33"], "'gpt3'"),
      (["list", "--component", "rop"], "'rope'"), (["components", "rms_norm"], "'rmsnorm'"),
    ])
  func notFound(_ arguments: [String], _ near: String) throws {
    let run = try Command(arguments)
    #expect(run.status == 4 && run.output.isEmpty)
    #expect(run.notes.hasPrefix("error: ") && run.notes.contains("did you mean \(near)?"), "\(run.notes)")
  }

  @Test("a broken spec: 3, with its places", arguments: ["show", "diff", "check"])
  func broken(_ command: String) throws {
    try withTemporaryFolder { folder in
      let file = try folder.write(
        "extends: gpt2\nnorm: {type: rms_norm, eps: 1.0e-5}\nattention: {num_head: 12}\n", to: "a.yaml")
      let run = try Command(command == "diff" ? ["diff", "gpt2", file] : [command, file])
      #expect(run.status == 3 && run.output.isEmpty)
      #expect(run.notes.contains("\(file):2:14: error: no normalization is named 'rms_norm'\n"))
      #expect(run.notes.contains("did you mean 'rmsnorm'?"))
      #expect(run.notes.contains("\(file):3:13: error: no option here is named 'num_head'\n"), "every mistake at once")
    }
  }

  @Test("sizes beyond counting are an error, not a trap")
  func tooLarge() throws {
    let sizes = ["hidden_size", "vocab_size", "mlp.intermediate_size"].flatMap { ["--set", "\($0)=2147483647"] }
    let run = try Command(["show", "llama-2-7b", "--set", "attention.head_dim=64"] + sizes)
    #expect(run.status == 3 && run.notes.contains("too large"))
    let long = try Command("show", "llama-2-7b", "--set", "hidden_size=16777216", "--context", "2147483647")
    #expect(long.status == 2 && long.notes.contains("--context"))
  }

  @Test(
    "no colour and no cursor movement where there is no terminal",
    arguments: [
      ["list"], ["show", "gpt2"], ["diff", "gpt2", "gpt2-medium"], ["components"], ["--help"],
    ])
  func plain(_ arguments: [String]) throws {
    let run = try Command(arguments)
    #expect(run.status == 0)
    #expect(!(run.output + run.notes).contains { $0 == "\u{1B}" || $0 == "\r" })
  }

  @Test(
    "--json is one document",
    arguments: [
      ["list", "--json"], ["show", "gpt2", "--json"], ["show", "gpt2", "--plan", "--json"],
      ["diff", "gpt2", "llama-7b", "--json"], ["components", "--json"], ["components", "rope", "--json"],
      ["schema"],
    ])
  func json(_ arguments: [String]) throws {
    let run = try Command(arguments)
    #expect(run.status == 0 && run.notes.isEmpty)
    _ = try JSONValue(parsing: run.output)
  }
}

extension JSONValue {
  init(parsing text: String) throws {
    var text = text
    self = try text.withUTF8 { try JSONValue(parsing: UnsafeRawBufferPointer($0), name: "output") }
  }
}
