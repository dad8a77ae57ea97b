import Components
import Describing
import Essentials
import Execution
import Formats
import Kernels
import Models

/// Steps of training.
extension Bench {
  func measureTraining(_ plan: Plan) throws -> [BenchRow] {
    let tokens = context ?? min(1024, plan.longestSequence ?? plan.shape.contextLength)
    if let limit = plan.longestSequence, tokens > limit {
      throw Failure(
        .usage, "\(tokens) tokens are more than the \(limit) that \(plan.name) can take; give a smaller --context")
    }
    var rows: [BenchRow] = []
    for precision in try precisions() {
      let options = TrainingOptions(precision: precision, recomputation: recompute ? .cheap : .none)
      for threads in threadCounts {
        for sequences in batch.numbers {
          let planned = try GradientExecutor.plannedMemory(
            plan, rows: sequences * tokens, threads: threads, options: options)
          let (needed, available) = (
            planned.total + 12 * plan.parameterCount,
            AvailableMemory.bytes ?? Int(clamping: ProcessInfo.processInfo.physicalMemory)
          )
          if needed > available { throw ModelProblem.tooLarge(bytes: needed, available: available) }
          Console.note(
            "gradients \(Quantity.bytes(planned.gradients)), activations \(Quantity.bytes(planned.activations)), "
              + "logits \(Quantity.bytes(planned.logits)) in blocks of \(planned.blockRows) rows")
          let runner = try TrainingRunner(
            plan, sequences: sequences, tokens: tokens, options: options, pool: ThreadPool(threads: threads),
            repetitions: repetitions)
          let row = try note(runner.measure(profiles: profile))
          Console.note("most memory so far: \(Quantity.bytes(row.peakMemory ?? 0))")
          rows.append(row)
        }
      }
    }
    return rows
  }
}
