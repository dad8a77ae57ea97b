import Files
import Foundation
import Testing

#if os(Linux)
  /// Components of packages of their own: built once for all of these tests.
  @Suite("plugins", .serialized)
  struct PluginTests {
    /// The packages that were written from the guide alone, in a folder for this run.
    private static let written = Result { try Written() }

    /// The three libraries in one folder.
    struct Written {
      let folder: URL
      let libraries: [String: String]

      init() throws {
        folder = try temporaryFolder()
        var libraries: [String: String] = [:]
        let build = try PluginBuild()
        for type in ["DyT", "XPos", "DifferentialAttention"] {
          let package = folder.appending(path: type)
          try FileManager.default.copyItem(at: Command.package.appending(path: "Tests/External/\(type)"), to: package)
          if PluginBuild.buildsPackages {
            let manifest = package.appending(path: "Package.swift")
            let text = try String(contentsOf: manifest, encoding: .utf8)
            try text.replacing("\"../../..\"", with: "\"\(Command.package.path)\"").write(
              to: manifest, atomically: true, encoding: .utf8)
          }
          libraries[type] = try build.library(type, in: package).path
        }
        self.libraries = libraries
      }

      /// The arguments that load all three.
      var arguments: [String] { libraries.keys.sorted().flatMap { ["--plugin", libraries[$0] ?? ""] } }
    }

    private var written: Written { get throws { try Self.written.get() } }

    /// A small hybrid that has all three in it.
    private func hybrid(in folder: URL) throws -> String {
      try folder.write(
        """
        extends: gpt2-nano
        hidden_size: 16
        position: {type: xpos, fraction: 0.5}
        norm: dyt
        attention: {num_heads: 2}
        layers: {count: 2, overrides: [{layers: 0, attention: {type: differential_attention, num_heads: 2}}]}
        mlp: {intermediate_size: 32}

        """, to: "hybrid.yaml")
    }

    @Test("three from the guide alone are conformant")
    func conformant() throws {
      for (name, slot) in [("dyt", "norm"), ("xpos", "position"), ("differential_attention", "attention")] {
        let run = try Command(try written.arguments + ["check-component", name])
        #expect(run.output == "\(slot) \(name): conformant\n", "\(run.notes)")
      }
      let listed = try Command(try written.arguments + ["components"]).output
      #expect(listed.contains("differential_attention"))
      #expect(
        try Command("components").output.contains("differential_attention") == false, "only where it is asked for")
    }

    @Test("their steps are probed like any")
    func probed() throws {
      try withTemporaryFolder { folder in
        let path = try hybrid(in: folder)
        let arguments = try written.arguments + ["probe", path, "--random-weights", "--tokens", "1,2,3,4,5"]
        let heads = try Command(arguments + ["--all", "heads", "--json"])
        #expect(try JSONValue(parsing: heads.output)["effects"]?.array?.count == 4, "\(heads.notes)")
        let recorded = try Command(arguments + ["--record", "layers.0.*", "--record", "layers.1.attn.q.*"])
        #expect(recorded.status == 0 && recorded.output.contains("layers.1.attn.q.xpos"), "\(recorded.output)")
      }
    }

    @Test("a server of a model that they are in begins with them, and not without")
    func served() throws {
      try withTemporaryFolder { folder in
        // An address of no machine, so that it ends before it listens; what it serves is told before.
        let arguments = ["serve", try hybrid(in: folder), "--random-weights", "--host", "203.0.113.1", "--no-token"]
        let run = try Command(try written.arguments + arguments)
        #expect(run.notes.contains("hybrid: KV cache"), "\(run.notes)")
        let without = try Command(arguments)
        #expect(without.status == 3 && without.notes.contains("differential_attention"), "\(without.notes)")
      }
    }

    @Test("three from the guide alone run in one hybrid, train, and appear in an ablation")
    func used() throws {
      try withTemporaryFolder { folder in
        let environment = ["CHIMERA_CACHE": folder.path + "/cache"]
        let (spec, plugins) = (try hybrid(in: folder), try written.arguments)
        let text = try folder.write(
          String(repeating: "the cat sat on the mat, and the dog ran.\n", count: 200), to: "text.txt")
        let train = try Command(
          plugins + [
            "train", spec, "--data", text, "--tokenizer", "char", "--out", folder.path + "/run", "--steps", "100",
          ]
            + ["--batch", "4", "--context", "16", "--lr", "3e-2", "--threads", "1", "--quiet"], environment: environment
        )
        #expect(train.status == 0, "\(train.notes)")
        let lines = try String(contentsOf: folder.appending(path: "run/metrics.jsonl"), encoding: .utf8).split(
          separator: "\n")
        let losses = try lines.compactMap { try JSONValue(parsing: String($0))["loss"]?.number }
        #expect((losses.last ?? 9) < (losses.first ?? 0) - 0.2, "\(losses)")
        let run = try Command(
          plugins + ["run", folder.path + "/run", "the ", "--max-tokens", "8"], environment: environment)
        #expect(run.status == 0, "\(run.notes)")
        let without = try Command(["run", folder.path + "/run", "the "], environment: environment)
        #expect(without.status == 3 && without.notes.contains("differential_attention"), "\(without.notes)")
        let study = try Command(
          plugins + ["ablate", "gpt2-mini", "--vary", "norm=layernorm,dyt", "--seeds", "1", "--data", text]
            + ["--train", "steps=4", "--out", folder.path + "/study"] + AblateTests.tiny, environment: environment)
        #expect(study.status == 0, "\(study.notes)")
        #expect(study.output.contains("dyt"))
      }
    }

    @Test("a library is found by an option, the environment and the user's configuration, and loaded once")
    func places() throws {
      try withTemporaryFolder { folder in
        let library = try #require(try written.libraries["DyT"])
        _ = try folder.write("plugins: [\(library)]\n", to: "config/chimera/config.yaml")
        let configured = ["XDG_CONFIG_HOME": folder.path + "/config"]
        for (arguments, environment) in [
          (["--plugin=" + library], [:]), ([], ["CHIMERA_PLUGINS": library]), ([], configured),
          (["--plugin", library], configured.merging(["CHIMERA_PLUGINS": library]) { $1 }),
        ] as [([String], [String: String])] {
          let run = try Command(["components", "dyt"] + arguments, environment: environment)
          #expect(run.status == 0 && run.output.hasPrefix("norm: dyt\n"), "\(run.notes)")
        }
        _ = try folder.write("plugin: [x]\n", to: "config/chimera/config.yaml")
        let wrong = try Command(["components"], environment: configured)
        #expect(
          wrong.status == 3 && wrong.notes.contains("no key of the configuration is named 'plugin'"), "\(wrong.notes)")
        let spec = try folder.write("extends: gpt2\nplugins: [\(library)]\n", to: "mine.yaml")
        #expect(try Command("check", spec).status == 3, "no spec names a library")
      }
    }

    @Test("two plugins with one name are refused with both paths, and one with the name of a built-in")
    func sameName() throws {
      try withTemporaryFolder { folder in
        let library = try #require(try written.libraries["DyT"])
        let copy = folder.appending(path: "libCopy.so")
        try FileManager.default.copyItem(atPath: library, toPath: copy.path)
        let run = try Command("--plugin", library, "--plugin", copy.path, "components")
        #expect(run.status == 3)
        #expect(
          run.notes.contains(
            "\(copy.path): error: its component 'dyt' of the slot 'norm' has the name of one of \(library)"),
          "\(run.notes)")
      }
    }

    @Test("a wrong library is refused with one sentence, and nothing of it runs")
    func wrong() throws {
      try withTemporaryFolder { folder in
        let library = try #require(try written.libraries["DyT"])
        let good = [UInt8](try Data(contentsOf: URL(fileURLWithPath: library)))
        func refusal(_ bytes: [UInt8], mode: Int = 0o755) throws -> String {
          let file = folder.appending(path: "libX.so")
          try? FileManager.default.removeItem(at: file)
          try Data(bytes).write(to: file)
          chmod(file.path, mode_t(mode))
          let run = try Command("--plugin", file.path, "components")
          #expect(run.status == 3 && run.output.isEmpty, "\(run.status) \(run.output)")
          #expect(run.notes.split(separator: "\n").count == 1, "\(run.notes)")
          return run.notes.replacing(file.path + ": error: ", with: "")
        }
        /// The library with the text that stands behind `key` in its mark changed.
        func changed(_ key: String) throws -> [UInt8] {
          var bytes = good
          let mark = Array("chimera-plugin entry=".utf8)
          let start = try #require(bytes.firstRange(of: mark)?.lowerBound)
          let place = try #require(bytes[start...].firstRange(of: Array(key.utf8))?.upperBound)
          bytes[place] = bytes[place] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
          return bytes
        }
        #expect(try refusal([]).hasPrefix("this is not a dynamic library: it has 0 bytes"))
        #expect(
          try refusal(Array(String(repeating: "hello ", count: 40).utf8)).hasPrefix("this is not a dynamic library"))
        #expect(try refusal(Array(good[..<4096])).hasPrefix("this library is cut short"))
        var other = good
        other[18] = 40
        #expect(try refusal(other).hasPrefix("this library is for another processor"))
        other = good
        other[16] = 1
        #expect(try refusal(other).hasPrefix("this is a program or an object file"))
        #expect(try refusal(good, mode: 0o777).hasPrefix("anyone may write it"))
        #expect(try refusal(changed(" interface=")).hasPrefix("built against the interface "))
        #expect(
          try refusal(changed(" compiler=clang version ".replacing("clang version ", with: ""))).hasPrefix("built by "))
        #expect(
          try refusal(changed("entry=")).hasPrefix("it names the entry point '1himera_plugin_DyT', which is not there"))
        let plain = try PluginBuild().products.appending(path: "libChimeraPlugin.so")
        #expect(try refusal([UInt8](Data(contentsOf: plain))).hasPrefix("this library has no entry point"))
        let missing = try Command("--plugin", folder.path + "/libNone.so", "components")
        #expect(missing.status == 4 && missing.notes.contains("there is no such file"), "\(missing.notes)")
      }
    }

    @Test(
      "a library whose initialiser crashes, waits for ever or speaks of something else is refused, and the program goes on"
    )
    func crashing() throws {
      try withTemporaryFolder { folder in
        let library = try #require(try written.libraries["DyT"])
        let good = [UInt8](try Data(contentsOf: URL(fileURLWithPath: library)))
        let start = try #require(good.firstRange(of: Array("chimera-plugin entry=".utf8))?.lowerBound)
        let mark = String(decoding: good[start...].prefix { $0 != 0 }, as: UTF8.self)
        func refusal(_ body: String) throws -> String {
          let source = try folder.write(
            "#include <stdlib.h>\nconst char mark[] = \"\(mark)\";\n\(body)\n"
              + "const char *chimera_plugin_DyT(void *contents) { return ENTRY; }\n", to: "x.c")
          let file = folder.appending(path: "libX.so").path
          let clang = try Command(running: "clang", ["-shared", "-fPIC", source, "-o", file])
          try #require(clang.status == 0, "\(clang.notes)")
          let run = try Command("--plugin", file, "components")
          #expect(run.status == 3 && run.output.isEmpty && run.notes.split(separator: "\n").count == 1, "\(run.notes)")
          return run.notes.replacing(file + ": error: ", with: "")
        }
        let crash =
          "#define ENTRY mark\n__attribute__((constructor)) static void crash(void) { *(volatile int *)8 = 1; }"
        #expect(try refusal(crash).hasPrefix("loading it crashes (segmentation fault), so it is not loaded"))
        let abort = "#define ENTRY mark\n__attribute__((constructor)) static void end(void) { abort(); }"
        #expect(try refusal(abort).hasPrefix("loading it crashes (aborted), so it is not loaded"))
        #expect(try refusal("#define ENTRY mark").hasPrefix("it has no components"))
        #expect(
          try refusal("#define ENTRY \"something else\"").hasPrefix("its entry point names another interface"))
        #expect(
          try refusal("#define ENTRY mark\nextern int nowhere(void); int use(void) { return nowhere(); }")
            .hasPrefix("the system cannot load it: undefined symbol: nowhere"))
      }
    }

    @Test(
      "every template is a package whose component is conformant",
      arguments: [
        "normalization", "position", "activation", "mixer", "feed-forward", "residual", "optimizer", "schedule",
      ])
    func templates(_ slot: String) throws {
      try withTemporaryFolder { folder in
        let made = try Command(["plugin", "new", "MyPart2", "--slot", slot], in: folder)
        #expect(made.status == 0, "\(made.notes)")
        let library = try PluginBuild().library("MyPart2", in: folder.appending(path: "MyPart2"))
        let run = try Command("--plugin", library.path, "check-component", "my_part2")
        #expect(run.output.hasSuffix(" my_part2: conformant\n"), "\(run.output)\(run.notes)")
        let model = try Command("--plugin", library.path, "check", folder.path + "/MyPart2/my-part2.yaml")
        #expect(model.status == 0, "\(model.notes)")
        let again = try Command(["plugin", "new", "MyPart2", "--slot", slot], in: folder)
        #expect(again.status == 1 && again.notes.contains("'MyPart2' is there already"))
      }
    }

    @Test("a package in a folder of another name finds Chimera, and says where it is itself")
    func folder() throws {
      try withTemporaryFolder { folder in
        _ = try folder.write("", to: "checkout/Package.swift")
        let made = try Command(
          ["plugin", "new", "MyNorm", "--slot", "norm", "--chimera", "checkout", "--output", "mine/norm"], in: folder)
        #expect(made.status == 0, "\(made.notes)")
        let package = folder.appending(path: "mine/norm")
        #expect(
          try String(contentsOf: package.appending(path: "Package.swift"), encoding: .utf8).contains(
            "path: \"\(folder.path)/checkout\""))
        let readme = try String(contentsOf: package.appending(path: "README.md"), encoding: .utf8)
        #expect(readme.contains("plugins: [\(folder.path)/mine/norm/.build/release/libMyNorm.so]"))
        let nowhere = try Command(["plugin", "new", "MyNorm", "--slot", "norm", "--chimera", "nowhere"], in: folder)
        #expect(
          nowhere.status == 2 && nowhere.notes.contains("nowhere' is not a checkout of Chimera"), "\(nowhere.notes)")
      }
    }

    @Test("what 'plugin new' cannot make it says")
    func refused() throws {
      #expect(try Command("plugin", "new", "my-norm", "--slot", "norm").notes.contains("'my-norm' cannot name a type"))
      #expect(
        try Command("plugin", "new", "MyNorm", "--slot", "normalisation").notes.contains(
          "did you mean 'normalization'?"))
    }
  }
#endif
