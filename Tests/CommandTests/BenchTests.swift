import Files
import Foundation
import Testing

@Suite("chimera bench")
struct BenchTests {
  private static let tiny = ["bench", "story-llama", "-r", "2", "-t", "1"]

  @Test(
    "what cannot be measured is a mistake of usage: 2",
    arguments: [
      (["bench"], "give a model"), (["bench", "--info", "gpt2"], "--info"),
      (["bench", "gpt2", "-r", "0"], "--repetitions"),
      (["bench", "gpt2", "-b", "0"], "--batch"), (["bench", "gpt2", "-b", "1,,2"], "batch"),
      (["bench", "gpt2", "-t", "0"], "--threads"),
      (["bench", "gpt2", "-p", "-1"], "prompt"), (["bench", "gpt2", "--context-depth", "-1"], "context-depth"),
      (["bench", "gpt2", "--weights-type", "q9"], "q8_0"), (["bench", "gpt2", "--csv", "--json"], "--json"),
      (["bench", "gpt2", "--weights", "x", "--weights-type", "f32"], "exclude each other"),
      (["bench", "gpt2", "--cold", "--weights-type", "f32"], "--cold"),
      (["bench", "gpt2", "--cold", "--csv"], "--json"),
      (["bench", "--info", "--markdown"], "--json"), (["bench", "gpt2", "--pass-rows", "0"], "--pass-rows"),
      (["bench", "gpt2", "--cache", "q4_0"], "q8_0"),
      (["bench", "--product", "4x32"], "--product"), (["bench", "--product", "4x32x0"], "--product"),
      (["bench", "gpt2", "--product", "4x32x32"], "--product"),
      (["bench", "gpt2", "--against", "ollama=x"], "--against"),
      (["bench", "gpt2", "--against", "llama.cpp=x", "-b", "2"], "--batch"),
      (["bench", "gpt2", "--against", "llama.cpp=x"], "GGUF"),
      (["bench", "--product", "4x32x40", "--weights-type", "q8_0"], "32"),
      (["bench", "gpt2", "--scaling", "depth"], "scaling"), (["bench", "gpt2", "--html", "x"], "--html"),
      (["bench", "gpt2", "--scaling", "batch", "--json"], "--json"),
      (["bench", "gpt2", "--scaling", "experts"], "num_experts"),
      (["bench", "bert-base-uncased", "--scaling", "context"], "continue one text"),
      (["bench", "gpt2", "--scaling", "context", "-p", "512,1025"], "1,024"),
      (["bench", "gpt2", "-p", "1025"], "1024"), (["bench", "gpt2", "--context-depth", "1000"], "1512"),
    ])
  func usage(_ arguments: [String], _ word: String) throws {
    let run = try Command(arguments)
    #expect(run.status == 2 && run.output.isEmpty)
    #expect(run.notes.contains(word), "\(run.notes)")
  }

  @Test("what is not there: 4", arguments: [["bench", "gpt22"], ["bench", "gpt2-large", "--cold"]])
  func notFound(_ arguments: [String]) throws {
    let run = try Command(
      arguments, environment: ["CHIMERA_MODELS": "", "HF_HOME": "/nowhere", "HF_HUB_CACHE": "/nowhere"])
    #expect(run.status == 4 && run.output.isEmpty)
    #expect(run.notes.contains("error: "))
  }

  @Test("a model too large for the machine is refused before anything is made: 1")
  func tooLarge() throws {
    let run = try Command("bench", "llama-3.1-405b", "--weights-type", "f32")
    #expect(run.status == 1 && run.output.isEmpty && run.notes.contains("memory"))
  }

  /// Every number in `value` is finite: JSON has no others, so every field must be there and be a number.
  private func samples(_ value: JSONValue?) throws -> [Double] {
    let object = try #require(value?.object)
    for key in ["mean", "deviation", "median", "min", "max"] {
      #expect(try #require(object[key]?.number).isFinite)
    }
    let samples = try #require(object["samples"]?.array).compactMap(\.number)
    #expect(samples.min() == object["min"]?.number && samples.max() == object["max"]?.number)
    return samples
  }

  @Test("a row has every field, and they agree")
  func json() throws {
    let run = try Command(Self.tiny + ["-p", "16", "-n", "8", "-b", "1,2", "--json", "--profile"])
    #expect(run.status == 0)
    let document = try JSONValue(parsing: run.output)
    #expect(document["model"]?.string == "story-llama" && document["parameters"]?.integer == 3_105_216)
    #expect(document["machine"]?["kernels"]?.string != nil && document["machine"]?["memory_bytes"]?.integer ?? 0 > 0)
    let rows = try #require(document["rows"]?.array)
    #expect(rows.compactMap { $0["test"]?.string } == ["prompt", "generation", "generation"])
    #expect(rows.compactMap { $0["tokens"]?.integer } == [16, 8, 8])
    #expect(rows.compactMap { $0["batch"]?.integer } == [1, 1, 2])
    for row in rows {
      #expect(row["threads"]?.integer == 1 && row["repetitions"]?.integer == 2 && row["context_depth"]?.integer == 0)
      #expect(row["weights_type"]?.string == "bf16" && row["peak_arithmetic"]?.string != nil)
      for key in ["tokens_per_second", "bytes_per_second", "flops_per_second", "share_of_read_limit", "share_of_peak"] {
        let values = try samples(row[key])
        #expect(values.count == 2 && values.allSatisfy { $0 > 0 }, "\(key)")
      }
      for key in ["read_limit_bytes_per_second", "peak_flops_per_second"] {
        #expect(try samples(row[key]).count == 3, "before, between and after: \(key)")
      }
      let tokens = Double((row["tokens"]?.integer ?? 0) * (row["batch"]?.integer ?? 0))
      let speed = try #require(row["tokens_per_second"]?["median"]?.number)
      let flops = try #require(row["flops"]?.number)
      let rate = try #require(row["flops_per_second"]?["median"]?.number)
      #expect(abs(rate / (speed * flops / tokens) - 1) < 0.5, "the same seconds")
      let phase = row["test"]?.string ?? ""
      let profile = try #require(row["profile"]?[phase]?.object)
      #expect(profile["tokens"]?.integer == Int(tokens))
      #expect(try #require(profile["operators"]?.array).contains { $0["name"]?.string == "linear" })
      #expect(try #require(profile["places"]?.array).contains { $0["name"]?.string == "mlp.down" })
    }
  }

  @Test("generation reads each matrix of the layers and the head once a token, whatever the batch")
  func weightBytes() throws {
    let run = try Command(Self.tiny + ["-p", "0", "-n", "3", "-b", "1,4", "-r", "1", "--json"])
    let rows = try #require(JSONValue(parsing: run.output)["rows"]?.array)
    // 6 layers of 192 × (4 · 192 + 3 · 528) and the tied head of 2048 × 192, two bytes each.
    #expect(rows.compactMap { $0["weight_bytes"]?.number } == [3 * 6_205_440, 3 * 6_205_440])
  }

  @Test("synthetic weights take the format that is asked for", arguments: ["f32", "bf16", "q8_0", "q4_0", "q6_k"])
  func synthetic(_ format: String) throws {
    // Widths of 256, so that K-quants fit.
    let run = try Command(
      "bench", "story-llama", "--set", "hidden_size=256", "--set", "attention.num_heads=4", "--set",
      "mlp.intermediate_size=512", "--weights-type", format, "-p", "4",
      "-n", "2", "-r", "1", "-t", "1", "--json")
    #expect(run.status == 0, "\(run.notes)")
    let rows = try #require(JSONValue(parsing: run.output)["rows"]?.array)
    #expect(rows.count == 2 && rows.allSatisfy { $0["weights_type"]?.string == format })
  }

  @Test("products are told with their size, in each format")
  func products() throws {
    let run = try Command(
      "bench", "--product", "24x48x64,3x32x64", "--weights-type", "f32,q8_0", "-r", "2", "-t", "1", "--json")
    #expect(run.status == 0, "\(run.notes)")
    let rows = try #require(JSONValue(parsing: run.output)["rows"]?.array)
    #expect(rows.compactMap { $0["weights_type"]?.string } == ["f32", "f32", "q8_0", "q8_0"])
    #expect(rows.compactMap { $0["product"]?["outputs"]?.integer } == [48, 32, 48, 32])
    for row in rows {
      #expect(row["test"]?.string == "product")
      let times = try #require(row["weight_bytes"]?.number) / (row["weights_type"]?.string == "f32" ? 4 : 34.0 / 32)
      let perWeight = try #require(row["flops"]?.number) / times
      #expect(perWeight == 2 * Double(row["product"]?["rows"]?.integer ?? 0), "two operations for each weight and row")
      #expect(try samples(row["flops_per_second"]).allSatisfy { $0 > 0 })
    }
  }

  /// A folder with story-llama as a GGUF file, and a program that answers as llama-bench does.
  private func withRival(_ answer: String, _ body: ([String]) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let (model, rival) = (folder.path + "/story.gguf", folder.path + "/llama-bench")
      try #require(Command("save", "story-llama", "--to", "gguf", "--output", model).status == 0)
      try "#!/bin/sh\necho \"$@\" >> \(folder.path)/asked\n\(answer)\n".write(
        toFile: rival, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: rival)
      try body([
        "bench", model, "-r", "2", "-t", "1", "-p", "4", "-n", "2", "--context-depth", "3", "--against",
        "llama.cpp=" + rival, "--json", folder.path + "/asked",
      ])
    }
  }

  @Test("a rival is asked for the same work, once a repetition, and its ratio told for each turn")
  func rival() throws {
    try withRival("echo '[{\"avg_ts\": 50.0}]'") { arguments in
      let run = try Command(Array(arguments.dropLast()))
      #expect(run.status == 0, "\(run.notes)")
      let rows = try #require(JSONValue(parsing: run.output)["rows"]?.array)
      #expect(rows.count == 2)
      for row in rows {
        #expect(row["rival"]?.string == "llama.cpp")
        #expect(try samples(row["rival_tokens_per_second"]) == [50, 50])
        let (ours, ratios) = (try samples(row["tokens_per_second"]), try samples(row["ratio_to_rival"]))
        #expect(ratios == ours.map { $0 / 50 })
      }
      let asked = try String(contentsOfFile: arguments[arguments.count - 1], encoding: .utf8).split(separator: "\n")
      #expect(asked.count == 4 && asked.allSatisfy { $0.contains("-t 1") && $0.contains("-d 3") })
      #expect(asked.prefix(2).allSatisfy { $0.contains("-p 4 -n 0") || $0.contains("-n 0") && $0.contains("-p 4") })
      #expect(asked.suffix(2).allSatisfy { $0.contains("-n 2") && $0.contains("-p 0") })
    }
  }

  @Test(
    "a rival that fails or answers something else is no number: 1", arguments: ["exit 3", "echo '[{}]'", "echo no"])
  func brokenRival(_ answer: String) throws {
    try withRival(answer) { arguments in
      let run = try Command(Array(arguments.dropLast()))
      #expect(run.status == 1 && run.output.isEmpty && run.notes.contains("llama-bench"), "\(run.notes)")
    }
  }

  @Test("tables have a line a row")
  func tables() throws {
    let arguments = Self.tiny + ["-p", "4", "-n", "2", "-r", "1"]
    let text = try Command(arguments)
    #expect(text.output.split(separator: "\n").count == 4 && text.output.contains("generate 2"))
    let markdown = try Command(arguments + ["--markdown"]).output.split(separator: "\n")
    #expect(markdown.count == 4 && markdown.allSatisfy { $0.hasPrefix("| ") && $0.hasSuffix(" |") })
    let csv = try Command(arguments + ["--csv"]).output.split(separator: "\n").map { $0.split(separator: ",") }
    #expect(csv.count == 3 && csv.allSatisfy { $0.count == csv[0].count })
    #expect(csv[0].contains("tokens_per_second_mean"))
  }

  @Test("the machine is told with what it gives")
  func info() throws {
    let machine = try JSONValue(parsing: Command("bench", "--info", "--json", "-t", "1").output)
    let limits = try #require(machine["limits"]?.array?.first)
    #expect(limits["threads"]?.integer == 1)
    #expect(try #require(limits["read_bytes_per_second"]?.number) > 0)
    #expect(try #require(limits["f32_flops_per_second"]?.number) > 0)
    let levels = try #require(machine["available_kernels"]?.array)
    #expect(levels.contains { $0.string == machine["kernels"]?.string })
    let portable = try JSONValue(
      parsing: Command(["bench", "--info", "--json", "-t", "1"], environment: ["CHIMERA_KERNELS": "portable"]).output)
    #expect(portable["kernels"]?.string == "portable")
    #expect(try Command("bench", "--info", "-t", "1").output.contains("memory GB/s"))
  }

  @Test("a cold start has a first token before its end")
  func cold() throws {
    let run = try Command("bench", "story-llama", "--cold", "-r", "2", "-t", "1", "--json")
    #expect(run.status == 0, "\(run.notes)")
    let row = try #require(JSONValue(parsing: run.output)["rows"]?.array?.first)
    let (first, end) = (try samples(row["first_token_seconds"]), try samples(row["process_seconds"]))
    #expect(first.count == 2 && zip(first, end).allSatisfy { $0 > 0 && $0 <= $1 })
    #expect(try #require(row["peak_memory_bytes"]?.integer) > 1 << 20)
  }

  @Test("run --profile tells where the time went, on standard error")
  func profile() throws {
    let arguments = ["run", "story-llama", "Once upon a time", "--temperature", "0", "--max-tokens", "5"]
    let plain = try Command(arguments)
    let profiled = try Command(arguments + ["--profile"])
    #expect(profiled.status == 0 && profiled.output == plain.output)
    #expect(!plain.notes.contains("attn.attend"))
    for word in [" in 1 pass,", "generation: 4 tokens in 4 passes", "linear", "attn.q", "mlp.down", "GFLOP/s", "GB/s"] {
      #expect(profiled.notes.contains(word), "\(word)")
    }
    let document = try JSONValue(parsing: Command(arguments + ["--profile", "--json", "--quiet"]).output)
    #expect(document["profile"]?["generation"]?["passes"]?.integer == 4)
  }

  @Test("the growth of a cost is measured and drawn", arguments: ["context", "batch", "threads"])
  func scaling(_ kind: String) throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "scaling-\(UUID().uuidString).html")
    defer { try? FileManager.default.removeItem(at: file) }
    let run = try Command([
      "bench", "story-llama", "--scaling", kind, "-p", "16,32", "-b", "1,2", "-t", kind == "threads" ? "1,2" : "1",
      "-r",
      "1", "--html", file.path,
    ])
    #expect(run.status == 0, "\(run.notes)")
    #expect(run.output.contains("One generated token") && run.output.contains("expected"))
    #expect(run.output.contains("A prompt") == (kind != "batch"))
    let page = try String(contentsOf: file, encoding: .utf8)
    #expect(page.contains("<svg") && page.contains("How the cost of story-llama grows"))
  }
}
