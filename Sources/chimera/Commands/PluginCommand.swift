import ArgumentParser
import Components
import Essentials
import Files

/// `chimera plugin`: components in packages of their own.
struct PluginCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugin",
    abstract: "Create a package for a component of your own.",
    subcommands: [PluginNew.self])
}

/// `chimera plugin new`: writes a whole package, to change.
struct PluginNew: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new",
    abstract: "Create a package with a working component to start from.",
    discussion: """
      It contains the component in one file, a test for it, and a model to try it in.

        chimera plugin new MyNorm --slot normalization
        cd MyNorm && swift build -c release
        chimera --plugin .build/release/libMyNorm.so run my-norm.yaml --random-weights
      """)

  @Argument(help: "The component's type, in Swift: MyNorm.") var name: String
  @Option(
    help: "What it is: normalization, position, activation, mixer, feed-forward, residual, optimizer or schedule.")
  var slot: String
  @Option(
    help:
      "Where the package finds Chimera: the path of a checkout or the URL of a repository. [the checkout that this program is in]"
  )
  var chimera: String?
  @Option(help: "The branch of that repository.") var branch = "main"
  @Option(help: "The folder to create. [the type's name]") var output: String?

  func run() throws {
    guard let component = PluginTemplate.Kind(word: slot) else {
      let words = PluginTemplate.Kind.allCases.map(\.rawValue)
      let near =
        nearestName(to: slot, in: words).map { "did you mean '\($0)'?" } ?? "there are \(words.joined(separator: ", "))"
      throw Failure(.usage, "no template is for '\(slot)'; \(near)")
    }
    guard PluginTemplate.canName(name) else {
      throw Failure(.usage, "'\(name)' cannot name a type: letters and digits, the first a capital letter")
    }
    guard var checkout = chimera ?? Zoo.checkout else {
      throw Failure(.usage, "this program is in no checkout of Chimera; give the path or the URL of one with --chimera")
    }
    if !PluginTemplate.isRemote(checkout) {
      // The package names it from a folder of its own.
      checkout = URL(fileURLWithPath: checkout).standardizedFileURL.path
      guard kind(ofPath: checkout + "/Package.swift") == .file else {
        throw Failure(
          .usage,
          "'\(checkout)' is not a checkout of Chimera: it has no Package.swift; --chimera takes the path or the URL of one"
        )
      }
    }
    let folder = output ?? name
    if kind(ofPath: folder) != .nothing { throw Failure(.failed, "'\(folder)' is there already") }
    let template = PluginTemplate(kind: component, type: name, folder: folder, chimera: checkout, branch: branch)
    for (path, text) in template.files {
      let file = "\(folder)/\(path)"
      try makeFolder(String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)]))
      try writeAtomically(text, to: file)
      Console.write(file + "\n")
    }
  }
}
