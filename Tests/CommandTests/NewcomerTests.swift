import Foundation
import Testing

@Suite("tried as a new user would")
struct NewcomerTests {
  @Test(
    "a word of the field that is written in other words is answered with the line, never with a name that looks alike",
    arguments: [
      ("mlp.activation=swiglu", "mlp: {gated: true, activation: silu}"), ("mlp.activation=geglu", "activation: gelu}"),
      ("mlp.activation=reglu", "activation: relu}"), ("mlp=swiglu", "mlp: {gated: true, activation: silu}"),
      ("mlp.swiglu=true", "mlp: {gated: true, activation: silu}"),
      ("swiglu=true", "mlp: {gated: true, activation: silu}"),
      ("mlp.activation=gelu_new", "activation: gelu_tanh"), ("mlp.activation=swish", "activation: silu"),
      ("attention=gqa", "attention: {num_kv_heads: 4}"), ("attention=mqa", "attention: {num_kv_heads: 1}"),
      ("attention=mha", "attention: {num_kv_heads: 12}"), ("attention.sliding_window=3", "attention: {window: 512}"),
      ("qk_norm=true", "attention: {qk_norm: {}}"), ("window=3", "attention: {window: 512}"),
      ("position=nope", "position: none"), ("position=yarn", "scaling: {type: yarn"),
      ("position=rotary", "position: rope"), ("block.placement=prenorm", "block: {placement: pre}"),
      ("mlp=mixture_of_experts", "mlp: {type: moe"), ("head.weight_tying=true", "head: {tied: true}"),
    ])
  func fieldWords(_ change: String, _ line: String) throws {
    let run = try Command("check", "gpt2", "--set", change)
    #expect(run.status == 3 && run.output.isEmpty, "\(run.status)")
    #expect(run.notes.contains("is written  ") && run.notes.contains(line), "\(run.notes)")
    #expect(!run.notes.contains("did you mean"), "\(run.notes)")
  }

  @Test(
    "components answers such a word with its line",
    arguments: ["gqa", "MQA", "yarn", "window", "qk_norm", "nope", "swi-glu"])
  func components(_ word: String) throws {
    let run = try Command("components", word)
    #expect(run.status == 0 && run.output.contains("is written  "), "\(run.output)\(run.notes)")
    let listed = try Command("list", "--component", word)
    #expect(listed.status == 4 && listed.notes.contains("is written  "), "\(listed.notes)")
  }

  @Test(
    "a name that means several models is answered with them",
    arguments: [
      ("llama-3", "llama-3-8b"), ("gpt-3", "gpt3-small"), ("gpt3", "gpt3-175b"), ("llama-3.1", "llama-3.1-405b"),
    ])
  func families(_ name: String, _ member: String) throws {
    let run = try Command("show", name)
    #expect(run.status == 4 && run.notes.contains(member), "\(run.notes)")
    try withTemporaryFolder { folder in
      let spec = try Command("check", try folder.write("extends: \(name)\n", to: "a.yaml"))
      #expect(spec.status == 3 && spec.notes.contains(member) && !spec.notes.contains("did you mean"), "\(spec.notes)")
    }
  }

  @Test("every mistake of a file comes at once: of its own keys, of its layers, and of the components that it chooses")
  func atOnce() throws {
    try withTemporaryFolder { folder in
      let file = try folder.write(
        """
        extends: gpt2
        vocab_sizee: 3
        norm: rms_norm
        mlp: {activation: swiglu, gatd: true}
        position: {type: rope, thta: 3}
        layers: {count: 3, patern: [a]}
        """, to: "a.yaml")
      let run = try Command("check", file)
      #expect(run.status == 3)
      for place in ["2:1", "3:7", "4:19", "4:27", "5:24", "6:20"] {
        #expect(run.notes.contains("\(file):\(place): error: "), "\(place): \(run.notes)")
      }
      // Sizes that are wrong decide all else, which is not told then.
      let sizes = try Command("check", "gpt2", "--set", "hidden_size=x", "--set", "norm=rms_norm")
      #expect(sizes.status == 3 && sizes.notes.contains("'hidden_size' takes an integer"), "\(sizes.notes)")
    }
  }

  @Test("every mistake of a command line, and of a run's data, model and settings, comes at once")
  func runAtOnce() throws {
    let run = try Command("run", "story-llama", "--temperature=-1", "--top-p", "3", "--top-k=-2")
    #expect(run.status == 2)
    for option in ["--temperature", "--top-p", "--top-k"] {
      #expect(run.notes.contains("error: \(option) takes"), "\(run.notes)")
    }
    let train = try Command(
      "train", "gpt2", "--set", "norm=rms_norm", "--data", "/no/data", "--tokenizer", "/no/tokenizer", "--out",
      "/tmp/none",
      "--optimizer", "adam")
    #expect(train.status == 3, "\(train.status)")
    for part in ["'rms_norm'", "/no/data: error", "/no/tokenizer: error", "'adam'"] {
      #expect(train.notes.contains(part), "\(part): \(train.notes)")
    }
    #expect(!FileManager.default.fileExists(atPath: "/tmp/none"))
  }

  @Test("a tokenizer that nobody has fails at check", arguments: ["nofile", "{file: nofile.json}", "{fil: a}"])
  func tokenizer(_ value: String) throws {
    try withTemporaryFolder { folder in
      let file = try folder.write("extends: gpt2\ntokenizer: \(value)\n", to: "a.yaml")
      let run = try Command("check", file)
      #expect(run.status == 3 && run.notes.contains("\(file):2:"), "\(run.notes)")
      let right = try Command("check", try folder.write("extends: gpt2\ntokenizer: llama-3\n", to: "b.yaml"))
      #expect(right.status == 0, "\(right.notes)")
    }
  }

  @Test("weights of another model are told in one sentence before any list")
  func wrongWeights() throws {
    let weights = Command.package.path + "/Models/story-llama"
    let run = try Command("check", "gpt2", "--weights", weights)
    #expect(run.status == 3)
    let first = run.notes.split(separator: "\n").first ?? ""
    #expect(first.hasPrefix("error: ") && first.contains("these weights are a llama's, "), "\(run.notes)")
    #expect(first.contains("the spec 'gpt2' is a gpt2, 12 layers × 768"), "\(run.notes)")
    #expect(run.notes.split(separator: "\n").count < 24, "\(run.notes)")
    let sizes = try Command("check", "gpt2", "--weights", weights + "/model.safetensors")
    #expect(sizes.notes.hasPrefix("error: ") && sizes.notes.contains("layers × "), "\(sizes.notes)")
  }

  @Test("trained weights in another wiring are told, and in their own are not")
  func wiring() throws {
    let run = { (changes: [String]) in
      try Command(["run", "story-llama", "a", "-n", "2", "-q", "--threads", "1"] + changes.flatMap { ["--set", $0] })
    }
    let other = try run(["position=none"])
    #expect(other.status == 0 && other.notes.contains("trained with another wiring"), "\(other.notes)")
    #expect(other.notes.contains("position rope → none"), "\(other.notes)")
    for own in [[], ["context_length=100"], ["position=rope"]] {
      let same = try run(own)
      #expect(same.status == 0 && !same.notes.contains("wiring"), "\(own): \(same.notes)")
    }
  }

  @Test(
    "what was meant by a command line is said, in one style",
    arguments: [
      (["run", "story-llama", "once", "upon", "a", "time"], "stands in quotes"),
      (["show", "gpt2", "--set", "position", "rope"], "--set position=rope"),
      (["train", "gpt2", "--data", "x", "--out", "y", "--learning-rate", "3"], "it is --lr"),
      (["train", "gpt2", "--data", "x", "--out", "y", "--epochs", "3"], "it is --steps"),
      (["talk", "m"], "chimera chat"), (["run", "story-llama", ""], "the prompt is empty"),
      (["list", "llama"], "chimera list | grep llama"), (["download", "gpt2"], "it is 'chimera pull'"),
    ])
  func commandLines(_ arguments: [String], _ hint: String) throws {
    let run = try Command(arguments)
    #expect(run.status == 2 && run.output.isEmpty, "\(run.status)")
    #expect(run.notes.hasPrefix("error: ") && run.notes.contains(hint), "\(run.notes)")
  }

  @Test("a PyTorch pickle is called one, and what to do is said")
  func pickles() throws {
    try withTemporaryFolder { folder in
      for (name, bytes) in [
        ("model.pt", [0x80, 0x02, 0x8A] as [UInt8]), ("model.bin", [0x50, 0x4B, 3, 4, 0]), ("m.pth", [1, 2]),
      ] {
        let file = folder.appending(path: name)
        try Data(bytes).write(to: file)
        for command in [["run", file.path], ["check", "gpt2", "--weights", file.path]] {
          let run = try Command(command)
          #expect(
            run.status == 3 && run.notes.contains("PyTorch pickle") && run.notes.contains("safetensors"), "\(run.notes)"
          )
        }
      }
    }
    let hub = try Command("run", "openai-community/gpt2", environment: ["HF_HUB_CACHE": "/none"])
    #expect(
      hub.status == 4 && hub.notes.contains("'chimera pull openai-community/gpt2'") && hub.notes.contains("'gpt2'"),
      "\(hub.notes)")
    let missing = try Command("run", "gpt2", "Hi", environment: ["HF_HUB_CACHE": "/none"])
    #expect(
      missing.status == 4 && missing.notes.contains("'chimera pull gpt2' fetches them from openai-community/gpt2"),
      "\(missing.notes)")
  }

  @Test("more threads than processors are told")
  func threads() throws {
    let run = try Command("run", "story-llama", "a", "-n", "1", "-q", "--threads", "1000")
    #expect(run.status == 0 && run.notes.contains("--threads 1000 is more than the"), "\(run.notes)")
    #expect(try Command("run", "story-llama", "a", "-n", "1", "-q", "--threads", "1").notes.isEmpty)
  }

  @Test("the environment variables that the program reads stand in its help")
  func environment() throws {
    let help = try Command("--help").output
    let sources = Command.package.appending(path: "Sources")
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    var names: Set<String> = []
    for case let file as URL in files ?? .init() where ["swift", "c", "h"].contains(file.pathExtension) {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: /"(CHIMERA_[A-Z]+)"|environment\["([A-Z_]+)"(?!\] = )/) {
        names.insert(String(match.output.1 ?? match.output.2 ?? ""))
      }
    }
    #expect(names.contains("CHIMERA_CACHE") && names.contains("CHIMERA_KERNELS"))
    for name in names.subtracting(["HOME"]) { #expect(help.contains(name), "\(name)") }
  }
}

@Suite("a study's mistakes")
struct StudyMistakeTests {
  @Test("come at once: of its own keys, of its base's changes, of its arms")
  func atOnce() throws {
    try withTemporaryFolder { folder in
      let study = try folder.write(
        """
        ablation: q
        base: gpt2-nano
        seedss: 3
        data: ./text.txt
        hold: {parms: 1%}
        arms:
          a: {norm: rms_norm}
          b: {mlp: {activation: swiglu}}
        """, to: "q.yaml")
      _ = try folder.write("text", to: "text.txt")
      let run = try Command("ablate", study, "--out", folder.path + "/out")
      #expect(run.status == 3)
      for part in ["'seedss'", "'parms'", "'rms_norm'", "mlp: {gated: true, activation: silu}"] {
        #expect(run.notes.contains(part), "\(part): \(run.notes)")
      }
    }
  }
}
