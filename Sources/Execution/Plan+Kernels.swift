import Components

extension Plan {
  /// What computes each step; throws for an operator that nothing here computes.
  func kernels() throws(ExecutionProblem) -> [any Kernel] {
    var kernels: [any Kernel] = []
    for step in steps {
      guard let kernel = step.operation as? any Kernel else { throw .noKernel(step.operation.name) }
      kernels.append(kernel)
    }
    return kernels
  }
}
