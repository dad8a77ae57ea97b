import Components

extension ModelTrial {
  /// What sublayers give must be said to join the residual stream, or dropout would not find it.
  func roles() -> [String] {
    let layers = Dictionary(grouping: model.plan.steps.filter { $0.scope.layer != nil }) { $0.scope.layer ?? 0 }
    return layers.keys.sorted().prefix(1).compactMap { layer in
      let steps = layers[layer] ?? []
      let adds = steps.contains { $0.role == .sum && $0.scope.path.isEmpty }
      guard adds, !steps.contains(where: { $0.result != nil }) else { return nil }
      return "layer \(layer) adds to the residual stream outside PlanBuilder.joining, so that dropout does not find it"
    }
  }
}
