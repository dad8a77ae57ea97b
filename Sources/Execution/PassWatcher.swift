import Components

/// Looks at what the steps of a pass give, one after the other, and may change it before the next one reads it.
public protocol PassWatcher: AnyObject {
  /// Step `index` of the plan has run, and none after it. A step whose axis has no rows in a pass does not run.
  func stepRan(_ index: Int, in pass: WatchedPass)
}

/// A pass between two of its steps.
public struct WatchedPass {
  private let pass: Pass
  private let kernels: [any Kernel]
  private let binding: StepBinding

  init(_ pass: Pass, _ kernels: [any Kernel], _ binding: StepBinding) {
    self.pass = pass
    self.kernels = kernels
    self.binding = binding
  }

  /// The rows of `value`, to read and to change.
  ///
  /// A careful reader's mistake: values share memory by lifetime, so these are its rows only from the step that writes it to
  /// the last that reads it.
  public func rows(of value: Value) -> MutableRows {
    MutableRows(binding.address(of: value), count: pass.batches[value.axis.index].count, width: value.width)
  }

  /// The position in its sequence of each row of `axis`; of rows that were selected, that of the row each stands for.
  public func positions(on axis: RowAxis) -> [Int] {
    let batch = pass.batches[axis.index]
    if batch.selected.isEmpty { return batch.positions.map { Int($0) } }
    let tokens = pass.batches[RowAxis.tokens.index].positions
    return batch.selected.map { Int(tokens[Int($0)]) }
  }

  /// Runs `steps` again, with what stands in their inputs by now; nobody is told. None may keep a state of a sequence.
  public func runAgain(_ steps: Range<Int>) { runSteps(steps) { _ in } }

  /// Runs `steps`, those that have rows, and tells of each.
  func runSteps(_ steps: Range<Int>, _ ran: (Int) -> Void) {
    for step in steps where pass.batches[binding.steps[step].axis.index].count > 0 {
      kernels[step].forward(ForwardContext(binding.steps[step], in: pass))
      ran(step)
    }
  }
}

/// What runs the steps of a pass in place of an executor, when somebody wants to know more than the logits.
protocol StepRunner: AnyObject {
  func run(_ kernels: [any Kernel], _ binding: StepBinding, in pass: Pass)
}

/// Runs steps, each of which a watcher looks at.
final class WatchedSteps: StepRunner {
  private let watcher: any PassWatcher

  init(_ watcher: any PassWatcher) { self.watcher = watcher }

  func run(_ kernels: [any Kernel], _ binding: StepBinding, in pass: Pass) {
    let watched = WatchedPass(pass, kernels, binding)
    watched.runSteps(binding.steps.indices) { watcher.stepRan($0, in: watched) }
  }
}

extension Profile: StepRunner {
  func run(_ kernels: [any Kernel], _ binding: StepBinding, in pass: Pass) { run(kernels, binding.steps, in: pass) }
}
