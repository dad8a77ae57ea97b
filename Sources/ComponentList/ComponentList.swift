import PackagePlugin

/// Lists the components of the `Plugins` folder for the compiler: a component is one file, and the list is made from the files.
@main
struct ComponentList: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    guard let folder = target as? SourceModuleTarget else { return [] }
    let files = folder.sourceFiles(withSuffix: "swift").map(\.url).sorted { $0.path < $1.path }
    let output = context.pluginWorkDirectoryURL.appending(path: "StandardComponents.swift")
    return [
      .buildCommand(
        displayName: "Listing \(files.count) components",
        executable: try context.tool(named: "list-components").url,
        arguments: [output.path] + files.map(\.path),
        inputFiles: files, outputFiles: [output])
    ]
  }
}
