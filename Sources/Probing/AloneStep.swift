import Components
import Kernels

/// One operator, run alone over the whole rows of one text, of which nothing is cached.
struct AloneStep {
  let operation: any Kernel
  let parameters: [Parameter]
  let computeType: ComputeType

  /// The first output for `inputs`, each as many rows as the text has `tokens`, and the output `width` wide.
  func run(_ inputs: [[Float]], tokens: Int, width: Int, pool: ThreadPool) -> [Float] {
    var inputs = inputs
    let values = inputs.indices.map { index in
      let memory = UnsafeMutablePointer<Float>.allocate(capacity: max(1, inputs[index].count))
      inputs[index].withUnsafeMutableBufferPointer { source in
        if let base = source.baseAddress { memory.initialize(from: base, count: source.count) }
      }
      return BoundValue(memory, width: inputs[index].count / max(1, tokens), axis: .tokens)
    }
    defer { for value in values { value.base.deallocate() } }
    let ids = [Int32](repeating: 0, count: tokens)
    let positions = (0..<tokens).map { Int32(truncatingIfNeeded: $0) }
    let spans = [SequenceSpan(rows: 0..<tokens, start: 0, length: tokens)]
    let batches = UnsafeMutableBufferPointer<AxisBatch>.allocate(capacity: PlannedAxis.ofText.count)
    batches.initialize(repeating: AxisBatch())
    defer { batches.deallocate() }
    let scratch = UnsafeMutablePointer<Float>.allocate(capacity: 16 * pool.threads)
    defer { scratch.deallocate() }
    return [Float](unsafeUninitializedCapacity: tokens * width) { output, initialized in
      guard let base = output.baseAddress else { return }
      values.withUnsafeBufferPointer { values in
        [BoundValue(base, width: width, axis: .tokens)].withUnsafeBufferPointer { outputs in
          parameters.withUnsafeBufferPointer { parameters in
            ids.withUnsafeBufferPointer { ids in
              positions.withUnsafeBufferPointer { positions in
                spans.withUnsafeBufferPointer { spans in
                  batches[0] = AxisBatch(tokens: ids, positions: positions, sequences: spans)
                  let bound = BoundStep(
                    axis: .tokens, inputs: values, outputs: outputs, parameters: parameters,
                    states: UnsafeBufferPointer(start: nil, count: 0), computeType: computeType)
                  let pass = Pass(
                    batches: batches, states: UnsafeBufferPointer(start: nil, count: 0), pool: pool, scratch: scratch,
                    scratchWidth: 16, sharedScratch: scratch)
                  operation.forward(ForwardContext(bound, in: pass))
                }
              }
            }
          }
        }
      }
      initialized = tokens * width
    }
  }
}
