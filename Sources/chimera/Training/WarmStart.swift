import Describing
import Components
import Execution
import Files
import Models

/// Another model's tensors to begin with: those of the same canonical name and shape are taken, whatever else differs.
struct WarmStart {
  private let reference: String
  private let plan: Plan
  private let parameters: Parameters

  /// The tensors of the model that `reference` means.
  init(from reference: String, _ models: ModelLoader) throws {
    let described = try models.describe(reference)
    self.reference = reference
    plan = described.plan
    parameters = try Parameters(plan, stored: models.weights(of: described))
  }

  /// A hash of the tensors: their names, shapes and numbers.
  var fingerprint: String {
    var hash = SHA256()
    for (index, tensor) in plan.parameters.enumerated() {
      hash.update("\(tensor.name) \(tensor.shape)\n")
      parameters.values(index).withUnsafeBytes { hash.update($0) }
    }
    return hash.hexadecimal()
  }

  /// Takes what fits into `own`, the parameters of `target`, and says what was taken and what was not.
  func take(into own: Parameters, of target: Plan) -> String {
    let places = Dictionary(uniqueKeysWithValues: plan.parameters.enumerated().map { ($1.name, $0) })
    var taken: [PlannedTensor] = []
    var left: [(tensor: PlannedTensor, why: String)] = []
    for (index, tensor) in target.parameters.enumerated() {
      guard let place = places[tensor.name] else {
        left.append((tensor, "not there"))
        continue
      }
      guard plan.parameters[place].shape == tensor.shape, let numbers = own.mutable(index) else {
        left.append((tensor, "\(plan.parameters[place].shape) there"))
        continue
      }
      for (i, value) in parameters.values(place).enumerated() { numbers[i] = value }
      taken.append(tensor)
    }
    let names = Set(target.parameters.map(\.name))
    let unused = plan.parameters.filter { !names.contains($0.name) }.map(\.name.text)
    var lines = ["from \(reference): \(Self.count(taken)) taken, \(Self.count(left.map(\.tensor))) initialised"]
    lines += left.map { "  \($0.tensor.name) \($0.tensor.shape): \($0.why)" }
    if !unused.isEmpty { lines.append("  not used: \(unused.joined(separator: ", "))") }
    return lines.joined(separator: "\n")
  }

  private static func count(_ tensors: [PlannedTensor]) -> String {
    "\(tensors.count.grouped) tensors with \(tensors.reduce(0) { $0 + $1.count }.grouped) numbers"
  }
}
