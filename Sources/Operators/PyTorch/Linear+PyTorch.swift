import Plans

extension Linear {
  /// `nn.Linear`; where the matrix is another step's too, `F.linear`.
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    guard biases.count == 1, !addsInput else { return nil }
    let x = call.input()
    let suffix = biases[0] ? "" : ", bias=False"
    if let module = call.module("nn.Linear(\(call.width()), \(call.outputWidths[0])\(suffix))") {
      return .call(module.text, [x])
    }
    return .call("F.linear", [x, call.parameter()] + (biases[0] ? [call.parameter(1)] : []))
  }
}

extension EmbeddingLookup {
  /// `nn.Embedding`.
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    if call.form == .transformers, axis != .tokens { return nil }
    call.names("x")
    let tokens = call.tokens
    let constructor: PyTorchExpression =
      "nn.Embedding(\(call.constant("vocab_size", PyTorchExpression(call.shapes[0][0]))), \(call.outputWidths[0]))"
    let table = call.module(constructor)
    let rows: PyTorchExpression =
      table.map { .call($0.text, [tokens]) } ?? .call("F.embedding", [tokens, call.parameter()])
    guard call.form == .transformers else { return rows }
    return PyTorchExpression("\(rows.text) if inputs_embeds is None else inputs_embeds", .whole)
  }
}

extension InputRows {
  /// `rows`, which the file makes of pictures.
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? { call.givenRows() }
}

extension SelectRows {
  /// Nothing: the file gives every token's logits.
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? { call.input() }
}
