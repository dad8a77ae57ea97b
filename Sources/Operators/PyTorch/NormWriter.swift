import Plans

/// A norm in PyTorch: torch's own module where it has one, else a small class around torch's own function.
public struct NormWriter {
  private let module: String
  private let function: String
  private let equation: String
  private let norm: RowNorm

  /// The norm that torch calls `nn.module` and `F.function`, with these settings.
  public init(module: String, function: String, equation: String, norm: RowNorm) {
    (self.module, self.function, self.equation, self.norm) = (module, function, equation, norm)
  }

  private var parts: NormParts { norm.parts }
  private var eps: Float { norm.eps }
  private var weight: Bool { norm.weight }
  private var bias: Bool { norm.bias }
  private var unitOffset: Bool { norm.unitOffset }

  /// Writes it; `plain` when `nn.module` itself has such weights.
  public func write(_ call: inout PyTorchCall, plain: Bool) -> PyTorchExpression? {
    call.isPart(adjective: "Normed")
    let isGrouped = parts.count > 1 && parts.weightShape.count == 1 && !parts.sharedWeight
    let x: PyTorchExpression
    if parts.count == 1 {
      x = parts.width == call.step.inputs[0].width ? laidOut(&call) : call.input()
    } else {
      x = call.heads(parts.count)
      call.output(is: .heads(parts.count))
    }
    let eps = call.constant("norm_eps", PyTorchExpression(eps))
    let width = parts.count == 1 ? call.width() : call.constant("head_dim", PyTorchExpression(parts.width))
    if !weight, !bias {
      return .call("F.\(function)", [x, "(\(parts.width),)"], named: [("eps", PyTorchExpression(self.eps))])
    }
    if isGrouped { return grouped(&call, x, eps) }
    if plain, parts.sharedWeight {
      let suffix = module == "LayerNorm" && !bias ? ", bias=False" : ""
      if let norm = call.module("nn.\(module)(\(width), eps=\(eps)\(suffix))") { return .call(norm.text, [x]) }
    }
    let shape = parts.sharedWeight ? width : "\(parts.count), \(width)"
    call.define(module, ownClass)
    guard let norm = call.module("\(module)(\(shape), eps=\(eps))") else { return nil }
    return .call(norm.text, [x])
  }

  /// A row that is normalized whole, or one head that is.
  private func laidOut(_ call: inout PyTorchCall) -> PyTorchExpression {
    if call.layout(0) == .heads(1) { return call.elements() }
    return call.input()
  }

  private var scaled: String {
    var text = "F.\(function)(x, x.shape[-1:], eps=self.eps)"
    if weight { text += unitOffset ? " * (1 + self.weight)" : " * self.weight" }
    return text + (bias ? " + self.bias" : "")
  }

  private var words: String {
    "y = \(equation)\(weight ? unitOffset ? " ⊙ (1 + w)" : " ⊙ w" : "")\(bias ? " + b" : "")"
  }

  private func tensors(_ shape: String) -> String {
    (weight ? "\n        self.weight = nn.Parameter(torch.empty(\(shape)))" : "")
      + (bias ? "\n        self.bias = nn.Parameter(torch.empty(\(shape)))" : "")
  }

  private var ownClass: String {
    """
    class \(module)(nn.Module):
        \"""\(words)\"""

        def __init__(self, *shape, eps):
            super().__init__()
            self.eps = eps\(tensors("shape"))

        def forward(self, x):
            return \(scaled)
    """
  }

  /// Each part of a row by itself, with a weight as long as the row.
  private func grouped(_ call: inout PyTorchCall, _ x: PyTorchExpression, _ eps: String) -> PyTorchExpression? {
    let name = "Group\(module)"
    call.define(
      name,
      """
      class \(name)(nn.Module):
          \"""\(words), each of `groups` parts of x by itself.\"""

          def __init__(self, width, groups, eps):
              super().__init__()
              self.groups, self.eps = groups, eps\(tensors("width"))

          def forward(self, x):
              shape = (self.groups, x.size(-1) // self.groups)
              y = F.\(function)(x.unflatten(-1, shape), shape[1:], eps=self.eps).flatten(-2)
              return \(weight ? "y * \(unitOffset ? "(1 + self.weight)" : "self.weight")" : "y")\(bias ? " + self.bias" : "")
      """)
    call.output(is: .rows)
    guard let norm = call.module("\(name)(\(call.width()), \(parts.count), eps=\(eps))") else { return nil }
    return .call(norm.text, [call.input()])
  }
}
