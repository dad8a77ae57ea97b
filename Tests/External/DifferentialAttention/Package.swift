// swift-tools-version: 6.1
import PackageDescription

// The library leaves Chimera's own code undefined: it finds it in the program that loads it. The build lists its components.
let package = Package(
  name: "DifferentialAttention",
  platforms: [.macOS(.v15)],
  products: [.library(name: "DifferentialAttention", type: .dynamic, targets: ["DifferentialAttention"])],
  dependencies: [.package(name: "Chimera", path: "../../..")],
  targets: [
    .target(
      name: "DifferentialAttention", dependencies: [.product(name: "ChimeraPlugin", package: "Chimera")],
      plugins: [.plugin(name: "ComponentList", package: "Chimera")]),
    .testTarget(
      name: "DifferentialAttentionTests",
      dependencies: ["DifferentialAttention", .product(name: "ChimeraConformance", package: "Chimera")]),
  ]
)
