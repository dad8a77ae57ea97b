// swift-tools-version: 6.1
import PackageDescription

// One target per room of the design; the imports each room may use are the dependencies named here.
let package = Package(
  name: "Chimera",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "chimera", targets: ["chimera"]),
    // What a plugin is built against. Its name is that of the program too (see `chimera` below), so that what a plugin takes
    // from the library it finds in the program that loads it, and the library itself is never loaded.
    .library(
      name: "ChimeraPlugin", type: .dynamic,
      targets: ["Components", "Formats", "Kernels", "Operators", "Plans", "Settings"]),
    .plugin(name: "ComponentList", targets: ["ComponentList"]),
    .library(name: "ChimeraCommand", targets: ["ChimeraCommand"]),
    .library(name: "ChimeraConformance", targets: ["Conformance", "StandardComponents"]),
    .library(
      name: "Chimera", targets: ["Components", "Composition", "Execution", "Models", "StandardComponents", "Training"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    .systemLibrary(
      name: "CLibYAML", pkgConfig: "yaml-0.1",
      providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
    .target(
      name: "CKernels",
      cSettings: ["attention", "bf16", "elementwise", "formats", "int8", "levels", "machine", "matmul"].map {
        .headerSearchPath($0)
      }),
    .target(name: "Essentials"),
    .target(name: "Formats"),
    .target(name: "Kernels", dependencies: ["CKernels", "Formats"]),
    .target(name: "Files", dependencies: ["Essentials"]),
    .target(
      name: "Images", dependencies: ["Essentials", "Files"], resources: [.embedInCode("Processors.json")]),
    .target(name: "Templates", dependencies: ["Essentials", "Files"]),
    .target(name: "Grammars", dependencies: ["Files"]),
    .target(name: "HubCache", dependencies: ["Essentials", "Files"]),
    .target(name: "Hub", dependencies: ["Files", "HubCache"]),
    .target(name: "Settings"),
    .target(name: "Plans", dependencies: ["Formats", "Settings"]),
    .target(name: "Operators", dependencies: ["Essentials", "Formats", "Kernels", "Plans", "Settings"]),
    .target(name: "Components", dependencies: ["Kernels", "Operators", "Plans", "Settings"]),
    .target(name: "Specification", dependencies: ["Essentials", "CLibYAML", "Components", "Files"]),
    .target(name: "Composition", dependencies: ["Components", "Specification"]),
    .target(name: "Describing", dependencies: ["Essentials", "Components", "Composition", "Files", "Specification"]),
    .target(name: "Execution", dependencies: ["Essentials", "Formats", "Components", "Kernels"]),
    .target(
      name: "Checkpoints", dependencies: ["Essentials", "Formats", "Components", "Files", "Kernels", "Specification"]),
    .target(
      name: "Tokenization", dependencies: ["Files"], resources: [.embedInCode("Normalization/Normalization.txt")]),
    .target(
      name: "Models",
      dependencies: [
        "Essentials", "Formats", "Checkpoints", "Composition", "Execution", "Files", "HubCache", "Images", "Kernels",
        "Specification",
        "Templates",
        "Tokenization",
      ]),
    .target(
      name: "Generation",
      dependencies: [
        "Essentials", "Components", "Execution", "Formats", "Grammars", "Kernels", "Models", "Tokenization",
      ]),
    .target(
      name: "Probing",
      dependencies: ["Components", "Execution", "Generation", "Kernels", "Models", "Settings"]),
    .target(name: "ServingLink", dependencies: ["Essentials", "Files"]),
    .target(
      name: "Serving",
      dependencies: [
        "Essentials", "Components", "Execution", "Files", "Formats", "Generation", "Grammars", "Kernels", "Models",
        "Probing", "ServingLink", "Settings", "Templates", "Tokenization",
      ],
      resources: [
        .embedInCode("openapi.json"), .embedInCode("page.html"), .embedInCode("drawing.css"),
        .embedInCode("drawing.js"),
      ]),
    .target(
      name: "Training",
      dependencies: [
        "Essentials", "Formats", "Checkpoints", "Components", "Execution", "Files", "Kernels", "Tokenization",
      ]),
    .target(
      name: "Ablation",
      dependencies: [
        "Essentials", "Components", "Formats", "Composition", "Execution", "Files", "Kernels", "Describing",
        "Specification",
        "Tokenization",
        "Training",
      ]),
    .target(
      name: "Export",
      dependencies: [
        "Essentials", "Checkpoints", "Components", "Composition", "Describing", "Execution", "Files", "Formats",
        "Kernels", "Models",
        "Training",
      ],
      resources: [.embedInCode("Python/sample.py"), .embedInCode("Python/train.py"), .embedInCode("Python/verify.py")]),
    .target(
      name: "Conformance",
      dependencies: [
        "Essentials", "Formats", "Checkpoints", "Components", "Composition", "Execution", "Kernels", "Specification",
      ],
      resources: [.embedInCode("Surroundings.yaml")]),
    .target(
      name: "StandardComponents", dependencies: ["Essentials", "Components", "Kernels"], path: "Plugins",
      exclude: ["README.md", "GUIDE.md"],
      plugins: ["ComponentList"]),
    .target(name: "PluginLoading", dependencies: ["Essentials", "Components", "Files"]),
    .target(
      name: "ChimeraCommand",
      dependencies: [
        "Essentials", "Formats", "Ablation", "Checkpoints", "Components", "Composition", "Conformance", "Execution",
        "Files",
        "Grammars", "HubCache", "Images", "Kernels",
        "Describing", "Export", "Generation", "Models",
        "PluginLoading", "Probing", "Serving", "ServingLink", "Specification", "StandardComponents", "Templates",
        "Tokenization",
        "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/chimera"),
    .executableTarget(
      name: "chimera", dependencies: ["ChimeraCommand"], path: "Sources/Program",
      linkerSettings: [
        // The program lends plugins its own code: there is one copy of every type, and nothing built in is called otherwise.
        .unsafeFlags(
          ["-use-ld=lld", "-Xlinker", "-export-dynamic", "-Xlinker", "-soname", "-Xlinker", "libChimeraPlugin.so"],
          .when(platforms: [.linux]))
      ]),

    .target(name: "CompilerName", path: "Sources/Build/CompilerName"),
    .executableTarget(name: "list-components", dependencies: ["CompilerName"], path: "Sources/Build/ComponentLister"),
    .plugin(
      name: "ComponentList", capability: .buildTool(), dependencies: ["list-components"],
      path: "Sources/Build/ComponentListerPlugin"),

    .target(name: "SharedData", path: "Tests/SharedData"),
    .target(
      name: "TestSupport",
      dependencies: [
        "Composition", "Conformance", "Describing", "Execution", "Formats", "Generation", "Grammars", "Models",
        "Probing", "SharedData",
        "Specification",
        "StandardComponents",
      ],
      path: "Tests/Support"),
    // A program whose malloc counts, for the test that a pass allocates nothing.
    .target(name: "AllocationCounter", path: "Tests/Allocations/Counter"),
    .executableTarget(
      name: "count-allocations",
      dependencies: [
        "AllocationCounter", "Components", "Conformance", "Execution", "Formats", "Kernels", "StandardComponents",
      ],
      path: "Tests/Allocations/Program"),
    // A hub on this machine, for the tests of what speaks to one.
    .target(name: "FakeHub", dependencies: ["Files"], path: "Tests/FakeHub"),
    // Everything that reads strangers' bytes, for the tests that replay hostile inputs and for `make fuzz`.
    .target(
      name: "FuzzParsers",
      dependencies: [
        "Ablation", "Checkpoints", "Components", "Composition", "Files", "Grammars", "Models", "Settings",
        "Specification", "Templates", "Tokenization",
      ],
      path: "Tests/Fuzz/Parsers"),
    .testTarget(name: "FuzzTests", dependencies: ["FuzzParsers"]),
    .testTarget(name: "KernelsTests", dependencies: ["Formats", "Kernels"]),
    .testTarget(name: "FilesTests", dependencies: ["Files"]),
    .testTarget(name: "HubTests", dependencies: ["FakeHub", "Files", "Hub", "HubCache"]),
    .testTarget(
      name: "ServingTests",
      dependencies: [
        "Checkpoints",
        "Components", "Files", "Generation", "Images", "Kernels", "Models", "Probing", "Serving", "ServingLink",
        "Specification", "TestSupport",
      ]),
    .testTarget(name: "PlansTests", dependencies: ["Plans", "Settings"]),
    .testTarget(name: "ComponentsTests", dependencies: ["TestSupport"]),
    .testTarget(name: "SpecificationTests", dependencies: ["Components", "Files", "SharedData", "Specification"]),
    .testTarget(name: "CompositionTests", dependencies: ["Composition", "Describing", "TestSupport"]),
    .testTarget(name: "PagesTests", dependencies: ["Describing", "TestSupport"]),
    .testTarget(name: "PluginsTests", dependencies: ["TestSupport"]),
    .testTarget(name: "ExportTests", dependencies: ["Export", "TestSupport"]),
    .testTarget(name: "ExecutionTests", dependencies: ["TestSupport"]),
    .testTarget(
      name: "TrainingTests", dependencies: ["Files", "StandardComponents", "TestSupport", "Tokenization", "Training"]),
    .testTarget(
      name: "CheckpointsTests",
      dependencies: ["Checkpoints", "Components", "Files", "Formats", "Kernels", "SharedData"]),
    .testTarget(
      name: "ImagesTests", dependencies: ["Files", "Images", "SharedData"], exclude: ["Vectors.json"]),
    .testTarget(name: "GrammarsTests", dependencies: ["Files", "Grammars", "SharedData"]),
    .testTarget(name: "TokenizationTests", dependencies: ["Files", "SharedData", "Tokenization"]),
    .testTarget(
      name: "TemplatesTests", dependencies: ["Files", "Templates"], exclude: ["Templates", "vectors.json"]),
    .testTarget(name: "ModelsTests", dependencies: ["Checkpoints", "SharedData", "TestSupport"]),
    .testTarget(name: "ProbingTests", dependencies: ["Checkpoints", "Probing", "TestSupport"]),
    .testTarget(name: "AblationTests", dependencies: ["Ablation", "TestSupport"]),
    .testTarget(name: "CommandTests", dependencies: ["FakeHub", "Files", "Images", "TestSupport"]),
    .testTarget(name: "DocumentationTests"),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu17
)

// The fuzzer is built by `make fuzz` alone: libFuzzer brings its own entry point, and every target is instrumented.
if Context.environment["CHIMERA_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "chimera-fuzz", dependencies: ["FuzzParsers"], path: "Tests/Fuzz/Driver",
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])]))
}

// What speaks to networks is a program of its own, which `make network` builds apart: so nothing else waits for what it is
// built of, or is compiled again because of it. (A trait would be a compilation flag of every target.)
if Context.environment["CHIMERA_NETWORK"] != nil {
  package.products.append(.executable(name: "chimera-net", targets: ["chimera-net"]))
  package.dependencies += [
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.0.0"),
  ]
  package.targets.append(
    .executableTarget(
      name: "chimera-net",
      dependencies: [
        "Files", "Hub", "HubCache", "ServingLink", .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Hummingbird", package: "hummingbird"), .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]))
}
