import Plans

/// Steps that become one class of a file: a layer, a sublayer, a part of one.
struct ModelPart {
  /// What stands in it, in order.
  enum Item {
    case step(Step)
    case part(ModelPart)
  }

  /// The words of its scope inside its layer.
  let path: [String]
  /// Its steps and the parts in it.
  let items: [Item]
  /// What it reads of outside, in the order in which it is read.
  let inputs: [Value]
  /// What others read of it.
  let result: Value

  /// The steps of it and of the parts in it.
  var steps: [Step] {
    items.flatMap { item in
      switch item {
      case .step(let step): [step]
      case .part(let part): part.steps
      }
    }
  }

  /// The part that `steps` are, with the scope `path`; `reads` tells how often each value is read in the whole plan.
  init(_ steps: [Step], path: [String], reads: [Int: Int]) throws(ExportProblem) {
    self.path = path
    inputs = Self.inputs(of: steps)
    let results = Self.results(of: steps, reads: reads)
    guard results.count == 1 else {
      throw .noPlace(
        scope: steps.first?.scope.text ?? "", what: "others read \(results.count) of its values, and a class gives one")
    }
    result = results[0]
    var items: [Item] = []
    var index = 0
    while index < steps.count {
      let step = steps[index]
      guard let word = Self.next(step, below: path) else {
        items.append(.step(step))
        index += 1
        continue
      }
      let run = steps[index...].prefix { Self.next($0, below: path) == word }
      let isWhole = !steps[run.endIndex...].contains { Self.next($0, below: path) == word }
      if isWhole, Self.results(of: Array(run), reads: reads).count == 1 {
        items.append(.part(try ModelPart(Array(run), path: path + [word], reads: reads)))
      } else {
        items += run.map { .step($0) }
      }
      index = run.endIndex
    }
    self.items = items
  }

  /// The part of these items.
  init(path: [String], items: [Item], inputs: [Value], result: Value) {
    (self.path, self.items, self.inputs, self.result) = (path, items, inputs, result)
  }

  private static func next(_ step: Step, below path: [String]) -> String? {
    guard step.scope.path.count > path.count, step.scope.path.starts(with: path) else { return nil }
    return step.scope.path[path.count]
  }

  static func inputs(of steps: [Step]) -> [Value] {
    var written: Set<Int> = []
    var inputs: [Value] = []
    for step in steps {
      for value in step.inputs where !written.contains(value.index) && !inputs.contains(value) { inputs.append(value) }
      written.formUnion(step.outputs.map(\.index))
    }
    return inputs
  }

  static func results(of steps: [Step], reads: [Int: Int]) -> [Value] {
    var left: [Int: Int] = [:]
    for value in steps.flatMap(\.inputs) { left[value.index, default: 0] += 1 }
    return steps.flatMap(\.outputs).filter { reads[$0.index, default: 0] > left[$0.index, default: 0] }
  }
}
