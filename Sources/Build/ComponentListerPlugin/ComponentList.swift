import Foundation
import PackagePlugin

/// Lists the components of a target for the compiler: a component is one file, and the list is made from the files.
@main
struct ComponentList: BuildToolPlugin {
  /// The modules that a component is compiled against: what they hold, a library and the program that loads it must agree on.
  private static let interface: Set<String> = [
    "CKernels", "Components", "Formats", "Kernels", "Operators", "Plans", "Settings",
  ]

  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    guard let folder = target as? SourceModuleTarget else { return [] }
    let files = folder.sourceFiles(withSuffix: "swift").map(\.url).sorted { $0.path < $1.path }
    let modules = target.recursiveTargetDependencies.compactMap { $0 as? SourceModuleTarget }
      .filter { Self.interface.contains($0.moduleName) }
    let sources = modules.flatMap { module in
      module.sourceFiles.map(\.url).filter { $0.pathExtension == "swift" } + headers(in: module)
    }
    let output = context.pluginWorkDirectoryURL.appending(path: "\(target.name)+List.swift")
    return [
      .buildCommand(
        displayName: "Listing the components of \(target.name)",
        executable: try context.tool(named: "list-components").url,
        arguments: [output.path, folder.moduleName] + files.map(\.path) + ["--interface"] + sources.map(\.path),
        inputFiles: files + sources, outputFiles: [output])
    ]
  }

  /// The public headers of a module in C.
  private func headers(in module: any SourceModuleTarget) -> [URL] {
    guard let folder = (module as? ClangSourceModuleTarget)?.publicHeadersDirectoryURL else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".h") }.sorted().map { folder.appending(path: $0) }
  }
}
