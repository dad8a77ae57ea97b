import Components

extension Plan {
  /// The plan with the `loss` of each row of logits behind them, and that value.
  func with(loss kernel: any Kernel) -> (plan: Plan, loss: Value) {
    let loss = Value(index: values.count, width: 1, axis: logits.axis)
    let step = Step(scope: "loss", operation: kernel, inputs: [logits], outputs: [loss])
    return (rewritten(steps: steps + [step], adding: [loss]), loss)
  }
}
