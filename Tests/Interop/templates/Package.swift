// swift-tools-version: 6.1
import PackageDescription

// The program that `templates.py` compares with transformers; `make interop` builds it under .build.
let package = Package(
  name: "TemplateProbe",
  targets: [
    .target(name: "Files"), .target(name: "Templates", dependencies: ["Files"]),
    .executableTarget(name: "template-probe", dependencies: ["Files", "Templates"], path: "Sources/Probe"),
  ],
  swiftLanguageModes: [.v6])
