import Components
import Files
import HubCache
import Models

/// What a command lacks, offered: a model that is published and not here is fetched when the user agrees.
///
/// Never in silence: on a terminal the size is told and asked about, elsewhere the message says the command, and `--yes`
/// fetches.
enum Offer {
  /// Fetches what `error` says is missing; true when the command may be tried again.
  static func fetch(after error: any Error, for command: any ModelCommand) throws -> Bool {
    let isAgreed = command.fetchesUnasked
    guard let wanted = wanted(error), isAgreed || NetworkProgram.path != nil && Console.canAsk,
      !HubSettings().isOffline
    else { return false }
    var zoo = try Zoo()
    zoo.ignoredKeys = command.unreadKeys
    let models = zoo.models
    let wiring = wanted.model.flatMap { models.catalog.path(of: $0) == nil ? nil : $0 }
    let remote = try RemoteModel(wanted.reference, wiring: wiring)
    let isContainer = remote.preview.weightPaths.contains { $0.hasSuffix(".gguf") }
    if !isContainer {
      let described = try remote.describe(models)
      Console.note(remote.summary(described, tensors: try remote.prove(described, models)))
    }
    let missing = remote.missingBytes
    if !isAgreed {
      let question = "Fetch \(missing.inBytes) of \(wanted.reference.name) into \(SharedCache().root)? [y/N] "
      guard Console.ask(question) == true else { return false }
    } else if missing > 0 {
      Console.note("fetching \(missing.inBytes) of \(wanted.reference.name) into \(SharedCache().root)")
    }
    _ = try remote.fetch()
    return true
  }

  /// The repository whose absence `error` is, and the model whose weights it has.
  private static func wanted(_ error: any Error) -> (reference: RepositoryReference, model: String?)? {
    switch error {
    case ModelProblem.hubName(let name, _): RepositoryReference(name).map { ($0, nil) }
    case ModelProblem.noWeights(let model, let published?): RepositoryReference(published).map { ($0, model) }
    case let several as SeveralErrors where several.list.count == 1: wanted(several.list[0])
    default: nil
    }
  }
}

/// A command that works with models, which may have to be fetched first.
protocol ModelCommand {
  /// Whether `--yes` was said.
  var fetchesUnasked: Bool { get }
  /// Keys of configurations that may stay unread.
  var unreadKeys: [String] { get }
}

/// One with the options of models.
protocol ModelOptionsCommand: ModelCommand {
  var modelOptions: ModelOptions { get }
}

extension ModelOptionsCommand {
  var fetchesUnasked: Bool { modelOptions.yes }
  var unreadKeys: [String] { modelOptions.ignoredKeys }
}

extension Chat: ModelOptionsCommand { var modelOptions: ModelOptions { options.model } }
extension Run: ModelOptionsCommand { var modelOptions: ModelOptions { options.model } }
extension Embed: ModelOptionsCommand { var modelOptions: ModelOptions { options.model } }
extension ProbeCommand: ModelOptionsCommand { var modelOptions: ModelOptions { options.model } }
extension Eval: ModelOptionsCommand { var modelOptions: ModelOptions { options.model } }
extension Logits: ModelOptionsCommand { var modelOptions: ModelOptions { options.model } }
extension Verify: ModelOptionsCommand { var modelOptions: ModelOptions { options.model } }
extension ExportCommand: ModelOptionsCommand { var modelOptions: ModelOptions { options.model } }
extension Bench: ModelOptionsCommand { var modelOptions: ModelOptions { changes } }
extension Save: ModelOptionsCommand { var modelOptions: ModelOptions { options } }
extension Diff: ModelOptionsCommand { var modelOptions: ModelOptions { options } }
extension New: ModelOptionsCommand { var modelOptions: ModelOptions { options } }
extension Train: ModelOptionsCommand { var modelOptions: ModelOptions { options } }
extension AblateStudy: ModelOptionsCommand { var modelOptions: ModelOptions { question.model } }
extension AblatePlan: ModelOptionsCommand { var modelOptions: ModelOptions { question.model } }
extension Tokenize: ModelCommand {
  var fetchesUnasked: Bool { yes }
  var unreadKeys: [String] { [] }
}
