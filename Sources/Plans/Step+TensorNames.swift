extension Step {
  /// The tensors' names inside the step's layer, with their shapes.
  public func tensorNames(in plan: Plan) -> [String] {
    parameters.map { index in
      let tensor = plan.parameters[index]
      return "\(tensor.name.isBeside(scope) ? tensor.name.localText : tensor.name.text) \(tensor.shape)"
    }
  }
}
