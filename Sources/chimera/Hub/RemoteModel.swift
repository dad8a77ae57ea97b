import Checkpoints
import Components
import Composition
import Essentials
import Files
import HubCache
import Models

/// A model in a repository, looked at before any weight is fetched: its configuration and the headers of its weights lie
/// in a folder that is removed with this object.
final class RemoteModel {
  /// Where it is.
  let reference: RepositoryReference
  /// What is known of it.
  let preview: RepositoryPreview
  /// The model of the zoo, or the file, that says how it is wired; nil for what its configuration says.
  private let wiring: String?
  private let folder: String

  /// Looks at `reference`; less than a megabyte of most models is read.
  init(_ reference: RepositoryReference, wiring: String? = nil, file: String? = nil) throws {
    self.reference = reference
    self.wiring = wiring
    folder = FileManager.default.temporaryDirectory.appending(path: "chimera-\(UUID().uuidString)").path
    try makeFolder(folder)
    do {
      guard
        let preview = RepositoryPreview(try NetworkProgram.answer(.preview(reference, file: file, folder: folder)))
      else { throw Failure(.failed, "chimera-net gave an answer that is not understood") }
      self.preview = preview
    } catch {
      try? removeFolder(folder)
      throw error
    }
  }

  deinit { try? removeFolder(folder) }

  /// The model, composed. Throws for a GGUF file, of which nothing is known before it is here.
  func describe(_ models: ModelLoader, patches: [Setting] = []) throws -> ModelDescription {
    guard preview.hasHeaders || wiring != nil && !preview.weightPaths.contains(where: { $0.hasSuffix(".gguf") }) else {
      throw Failure(
        .invalid,
        preview.weightPaths.contains { $0.hasSuffix(".gguf") }
          ? "'\(reference)' is a GGUF file, which is looked at when it is here: 'chimera pull \(reference)'"
          : "'\(reference)' has no config.json, which says how it is wired")
    }
    do {
      return try wiring.map { try models.describe($0, patches: patches, weights: folder) }
        ?? models.describe(folder, patches: patches, named: reference.name.description)
    } catch { throw naming(error) }
  }

  /// Proves that every tensor is there with the right shape, and gives how many there are.
  func prove(_ described: ModelDescription, _ models: ModelLoader) throws -> Int {
    do {
      _ = try models.match(described)
      return described.plan.parameters.count
    } catch { throw naming(error) }
  }

  /// The same problem, of the repository instead of the folder that stands for it.
  private func naming(_ error: any Error) -> any Error {
    let (folder, name) = (folder, reference.description)
    switch error {
    case let problems as Problems:
      var named = Problems(
        problems.list.map { problem in
          Problem(problem.sentence.replacing(folder, with: name), at: problem.place, hint: problem.hint)
        })
      named.headline = problems.headline?.replacing(folder, with: name)
      return named
    case let problem as FileProblem:
      return FileProblem(
        path: problem.path.replacing(folder, with: name), offset: problem.offset,
        sentence: problem.sentence.replacing(folder, with: name), cause: problem.cause)
    case let problem as ModelProblem:
      return Failure(.invalid, problem.description.replacing(folder, with: name))
    default: return error
    }
  }

  /// Bytes that have to be fetched still.
  var missingBytes: Int { SharedCache().missingBytes(preview.files, of: reference.name) }

  /// The bytes of its weights.
  var weightBytes: Int {
    preview.files.filter { preview.weightPaths.contains($0.path) }.reduce(0) { $0 + $1.size }
  }

  /// Fetches its files into the cache; gives the folder that they are in, and how many bytes came.
  func fetch() throws -> (folder: String, bytes: Int) {
    let own = RepositoryReference(reference.name, at: preview.revision)
    let answer = try NetworkProgram.answer(
      .fetch(own, commit: preview.commit, paths: preview.files.map(\.path), absent: preview.absent))
    guard let folder = answer["folder"]?.string else {
      throw Failure(.failed, "chimera-net gave an answer that is not understood")
    }
    return (folder, answer["fetched_bytes"]?.integer ?? 0)
  }

  /// A sentence on what it is and what it takes to run it.
  func summary(_ described: ModelDescription, tensors: Int) -> String {
    let plan = described.plan
    let context = min(plan.shape.contextLength, 4096)
    return
      "\(reference): \(plan.parameterCount.grouped) parameters; all \(tensors.grouped) tensors are there, with the "
      + "right shapes; \(weightBytes.inBytes) of weights, and \(plan.stateBytes(length: context, in: .f32).inBytes) of KV "
      + "cache for \(context.grouped) tokens (\(preview.readBytes.inBytes) were read for this)"
  }
}
