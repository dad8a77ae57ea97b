// swift-tools-version: 6.1
import PackageDescription

// The kernels and their tests alone, so that `make sanitize` builds no more than these under the sanitizers. The folders
// are links to those of the package; the Makefile makes them.
let package = Package(
  name: "Sanitize",
  platforms: [.macOS(.v15)],
  targets: [
    .target(
      name: "CKernels",
      cSettings: ["attention", "bf16", "elementwise", "formats", "int8", "levels", "machine", "matmul"].map {
        .headerSearchPath($0)
      } + [.unsafeFlags(["-O1"])]),  // at -O2 the checks take twice as long to compile
    .target(name: "Formats"),
    .target(name: "Kernels", dependencies: ["CKernels", "Formats"]),
    .testTarget(name: "KernelsTests", dependencies: ["Formats", "Kernels"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu17
)
