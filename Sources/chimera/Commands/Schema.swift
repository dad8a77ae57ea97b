import ArgumentParser
struct Schema: ParsableCommand { static let configuration = CommandConfiguration(commandName: "schema"); func run() throws {} }
