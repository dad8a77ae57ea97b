import Composition
import Describing
import Essentials
import Execution
import Files
import Formats
import Kernels
import Models

/// Matrix multiplications alone.
extension Bench {
  func tellProducts(_ sizes: [ProductSizes.Size]) throws {
    var rows: [BenchRow] = []
    for format in try formats() {
      for size in sizes {
        guard size.inputs % format.elementsPerBlock == 0 else {
          throw Failure(
            .usage,
            "\(size.inputs) inputs are not whole blocks of \(format.elementsPerBlock), as \(format.rawValue) has them")
        }
        let (elements, available) = (
          size.rows * (size.inputs + size.outputs) + size.inputs * size.outputs,
          AvailableMemory.bytes ?? Int(clamping: ProcessInfo.processInfo.physicalMemory)
        )
        if elements > available / 4 { throw ModelProblem.tooLarge(bytes: 4 * elements, available: available) }
        for threads in threadCounts {
          let pool = ThreadPool(threads: threads)
          let runner = try ProductRunner(
            limits: MachineLimits(pool: pool), pool: pool, repetitions: repetitions,
            computeType: .asked(exact: exact))
          rows.append(note(runner.measure(size, format)))
        }
      }
    }
    write(rows, of: "product", "products, ", JSONObject())
  }
}
