// swift-tools-version: 6.1
import PackageDescription

// The program that `templates.py` compares with transformers; `make interop` builds it under .build.
let package = Package(
  name: "TemplateProbe",
  targets: [
    .target(name: "Essentials"), .target(name: "Files", dependencies: ["Essentials"]),
    .target(name: "Templates", dependencies: ["Essentials", "Files"]),
    .executableTarget(name: "template-probe", dependencies: ["Files", "Templates"], path: "Sources/Probe"),
  ],
  swiftLanguageModes: [.v6])
