import Checkpoints
import Components
import Essentials
import Execution
import Files
import Formats
import Kernels
import Specification
import Tokenization

/// A model with its weights and, when it came with one, its tokenizer: ready to run.
public struct LoadedModel: Sendable {
  /// What it is.
  public let description: ModelDescription
  /// Its weights.
  public let parameters: Parameters
  /// Text to ids and back; nil when none was found.
  public let tokenizer: Tokenizer?
  private let loader: ModelLoader

  init(description: ModelDescription, parameters: Parameters, tokenizer: Tokenizer?, loader: ModelLoader) {
    self.description = description
    self.parameters = parameters
    self.tokenizer = tokenizer
    self.loader = loader
  }

  /// How a conversation is written for it; nil when nothing says it. Read when it is asked for.
  public func chat() throws -> ChatTemplate? { try loader.chat(of: description, tokenizer: tokenizer) }

  /// An executor that shares `pool`, stores states in `states`, one of `PlannedState.formats`, and multiplies matrices in
  /// `computeType`. Where a text is computed at once it takes texts of up to `longest` tokens, or as the model is made for; so many
  /// rows of another stack too.
  public func executor(
    pool: ThreadPool, maximumRows: Int = 256, longest: Int? = nil, states: StorageFormat, computeType: ComputeType
  ) throws(ExecutionProblem) -> PlanExecutor {
    let plan = description.plan.withPicturesGiven
    let whole = max(256, longest ?? plan.longestText)
    // What another stack is given is computed at once too, and so are tokens that see each other.
    let isAtOnce = !plan.otherAxes.isEmpty || plan.lets(.prompt)
    let rows = plan.seesWholeTexts ? whole : isAtOnce ? max(maximumRows, longest ?? 0) : maximumRows
    return try PlanExecutor(
      plan, parameters, pool: pool, maximumRows: rows, states: states, fusing: true, computeType: computeType)
  }

  /// An executor of the model without its head, whose logits are the final states, for texts of up to `tokens` tokens;
  /// throws `ModelProblem` where its head does not tell which these are.
  public func statesExecutor(pool: ThreadPool, tokens: Int, computeType: ComputeType) throws -> PlanExecutor {
    let towers = description.plan.towers
    if towers == nil, !description.plan.otherAxes.isEmpty { try description.plan.requireContinuation() }
    guard let plan = towers?.text ?? description.plan.withoutHead else {
      throw ModelProblem.noStates(description.plan.name)
    }
    return try PlanExecutor(
      plan, parameters, pool: pool, maximumRows: plan.seesWholeTexts ? max(256, tokens) : 256, states: .f32,
      fusing: true, computeType: computeType)
  }
}

extension LoadedModel {
  /// An executor of what stands beside the text in a model that compares both, for up to `rows` rows of it; throws `ModelProblem` where
  /// the model does not.
  public func otherExecutor(pool: ThreadPool, rows: Int, computeType: ComputeType) throws -> PlanExecutor {
    guard let plan = description.plan.towers?.other else { throw ModelProblem.noStates(description.plan.name) }
    return try PlanExecutor(
      plan, parameters, pool: pool, maximumRows: rows, states: .f32, fusing: true, computeType: computeType)
  }
}

extension ModelLoader {
  /// Loads the weights and the tokenizer of `described`; the weights are mapped, not copied.
  ///
  /// `tokenizer` is the path of a tokenizer to use instead of the model's own. Coverage is proved before anything is
  /// read: throws `Problems` listing every tensor that is missing, superfluous or of another shape.
  public func load(_ described: ModelDescription, tokenizer: String? = nil) throws -> LoadedModel {
    let parameters = try Parameters(described.plan, stored: weights(of: described))
    return try finish(described, parameters, tokenizer: tokenizer)
  }

  /// The model with its weights, as above, and `tokenizer` whatever stands beside it: that which it was trained with.
  public func load(_ described: ModelDescription, trainedWith tokenizer: Tokenizer?) throws -> LoadedModel {
    let parameters = try Parameters(described.plan, stored: weights(of: described))
    return LoadedModel(description: described, parameters: parameters, tokenizer: tokenizer, loader: self)
  }

  /// The model with random weights that `seed` gives, for trying a composition that nobody has trained.
  ///
  /// Throws `ModelProblem`, having filled nothing, when it and the states of a sequence of `length` tokens need more memory
  /// than can be had.
  public func untrained(_ described: ModelDescription, seed: UInt64, length: Int = 1, tokenizer: String? = nil) throws
    -> LoadedModel
  {
    let numbers = described.plan.parameterCount.multiplied(upTo: MemoryLayout<Float>.stride)
    let states = described.plan.stateBytes(length: min(max(1, length), described.plan.shape.contextLength), in: .f32)
    let (bytes, overflow) = numbers.addingReportingOverflow(states)
    let available = AvailableMemory.bytes ?? Int(clamping: ProcessInfo.processInfo.physicalMemory)
    if overflow || bytes > available {
      throw ModelProblem.tooLarge(bytes: overflow ? Int.max : bytes, available: available)
    }
    return try finish(described, Parameters(described.plan, seed: seed), tokenizer: tokenizer)
  }

  /// The tensors of `described` by canonical name, changed by its adapter: in f32, or rounded to what they were stored as
  /// with `keepsFormats`.
  public func weights(of described: ModelDescription, keepsFormats: Bool = false) throws -> [String: StoredTensor] {
    var tensors: [String: StoredTensor]
    do { tensors = try match(described).load() } catch let problems as Problems {
      throw problems.naming(described.source.path)
    }
    if let adapter = described.adapter { try merge(adapter, into: &tensors, of: described, keepsFormats: keepsFormats) }
    return tensors
  }

  /// Proves that the weights of `described` are those of its plan; nothing is read.
  public func match(_ described: ModelDescription) throws -> CheckpointMatch {
    let architecture = described.architecture
    let stored: [StoredTensorEntry]
    var section = architecture.checkpoint
    switch described.source {
    case .specification: throw ModelProblem.noWeights(architecture.name, published: architecture.facts.published)
    case .folder(let path): stored = try CheckpointFolder(path: path).tensors
    case .trained(let path):
      let (file, blocks) = (path + "/model.safetensors", path + "/" + ModelSource.blocks)
      let isPlain = kind(ofPath: file) == .file
      guard isPlain || kind(ofPath: blocks) == .file else { throw ModelProblem.untrained(path: path) }
      if isPlain { try requireSaved(file) }
      do {
        return try CheckpointMap.canonical(for: described.plan.parameters)
          .match(
            described.plan.parameters,
            with: isPlain ? SafetensorsFile(path: file).tensors : GGUFFile(path: blocks).tensors)
      } catch let problems as Problems {
        throw problems.naming(path)
      }
    case .safetensors(let path): stored = try SafetensorsFile(path: path).tensors
    case .gguf:
      stored = described.container?.tensors ?? []
      section = architecture.gguf.map { ConfigBinding.parts(of: $0).map }
    }
    guard let section else {
      let isGGUF = if case .gguf = described.source { true } else { false }
      throw Problems([
        Problem(
          "'\(architecture.name)' has no key '\(isGGUF ? "gguf" : "checkpoint")', which says how its tensors are named",
          at: nil)
      ])
    }
    do {
      return try CheckpointMap(section).match(described.plan.parameters, with: stored, count: architecture.count)
    } catch {
      var problems = foreign(described, error).naming(described.source.path)
      problems.headline = headline(of: described, stored)
      throw problems
    }
  }

  /// Throws `ModelProblem` when the weights at `path` are not those that training saved, as far as their size and a sample
  /// of them tell; nothing where nothing was noted of them.
  private func requireSaved(_ path: String) throws {
    // The folder of a run shows the weights of its newest checkpoint by a link.
    let real = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    do throws(FileProblem) {
      try SavedHashes(in: real.deletingLastPathComponent().path)?.sample(real.lastPathComponent)
    } catch {
      throw ModelProblem.damaged(path: error.path, why: error.sentence)
    }
  }

  /// The same problems; where the weights may be another family's, the family that they say they are of is named.
  private func foreign(_ described: ModelDescription, _ problems: Problems) -> Problems {
    guard problems.list.contains(where: { $0.hint == CheckpointMap.foreignHint }),
      let family = family(of: described.source),
      !described.architecture.files.contains(where: { $0.hasSuffix("/\(family)/\(Catalog.familyFile).yaml") })
    else { return problems }
    return Problems(
      problems.list.map { problem in
        guard problem.hint == CheckpointMap.foreignHint else { return problem }
        let hint = "it is of the family '\(family)', and a model by itself"
        return Problem(problem.sentence, at: problem.place, hint: hint)
      })
  }

  /// Tensors that are named and laid out as the weights of `described` are, such as their gradients, by canonical name.
  public func canonical(_ entries: [StoredTensorEntry], of described: ModelDescription) throws -> [String: StoredTensor]
  {
    let (architecture, parameters) = (described.architecture, described.plan.parameters)
    guard case .folder = described.source, let section = architecture.checkpoint else {
      throw Problems([Problem("'\(architecture.name)' is not a folder with a family's tensor names", at: nil)])
    }
    return try CheckpointMap(section).match(parameters, with: entries, count: architecture.count).load()
  }

  private func finish(_ described: ModelDescription, _ parameters: Parameters, tokenizer path: String?) throws
    -> LoadedModel
  {
    let tokenizer =
      try path.map { try Tokenizer.load(from: $0).prepared(by: described.architecture.texts) }
      ?? tokenizer(of: described)
    return LoadedModel(description: described, parameters: parameters, tokenizer: tokenizer, loader: self)
  }
}

extension Architecture.Stack {
  /// The number at `path` of the stack, in the layer of a canonical tensor name.
  func count(at path: String, for name: TensorName) -> Int? {
    let words = path.split(separator: ".", maxSplits: 1).map(String.init)
    guard let slot = words.first.flatMap(Slot.init(rawValue:)), words.count == 2 else { return nil }
    let layer = name.layer.flatMap { layers.indices.contains($0) ? layers[$0][slot] : nil }
    return (layer ?? self[slot])?.setting[path: words[1]]?.integer
  }
}

extension Architecture {
  /// The number at `path` of the resolved spec, for the layer of a canonical tensor name: how many heads a layout's
  /// groups stand for.
  public func count(at path: String, for name: TensorName) -> Int? {
    var setting = resolved[path: path]
    // Outside its layers a stack's name may stand among the words.
    if let own = name.stack ?? (name.layer == nil ? name.path.first : nil),
      let stack = stacks.first(where: { $0.name == own })
    {
      return stack.count(at: path, for: name) ?? setting?.integer
    }
    if let layer = name.layer, layers.indices.contains(layer) {
      let (slot, rest) = (
        path.split(separator: ".").first ?? "", path.split(separator: ".").dropFirst().joined(separator: ".")
      )
      if let spec = Slot(rawValue: String(slot)).flatMap({ layers[layer][$0] }) { setting = spec.setting[path: rest] }
    }
    return setting?.integer
  }
}
