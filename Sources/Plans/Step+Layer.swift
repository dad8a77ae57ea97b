/// The layer that a canonical name such as `layers.3.attn` belongs to.
private func layer(ofName name: String) -> Int? {
  guard name.hasPrefix("layers.") else { return nil }
  return Int(name.dropFirst(7).prefix { $0 != "." })
}

extension PlannedTensor {
  /// The layer it belongs to, when it belongs to one.
  public var layerIndex: Int? { layer(ofName: name) }
}

extension Step {
  /// The layer it stands in, when it stands in one.
  public var layerIndex: Int? { layer(ofName: scope) }

  /// The scope inside the layer, or the whole scope outside the layers.
  public var localScope: String {
    guard layerIndex != nil else { return scope }
    return scope.dropFirst(7).split(separator: ".", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
  }

  /// The tensors' names inside the step's layer, with their shapes.
  public func tensorNames(in plan: Plan) -> [String] {
    parameters.map { index in
      let tensor = plan.parameters[index]
      let prefix = layerIndex.map { "layers.\($0)." } ?? ""
      let name = tensor.name.hasPrefix(prefix) ? String(tensor.name.dropFirst(prefix.count)) : tensor.name
      return "\(name) \(tensor.shape)"
    }
  }
}
