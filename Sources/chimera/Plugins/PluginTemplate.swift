import Components
import Essentials

/// The package that `chimera plugin new` writes.
struct PluginTemplate {
  /// What the package's component is.
  enum Kind: String, CaseIterable {
    case normalization, position, activation, mixer
    case feedForward = "feed-forward"
    case residual, optimizer, schedule

    /// The kind that `word` means: its own name, or its slot's.
    init?(word: String) {
      guard let kind = Kind.allCases.first(where: { $0.rawValue == word || $0.slot.rawValue == word }) else {
        return nil
      }
      self = kind
    }

    var slot: Slot {
      switch self {
      case .normalization: .norm
      case .position: .position
      case .activation: .activation
      case .mixer: .attention
      case .feedForward: .mlp
      case .residual: .residual
      case .optimizer: .optimizer
      case .schedule: .schedule
      }
    }
  }

  let kind: Kind
  let type: String
  /// The folder that it is written to.
  let folder: String
  /// Where Chimera is: a checkout's path from the root, or a repository's URL.
  let chimera: String
  let branch: String

  /// Whether `name` can be a type and a module.
  static func canName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 64 else { return false }
    return (0x41...0x5A).contains(first)
      && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) }
  }

  /// The word that names the component in a file: `my_norm` for MyNorm, `dyt` for DyT, whose last letter is no word.
  var word: String {
    let letters = Array(type)
    var word = ""
    for (index, letter) in letters.enumerated() {
      if letter.isUppercase, index > 0, index < letters.count - 1, !letters[index - 1].isUppercase { word += "_" }
      word += letter.lowercased()
    }
    return word
  }

  /// The path and the text of each file.
  var files: [(path: String, text: String)] {
    [
      ("Package.swift", manifest), ("README.md", readme), (".gitignore", ".build/\nPackage.resolved\n"),
      ("Sources/\(type)/\(type).swift", source), ("Tests/\(type)Tests/\(type)Tests.swift", test), (example, model),
    ]
  }

  private var example: String { word.replacing("_", with: "-") + ".yaml" }

  private var isRemote: Bool { Self.isRemote(chimera) }

  /// Whether `chimera` is a repository's URL rather than a path.
  static func isRemote(_ chimera: String) -> Bool { chimera.contains("://") || chimera.hasPrefix("git@") }

  /// What the manifest calls Chimera's package: its own name, or the last word of its URL.
  private var packageName: String {
    guard isRemote else { return "Chimera" }
    let last = chimera.split(whereSeparator: { "/:".contains($0) }).last.map(String.init) ?? "Chimera"
    return last.hasSuffix(".git") ? String(last.dropLast(4)) : last
  }

  private var manifest: String {
    let dependency =
      isRemote
      ? ".package(url: \"\(chimera)\", branch: \"\(branch)\")" : ".package(name: \"Chimera\", path: \"\(chimera)\")"
    return """
      // swift-tools-version: 6.1
      import PackageDescription

      // The library leaves Chimera's own code undefined: it finds it in the program that loads it. The build lists its components.
      let package = Package(
        name: "\(type)",
        platforms: [.macOS(.v15)],
        products: [.library(name: "\(type)", type: .dynamic, targets: ["\(type)"])],
        dependencies: [\(dependency)],
        targets: [
          .target(
            name: "\(type)", dependencies: [.product(name: "ChimeraPlugin", package: "\(packageName)")],
            plugins: [.plugin(name: "ComponentList", package: "\(packageName)")]),
          .testTarget(
            name: "\(type)Tests",
            dependencies: ["\(type)", .product(name: "ChimeraConformance", package: "\(packageName)")]),
        ]
      )

      """
  }

  private var test: String {
    let list = type.prefix(1).lowercased() + type.dropFirst() + (type.hasSuffix("Components") ? "" : "Components")
    return """
      import Conformance
      import \(type)
      import StandardComponents
      import Testing

      @Test("\(word) is conformant")
      func conformant() throws {
        let kit = try ConformanceKit(checking: \(list), documentation: \(list.dropLast())Documentation, among: standardComponents)
        #expect(kit.check(\(list)) == [])
      }

      """
  }

  private var model: String {
    guard kind.slot.isOfModel else { return "# A small GPT-2 to train with \(word).\nextends: gpt2-nano\n" }
    let place: String
    if let path = kind.slot.optionPath, let dot = path.firstIndex(of: ".") {
      place = "\(path[..<dot]): {\(path[path.index(after: dot)...]): \(word)}"
    } else {
      place = "\(kind.slot.rawValue): {type: \(word)}"
    }
    return """
      # A small GPT-2 with \(word) in it.
      extends: gpt2-nano
      \(place)

      """
  }

  private var readme: String {
    let choice = kind.slot.isOfModel ? "" : " --\(kind.slot.rawValue) \(word)"
    return """
      # \(type)

      A \(kind.rawValue) for Chimera, named `\(word)`: `Sources/\(type)/\(type).swift` is all of it.

      ```sh
      swift build -c release
      swift test
      chimera --plugin .build/release/lib\(type).so components \(word)
      chimera --plugin .build/release/lib\(type).so check-component \(word)
      chimera --plugin .build/release/lib\(type).so train \(example) --data my-text.txt --tokenizer char\(choice) --out first
      ```

      The library must be built by the compiler and against the sources of the program that loads it; `chimera` says so when it is
      not. To load it in every run, name it in `CHIMERA_PLUGINS`, or in `~/.config/chimera/config.yaml`:

      ```yaml
      plugins: [\(URL(fileURLWithPath: folder).path)/.build/release/lib\(type).so]
      ```

      """
  }
}
