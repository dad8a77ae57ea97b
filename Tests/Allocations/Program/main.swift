import AllocationCounter
import Components
import Conformance
import Execution
import Formats
import Kernels
import StandardComponents

// How many allocations a pass makes, a line each: the count, and of what. A program of its own, so that no other thread
// allocates while it counts; `AllocationTests` reads the lines.

/// The fewest allocations that `body` makes in one of some runs: tables grow in the first, and a thread of a pool has its
/// memory when it first takes part.
func fewest(_ body: () throws -> Int) throws -> Int {
  var least = Int.max
  for _ in 0..<8 where least > 0 { least = min(least, try body()) }
  return least
}

/// How many allocations `body` makes.
func allocations(of body: () throws -> Void) throws -> Int {
  let before = allocation_count()
  try body()
  return allocation_count() - before
}

/// A step of generation and a prompt, in every model that has one of the components with each of its options.
func countPasses(of model: TinyModel, _ name: String) throws {
  for threads in [1, 3] {
    let pool = ThreadPool(threads: threads)
    let executor = try PlanExecutor(
      model.plan, model.parameters, pool: pool, maximumRows: 16, states: .f32, fusing: true, computeType: .stored)
    for tokens in [[3], [3, 1, 4, 1, 5]] {
      let count = try fewest {
        let sequences = try (0..<2).map { _ in try executor.openSequence(length: 1 + tokens.count) }
        // A text that is computed at once is not continued.
        if !model.plan.seesWholeTexts {
          try executor.forward(sequences.map { (sequence: $0, tokens: [2]) }, logits: .last) { _, _, _ in }
        }
        let inputs = sequences.map { (sequence: $0, tokens: tokens) }
        return try allocations { try executor.forward(inputs, logits: .last) { _, _, _ in } }
      }
      print(count, "forward, \(tokens.count) tokens, \(threads) threads: \(name)")
    }
  }
}

func countTraining(of model: TinyModel, _ name: String) throws {
  let executor = try GradientExecutor(
    model.plan, model.parameters, pool: ThreadPool(threads: 2), rows: 32, options: TrainingOptions(precision: .f32))
  let (batch, targets) = ([[3, 1, 4, 1, 5], [9, 2, 6]], [[1, 4, 1, 5, 9], [2, 6, 5]])
  let count = try fewest {
    try allocations {
      executor.clearGradients()
      _ = try executor.trainingLoss(batch, targets: targets)
    }
  }
  print(count, "training: \(name)")
}

/// y = x·wᵀ in every storage format and compute type, by few rows and by many.
func countMatmuls() throws {
  for threads in [1, 3] {
    let pool = ThreadPool(threads: threads)
    for type in ComputeType.allCases {
      for format in StorageFormat.allCases {
        for rows in [1, 5, 40] {
          let blocks = randomBlocks(format, count: 300 * 512, deviation: 0.02, seed: 1)
          let memory = UnsafeMutablePointer<Float>.allocate(capacity: 512 * 512)
          memory.initialize(repeating: 0.5, count: 512 * 512)
          defer { memory.deallocate() }
          try blocks.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            let w = WeightMatrix(base: base, format: format, rows: 300, columns: 512)
            let y = UnsafeMutablePointer<Float>.allocate(capacity: 300 * 512)
            y.initialize(repeating: 0, count: 300 * 512)
            defer { y.deallocate() }
            let count = try fewest {
              try allocations {
                matmul(
                  memory, stride: 512, rows: rows, by: w, bias: nil, into: y, stride: 300, accumulate: false, in: type,
                  pool: pool)
                matmulTransposed(memory, rows: rows, by: w, into: y, accumulate: false, in: type, pool: pool)
                matmulOuter(
                  memory, outputs: 300, memory, inputs: 512, rows: rows, into: y, accumulate: false, in: type,
                  pool: pool)
              }
            }
            print(count, "matmul, \(type.rawValue), \(format.rawValue), \(rows) rows, \(threads) threads")
          }
        }
      }
    }
  }
}

let before = allocation_count()
withExtendedLifetime([Int](repeating: Int(before), count: 1000)) {}
print(allocation_count() - before, "an array, to see that the counter counts")
try countMatmuls()
let kit = ConformanceKit(try Registry(standardComponents, documentation: standardComponentDocumentation))
for component in kit.registry.describe() where component.slot.isOfModel {
  for sample in kit.cases(of: component) {
    let model = try kit.model(sample)
    // Another stack is read in one pass before the text.
    if !model.plan.otherAxes.isEmpty || !model.plan.readsTokens { continue }
    try countPasses(of: model, sample.description)
    if model.plan.prediction == .tokens { try countTraining(of: model, sample.description) }
  }
}
