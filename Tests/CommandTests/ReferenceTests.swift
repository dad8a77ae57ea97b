import Foundation
import Testing

@Suite("what is written of components")
struct ReferenceTests {
  @Test("Plugins/README.md is what the doc comments say; `chimera components --markdown Plugins/README.md` makes it so")
  func current() throws {
    try withTemporaryFolder { folder in
      let run = try Command("components", "--markdown", folder.path + "/README.md")
      #expect(run.status == 0, "\(run.notes)")
      let made = try String(contentsOf: folder.appending(path: "README.md"), encoding: .utf8)
      let kept = try String(contentsOf: Command.package.appending(path: "Plugins/README.md"), encoding: .utf8)
      #expect(made == kept)
    }
  }

  #if os(Linux)
    @Test("the guide to components does what it says, step by step")
    func guide() throws {
      let page = try String(contentsOf: Command.package.appending(path: "Plugins/GUIDE.md"), encoding: .utf8)
      try withTemporaryFolder { folder in
        for block in GuideTests.blocks(of: page) {
          if let path = block.path { _ = try folder.write(block.lines.joined(separator: "\n") + "\n", to: path) }
          if block.kind == "console" {
            try GuideTests.run(block.lines, in: folder, environment: [:]) { line in
              // A build of a package compiles Chimera's interface once more; see PluginBuild.
              guard line == "$ swift build -c release" else { return false }
              _ = try PluginBuild().library("DyT", in: folder.appending(path: "DyT"))
              return true
            }
          }
        }
        let configured = try Command(["components", "dyt"], environment: ["XDG_CONFIG_HOME": folder.path + "/config"])
        #expect(configured.output.hasPrefix("norm: dyt\n"), "\(configured.notes)")
        let program = try PluginBuild().program(
          folder.appending(path: "main.swift"), with: "DyT", in: folder.appending(path: "DyT"))
        let own = try Command(
          running: program.path, ["components", "dyt"],
          environment: ["CHIMERA_ARCHITECTURES": Command.package.path + "/Architectures"])
        #expect(own.output.hasPrefix("norm: dyt\n"), "\(own.notes)")
        // What the tests of packages have is what the guide has.
        let fixture = Command.package.appending(path: "Tests/External/DyT/Sources/DyT/DyT.swift")
        #expect(
          try String(contentsOf: fixture, encoding: .utf8)
            == String(contentsOf: folder.appending(path: "DyT/Sources/DyT/DyT.swift"), encoding: .utf8))
      }
    }
  #endif
}
