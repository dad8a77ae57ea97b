import ArgumentParser
struct ComponentsCommand: ParsableCommand { static let configuration = CommandConfiguration(commandName: "components"); func run() throws {} }
