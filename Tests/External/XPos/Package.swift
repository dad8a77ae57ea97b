// swift-tools-version: 6.1
import PackageDescription

// The library leaves Chimera's own code undefined: it finds it in the program that loads it. The build lists its components.
let package = Package(
  name: "XPos",
  platforms: [.macOS(.v15)],
  products: [.library(name: "XPos", type: .dynamic, targets: ["XPos"])],
  dependencies: [.package(name: "Chimera", path: "../../..")],
  targets: [
    .target(
      name: "XPos", dependencies: [.product(name: "ChimeraPlugin", package: "Chimera")],
      plugins: [.plugin(name: "ComponentList", package: "Chimera")]),
    .testTarget(
      name: "XPosTests",
      dependencies: ["XPos", .product(name: "ChimeraConformance", package: "Chimera")]),
  ]
)
