import Components
import Kernels

/// A checkpoint whose names, shapes and types have been proved to be those of a plan; nothing has been read yet.
public struct CheckpointMatch: Sendable {
  struct Assignment: Sendable {
    let stored: StoredTensorEntry
    let binding: LayoutBinding
    /// The canonical tensors, `[part][expert]`.
    let targets: [[PlannedTensor]]
    let place: Place?

    func load(_ piece: LayoutBinding.Piece) -> Result<StoredTensor, Problem>? {
      guard let format = stored.format else { return nil }
      let target = targets[piece.part][piece.expert]
      do {
        return .success(
          try binding.load(
            piece, named: target.name.text, shape: target.shape, from: stored.bytes, format: format, owner: stored.file)
        )
      } catch {
        return .failure(Problem("\(error.sentence) (in '\(stored.name)')", at: place))
      }
    }
  }

  /// A stored tensor the plan does not have, which must equal one it has.
  struct Tie: Sendable {
    let stored: StoredTensorEntry
    let canonicalName: String
    let place: Place?
  }

  let assignments: [Assignment]
  let ties: [Tie]
  /// The names of stored tensors that the map ignores.
  public let ignored: [String]

  /// The canonical tensors by name: views into the mapped file where their rows lie together, else rearranged copies.
  ///
  /// The copies are made by the threads of `pool`. Throws when a rearrangement is impossible for a block-quantised
  /// tensor, when there is no memory for one, and when a stored tensor differs from the one it is tied to.
  public func load(pool: ThreadPool? = nil) throws(Problems) -> [String: StoredTensor] {
    let jobs = assignments.flatMap { assignment in assignment.binding.pieces.map { (assignment, $0) } }
    var results: [Result<StoredTensor, Problem>?] = Array(repeating: nil, count: jobs.count)
    results.withUnsafeMutableBufferPointer { results in
      // Each job writes its own place, so the threads never meet.
      nonisolated(unsafe) let results = results
      let work: (Range<Int>) -> Void = { range in
        for index in range { results[index] = jobs[index].0.load(jobs[index].1) }
      }
      if let pool { pool.run(jobs.count, work) } else { work(jobs.indices) }
    }
    var problems = Problems()
    var tensors: [String: StoredTensor] = [:]
    for case let result? in results {
      switch result {
      case .success(let tensor): tensors[tensor.name] = tensor
      case .failure(let problem): problems.add(problem)
      }
    }
    for tie in ties {
      guard let tensor = tensors[tie.canonicalName] else { continue }
      let same = withExtendedLifetime((tie.stored.file, tensor.owner)) {
        tie.stored.format == tensor.format && tie.stored.shape == tensor.shape
          && tie.stored.bytes.elementsEqual(tensor.bytes)
      }
      if !same {
        problems.add(
          Problem(
            "'\(tie.stored.name)' is stored and differs from '\(tie.canonicalName)', which it is tied to",
            at: tie.place,
            hint: "untie it in the model's file, or list it under 'ignore'"))
      }
    }
    try problems.check()
    return tensors
  }
}
