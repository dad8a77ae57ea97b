import Components

extension Optimizer {
  /// Throws where tensors of `plan` are moved by rules that were found for steps as long whatever the gradients, and the
  /// optimizer's are not.
  package func checkRules(of plan: Plan) throws(TrainingProblem) {
    if !normalizesGradients, plan.parameters.contains(where: { !$0.isFrozen && $0.update != .plain }) {
      throw TrainingProblem.noRule(optimizer: Self.name)
    }
  }
}
