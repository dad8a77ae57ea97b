// swift-tools-version: 6.1
import PackageDescription

// Made in the build folder by `make interop`, with the two rooms linked into it.
let package = Package(
  name: "grammar-probe", platforms: [.macOS(.v15)],
  targets: [
    .target(name: "Essentials"), .target(name: "Files", dependencies: ["Essentials"]),
    .target(name: "Grammars", dependencies: ["Files"]),
    .executableTarget(name: "grammar-probe", dependencies: ["Files", "Grammars"], path: "Sources/Probe"),
  ],
  swiftLanguageModes: [.v6])
