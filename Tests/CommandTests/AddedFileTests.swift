import Foundation
import Testing

#if os(Linux)
  @Suite("a file put into Plugins, and nothing else")
  struct AddedFileTests {
    /// An activation and an optimizer that this package does not have.
    private static let files = [
      "Activation/Hardswish.swift": """
      import Components
      import Kernels

      /// A ramp that is cut to be nothing below −3 and the number itself above 3.
      ///
      ///     y = x · min(max(x + 3, 0), 6) / 6
      ///
      /// Howard et al., 2019, https://arxiv.org/abs/1905.02244.
      public struct Hardswish: ElementwiseActivation {
        public static let name = "hardswish"
        public let flopsPerNumber = 4

        public init(_ options: Options) {}

        public func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
          for i in 0..<count { y[i] = x[i] * min(max(x[i] + 3, 0), 6) / 6 }
        }

        public func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
          for i in 0..<count { slope[i] = x[i] <= -3 ? 0 : x[i] >= 3 ? 1 : (2 * x[i] + 3) / 6 }
        }
      }

      """,
      "Optimizer/SignDescent.swift": """
      import Components

      /// A step of one size against the sign of every gradient.
      ///
      ///     p ← p − rate·sign(g)
      ///
      /// Bernstein et al., 2018, https://arxiv.org/abs/1802.04434.
      public struct SignDescent: Optimizer {
        public static let name = "signs"
        public static let defaultLearningRate = 1e-3

        public init(_ options: Options) {}

        public func moments(of tensor: PlannedTensor) -> [String] { [] }

        public func update(_ tensor: TensorUpdate) {
          let rate = Float(tensor.rate)
          for i in 0..<tensor.count where tensor.gradients[i] != 0 {
            tensor.parameters[i] -= tensor.gradients[i] > 0 ? rate : -rate
          }
        }
      }

      """,
    ]

    @Test("is listed, described, conformant, composed and trained with by the program that is built with it")
    func added() throws {
      try withTemporaryFolder { folder in
        let plugins = folder.appending(path: "Plugins")
        try FileManager.default.copyItem(at: Command.package.appending(path: "Plugins"), to: plugins)
        for (name, text) in Self.files { _ = try plugins.write(text, to: name) }
        let program = try Self.program(withComponentsOf: plugins, in: folder)
        let environment = [
          "CHIMERA_ARCHITECTURES": Command.package.path + "/Architectures", "CHIMERA_CACHE": folder.path + "/cache",
        ]
        func run(_ arguments: String...) throws -> Command {
          let run = try Command(running: program, arguments, environment: environment)
          #expect(run.status == 0, "\(arguments): \(run.notes)")
          return run
        }
        #expect(try run("components", "hardswish").output.hasPrefix("activation: hardswish\n\nA ramp that is cut"))
        #expect(try run("check-component", "hardswish").output == "activation hardswish: conformant\n")
        #expect(try run("check-component", "signs").output == "optimizer signs: conformant\n")
        let spec = try folder.write(
          """
          name: small
          vocab_size: 2
          context_length: 16
          hidden_size: 16
          position: learned
          norm: layernorm
          layers: {count: 1}
          attention: {num_heads: 2}
          mlp: {activation: hardswish}

          """, to: "small.yaml")
        #expect(try run("show", spec, "--plan").output.contains("hardswish"))
        let text = try folder.write(String(repeating: "the cat sat on the mat. ", count: 200), to: "text.txt")
        let out = folder.path + "/run"
        _ = try run(
          "train", spec, "--data", text, "--tokenizer", "char", "--batch", "4", "--steps", "200", "--warmup", "2",
          "--optimizer", "signs", "--out", out)
        let metrics = try String(contentsOfFile: out + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        let losses = metrics.compactMap { $0.firstMatch(of: /"loss":([0-9.]+)/).flatMap { Double($0.1) } }
        // Of twelve tokens none is likelier than another at first: log 12 is 2.48.
        #expect((losses.first ?? 0) > 2.3 && (losses.last ?? 9) < 1.8, "\(losses)")
      }
    }

    /// Builds the program with the components of `plugins` in place of this package's, as this package's build would: the list
    /// is made from the folder, the module is compiled against the modules that are built, and linked with what is built. That
    /// takes seconds, where a build of a copy of the package takes minutes. Gives its path.
    private static func program(withComponentsOf plugins: URL, in folder: URL) throws -> String {
      let module = "StandardComponents"
      let products = try #require(Command.program, "the program stands beside the tests").deletingLastPathComponent()
      let files = try #require(FileManager.default.enumerator(atPath: plugins.path))
      let sources = files.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted().map {
        plugins.path + "/" + $0
      }
      let list = folder.path + "/\(module)+List.swift"
      try run(products.path + "/list-components", [list, module] + sources + ["--interface"])
      let object = folder.path + "/\(module).o"
      // As the package manager names the package: after its folder.
      let package = String(Command.package.lastPathComponent.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
      try run(
        "swiftc",
        [
          "-Onone", "-swift-version", "6", "-package-name", package, "-module-name", module, "-parse-as-library",
          "-wmo", "-c",
          "-I", products.path + "/Modules", "-Xcc",
          "-fmodule-map-file=" + products.path + "/CKernels.build/module.modulemap",
          "-Xcc", "-I", "-Xcc", Command.package.path + "/Sources/CKernels/include", "-o", object,
        ] + sources + [list])
      let objects = try String(
        contentsOf: products.appending(path: "chimera.product/Objects.LinkFileList"), encoding: .utf8
      )
      .split(whereSeparator: \.isWhitespace).map { $0.trimmingCharacters(in: ["'", "\""]) }
      .filter { !$0.contains("/\(module).build/") }
      let program = folder.path + "/chimera"
      // The package manager gives a program's entry a name of its own, and says so to the linker.
      let entry = ["-Xlinker", "--defsym=main=chimera_main"]
      try run("swiftc", ["-use-ld=lld"] + entry + objects + [object, "-lyaml", "-o", program])
      return program
    }

    private static func run(_ tool: String, _ arguments: [String]) throws {
      let run = try Command(running: tool, arguments)
      try #require(run.status == 0, "\(tool): \(run.notes)")
    }
  }
#endif
