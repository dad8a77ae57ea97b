import Components
import Execution
import Kernels

/// A tiny model with a component in it, and what is looked at in it.
struct ModelTrial: Trial {
  let model: TinyModel
  let registry: Registry
  let setting: String
  let sizes: ModelSizes

  /// A look at `model`, which is made of components of `registry` and holds that of `sample`.
  init(_ model: TinyModel, of registry: Registry, sample: ConformanceCase, sizes: ModelSizes = .usual) {
    self.model = model
    self.registry = registry
    self.sizes = sizes
    setting = sample.description + (sizes == .usual ? "" : ", in " + sizes.words)
  }

  /// A few roundings of numbers near 1: the same sums in another order.
  static let rounding: Float = 2e-5

  /// Two sequences of different lengths, and what should follow each of their tokens.
  static let batch = [TinyModel.tokens, [2, 7, 1, 8]]
  var targets: [[Int]] { [[5, 0, 12, -1, 3, 3, 9, 1, 2, 11], [4, 4, -1, 7]].map { $0.map { $0 % width } } }
  /// How many of the targets are any.
  static let targetCount = 12

  let checks: [Check] = [
    .causality, .decoding, .batches, .threads, .training, .gradients, .reference, .roles, .saving, .memory,
  ]
  let place = "the model around it"

  func sentences(_ check: Check) throws -> [String] {
    switch check {
    case .causality: try causality()
    case .decoding: try decoding()
    case .batches: try batches()
    case .threads: try threads()
    case .training: try training()
    case .gradients: try gradients()
    case .reference: try reference()
    case .roles: roles()
    case .saving: try saving()
    case .memory: try memory()
    case .documentation, .options, .attributes, .descent, .rates, .rows, .rendering: []
    }
  }

  /// Numbers in a row of logits.
  var width: Int { model.plan.logits.width }

  /// An executor of training with `threads` threads.
  func trainer(threads: Int = 1, options: TrainingOptions = TrainingOptions(precision: .f32)) throws -> GradientExecutor
  {
    try GradientExecutor(model.plan, model.parameters, pool: ThreadPool(threads: threads), rows: 32, options: options)
  }
}
