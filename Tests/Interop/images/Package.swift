// swift-tools-version: 6.1
import PackageDescription

// The program that `images.py` compares with Pillow and transformers; `make interop` builds it under .build.
let package = Package(
  name: "ImageProbe",
  targets: [
    .target(name: "Essentials"), .target(name: "Files", dependencies: ["Essentials"]),
    .target(
      name: "Images", dependencies: ["Essentials", "Files"], resources: [.embedInCode("Processors.json")]),
    .executableTarget(name: "image-probe", dependencies: ["Essentials", "Files", "Images"], path: "Sources/Probe"),
  ],
  swiftLanguageModes: [.v6])
