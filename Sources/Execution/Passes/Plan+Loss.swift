import Components

extension Plan {
  /// The plan with the loss of each row of logits behind them, and that value.
  func withLoss() -> (plan: Plan, loss: Value) {
    let loss = Value(index: values.count, width: 1, axis: logits.axis)
    let step = Step(scope: "loss", operation: CrossEntropy(), inputs: [logits], outputs: [loss])
    return (rewritten(steps: steps + [step], adding: [loss]), loss)
  }
}
