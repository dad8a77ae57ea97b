import Foundation
import Testing

#if os(Linux)
  /// Libraries of plugins, built as `swift build` would build them, from the modules that this package's own build has made.
  ///
  /// A package's own build compiles all of Chimera's interface once more, which takes a minute; this takes a few seconds, by
  /// the same compiler with the same flags. With CHIMERA_TEST_PACKAGES set, `swift build` itself is run.
  struct PluginBuild {
    /// Where this package's build is.
    let products: URL

    init() throws {
      products = try #require(Command.program, "the program stands beside the tests").deletingLastPathComponent()
    }

    static let buildsPackages = ProcessInfo.processInfo.environment["CHIMERA_TEST_PACKAGES"] != nil

    /// Builds the library of the target `type` in the package at `package`, and gives its path, where `swift build -c release`
    /// has it.
    @discardableResult
    func library(_ type: String, in package: URL) throws -> URL {
      let library = package.appending(path: ".build/release/lib\(type).so")
      if Self.buildsPackages {
        let run = try Command(running: "swift", ["build", "-c", "release"], in: package)
        try #require(run.status == 0, "\(run.output)\n\(run.notes)")
        return library
      }
      let folder = library.deletingLastPathComponent()
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let sources = try swiftFiles(in: package.appending(path: "Sources/\(type)"))
      let list = folder.appending(path: "\(type)+List.swift").path
      let listing = try Command(
        running: products.appending(path: "list-components").path,
        [list, type] + sources + ["--interface"] + Self.interface())
      try #require(listing.status == 0, "\(listing.notes)")
      let run = try Command(
        running: "swiftc",
        flags + ["-parse-as-library", "-emit-library", "-module-name", type] + sources + [list]
          + ["-emit-module", "-emit-module-path", folder.path + "/\(type).swiftmodule"]
          + ["-o", library.path, "-L", products.path, "-lChimeraPlugin"])
      try #require(run.status == 0, "\(run.notes)")
      return library
    }

    /// Builds the program of the file `main` with the sources of `type` in `package` in it, and gives its path.
    func program(_ main: URL, with type: String, in package: URL) throws -> URL {
      let built = package.appending(path: ".build/release")
      let listed = try String(
        contentsOf: products.appending(path: "chimera.product/Objects.LinkFileList"), encoding: .utf8)
      let objects = listed.split(whereSeparator: \.isWhitespace).map { $0.trimmingCharacters(in: ["'", "\""]) }
        .filter { !$0.contains("/chimera.build/") }
      let object = built.appending(path: "\(type).o").path
      let sources =
        try swiftFiles(in: package.appending(path: "Sources/\(type)")) + [built.path + "/\(type)+List.swift"]
      let compiled = try Command(
        running: "swiftc",
        flags + ["-parse-as-library", "-wmo", "-c", "-module-name", type] + sources + ["-o", object])
      try #require(compiled.status == 0, "\(compiled.notes)")
      let program = built.appending(path: "my-chimera")
      let linked = try Command(
        running: "swiftc", flags + ["-I", built.path, main.path, object] + objects + ["-lyaml", "-o", program.path])
      try #require(linked.status == 0, "\(linked.notes)")
      return program
    }

    /// What a plugin is compiled against: the sources whose number the program and the library must agree on.
    private static func interface() throws -> [String] {
      let sources = Command.package.appending(path: "Sources")
      let headers = try FileManager.default.contentsOfDirectory(atPath: sources.path + "/CKernels/include")
      // The rooms that `ComponentList` names.
      let rooms = ["Components", "Formats", "Kernels", "Operators", "Plans", "Settings"]
      return try rooms.flatMap { try swiftFiles(sources.appending(path: $0)) }
        + headers.filter { $0.hasSuffix(".h") }.map { sources.path + "/CKernels/include/" + $0 }
    }

    private func swiftFiles(in folder: URL) throws -> [String] { try Self.swiftFiles(folder) }

    private static func swiftFiles(_ folder: URL) throws -> [String] {
      let files = try #require(FileManager.default.enumerator(atPath: folder.path))
      return files.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted().map {
        folder.path + "/" + $0
      }
    }

    private var flags: [String] {
      [
        "-O", "-swift-version", "6", "-use-ld=lld", "-I", products.path + "/Modules", "-Xcc",
        "-fmodule-map-file=" + products.path + "/CKernels.build/module.modulemap", "-Xcc", "-I", "-Xcc",
        Command.package.path + "/Sources/CKernels/include", "-Xcc",
        "-fmodule-map-file=" + Command.package.path + "/Sources/CLibYAML/module.modulemap",
      ]
    }
  }
#endif
