extension PlanBuilder {
  /// Writes what the residual stream begins with: each of its steps is part of the embedding, and the last gives the
  /// stream.
  public mutating func embedding(_ body: (inout PlanBuilder) -> Value) -> Value {
    let start = steps.count
    let stream = body(&self)
    for index in start..<steps.count { steps[index].role = .embedding }
    return stream
  }

  /// Writes a sublayer: the matrices whose outputs are its result, with no other matrix in between, write to the residual
  /// stream.
  public mutating func sublayer(_ body: (inout PlanBuilder) -> Value) -> Value {
    let start = steps.count
    let result = body(&self)
    var waiting = [result]
    var seen: Set<Value> = []
    while let value = waiting.popLast() {
      guard seen.insert(value).inserted, let index = steps[start...].lastIndex(where: { $0.outputs.contains(value) })
      else { continue }
      let step = steps[index]
      if step.parameters.contains(where: { parameters[$0].use == .matrix }) {
        steps[index].role = .streamWriter
      } else {
        // The weights of experts and the like, narrower than what they weigh, are no way of the result.
        waiting += step.inputs.enumerated().filter { $0.offset == 0 || $0.element.width == value.width }.map(\.element)
      }
    }
    return result
  }

  /// Writes how `result`, what a sublayer gives, joins the residual stream; gives the stream's next value.
  public mutating func joining(_ result: Value, _ body: (inout PlanBuilder) -> Value) -> Value {
    let start = steps.count
    let stream = body(&self)
    for index in start..<steps.count {
      steps[index].result = steps[index].inputs.lastIndex(of: result)
      if steps[index].outputs.contains(stream) { steps[index].role = .residualAdd }
    }
    return stream
  }
}
