import Components

/// What every component must be, whoever wrote it, and the search for where one is not.
///
/// A component is put into tiny models with random weights: with nothing set, with each example of its doc comment and
/// with each of its own flags and choices turned. What no model has a slot for is tried by itself: objectives on made-up texts
/// and outputs, optimizers on tensors of every kind, schedules over a run. What is wrong is told in one sentence each, and names the operator or the tensor where
/// one can be found. What passes is called conformant.
public struct ConformanceKit: Sendable {
  /// The components: those that are checked, and those of the models around them.
  public let registry: Registry

  /// A kit for the components of `registry`, which has something for every slot.
  public init(_ registry: Registry) { self.registry = registry }

  /// A kit for `components`, each with its doc comment, among those of a package.
  public init(
    checking components: [any Component.Type], documentation: [String], among others: [any Component.Type]
  ) throws(Problems) {
    var registry = try Registry(others)
    for (index, type) in components.enumerated() {
      try registry.register(type, documentation: index < documentation.count ? documentation[index] : "")
    }
    self.init(registry)
  }

  /// Everything that is wrong with every component of `types`; empty when all are conformant.
  public func check(_ types: [any Component.Type]) -> [Fault] {
    registry.describe().filter { description in
      types.contains { $0.slot == description.slot && $0.name == description.name }
    }.flatMap(check)
  }

  /// Everything that is wrong with `component`; empty when it is conformant. A sentence that several settings give is
  /// told once.
  public func check(_ component: ComponentDescription) -> [Fault] {
    var faults = documentationFaults(of: component)
    let cases = cases(of: component)
    if cases.isEmpty {
      faults.append(
        Fault(
          .options, "it needs options, but its doc comment has no 'Examples:' with any between backquotes", setting: "")
      )
    }
    var seen: Set<String> = []
    for sample in cases {
      faults += check(sample).filter { seen.insert("\($0.check) \($0.sentence)").inserted }
    }
    return faults
  }

  /// Everything that is wrong with a component when it has these options.
  ///
  /// Besides the sizes that examples are written for, gradients and causality are looked at in `drawn` others that it
  /// composes in.
  public func check(_ sample: ConformanceCase, drawn: Int = 2) -> [Fault] {
    let text = sample.description
    let trial: any Trial
    do {
      trial = try self.trial(of: sample)
    } catch {
      return Self.sentences(error).map { Fault(.options, "it does not compose: \($0)", setting: text) }
    }
    var faults = unknownOptionFaults(of: sample)
    faults += trial.faults(trial.checks)
    guard sample.component.slot.isOfModel else { return faults }
    faults += attributeFaults(of: sample)
    var noise = Noise(seed: UInt64(text.utf8.count))
    var found = 0
    // Sizes that a component refuses, as pairs that do not come out even, say nothing of it.
    for _ in 0..<4 * drawn where found < drawn {
      let sizes = ModelSizes(&noise)
      guard let model = try? model(sample, sizes) else { continue }
      found += 1
      faults += ModelTrial(model, of: registry, sample: sample, sizes: sizes).faults([.causality, .gradients])
    }
    var seen: Set<Fault> = []
    return faults.filter { seen.insert($0).inserted }
  }

  /// `sample` where it can be tried; throws what is wrong with its options.
  func trial(of sample: ConformanceCase) throws -> any Trial {
    switch sample.component.slot {
    case .objective: try ObjectiveTrial(sample, of: registry)
    case .optimizer: try OptimizerTrial(sample, of: registry)
    case .schedule: try ScheduleTrial(sample, of: registry)
    case .initialization: try InitializationTrial(sample, of: registry)
    default: ModelTrial(try model(sample), of: registry, sample: sample)
    }
  }

  /// The model that `sample` is tried in, in the usual sizes.
  public func model(_ sample: ConformanceCase) throws -> TinyModel { try model(sample, .usual) }

  func model(_ sample: ConformanceCase, _ sizes: ModelSizes) throws -> TinyModel {
    try TinyModel(sample.tree(sizes), of: registry)
  }

  static func sentences(_ error: any Error) -> [String] {
    (error as? Problems)?.list.map(\.sentence) ?? ["\(error)"]
  }
}
