// swift-tools-version: 6.1
import PackageDescription

// The library leaves Chimera's own code undefined: it finds it in the program that loads it. The build lists its components.
let package = Package(
  name: "DyT",
  platforms: [.macOS(.v15)],
  products: [.library(name: "DyT", type: .dynamic, targets: ["DyT"])],
  dependencies: [.package(name: "Chimera", path: "../../..")],
  targets: [
    .target(
      name: "DyT", dependencies: [.product(name: "ChimeraPlugin", package: "Chimera")],
      plugins: [.plugin(name: "ComponentList", package: "Chimera")]),
    .testTarget(
      name: "DyTTests",
      dependencies: ["DyT", .product(name: "ChimeraConformance", package: "Chimera")]),
  ]
)
