import Components

extension MLA.HeadLinear {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.isPart(of: "LatentAttention", rank: 3)
    // The matrix of all heads is one module; two steps read rows of it.
    _ = call.module(
      "nn.Linear(\(call.constant("latent_size", PyTorchExpression(columns))), \(call.constant("num_heads", PyTorchExpression(heads))) * \(group), bias=False)"
    )
    let x = call.heads(heads, named: "num_heads")
    call.output(is: .heads(heads), headCount: "num_heads")
    let number = call.setting("num_heads", PyTorchExpression(heads))
    let place = rows.lowerBound == 0 ? ":\(rows.upperBound)" : "\(rows.lowerBound):"
    let matrix = call.parameter().method("unflatten", "0", "(\(number.text), -1)").at(":, \(place)")
    return .call("torch.einsum", [transposed ? "\"bthi,hir->bthr\"" : "\"bthr,hir->bthi\"", x, matrix])
  }
}

extension MLA.ConcatenateHeads {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    let layout: PyTorchLayout = heads == 1 ? .rows : .heads(heads)
    let (a, b) = (call.input(0, as: layout), call.input(1, as: layout))
    call.output(is: layout, headCount: heads == 1 ? nil : "num_heads")
    return .call("torch.cat", ["[\(a.text), \(b.text)]"], named: [("dim", "-1")])
  }
}
