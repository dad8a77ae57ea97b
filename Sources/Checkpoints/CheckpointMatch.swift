import Components
import Formats
import Kernels

/// A checkpoint whose names, shapes and types have been proved to be those of a plan; nothing has been read yet.
public struct CheckpointMatch: Sendable {
  struct Assignment: Sendable {
    let stored: StoredTensorEntry
    let binding: LayoutBinding
    /// The canonical tensors, `[part][expert]`.
    let targets: [[PlannedTensor]]
    let place: Place?
    /// How its numbers are read, where they are in a format that is not computed with.
    var widened: WidenedTensor?
    /// What its numbers are of the canonical ones.
    var values: StoredValues?
    /// What it is made of, where the checkpoint holds several in its place.
    var joined: JoinedTensor?

    /// The format that its numbers are loaded in.
    var format: StorageFormat? { stored.format ?? widened?.format }

    func load(_ piece: LayoutBinding.Piece) -> Result<StoredTensor, Problem>? {
      let target = targets[piece.part][piece.expert]
      do throws(Problem) {
        let wide = if let joined { try joined.make() } else { try widened?.make() }
        guard let format = wide?.format ?? stored.format else { return nil }
        let tensor: StoredTensor
        do {
          tensor = try binding.load(
            piece, named: target.name.text, shape: target.shape, from: wide?.bytes ?? stored.bytes, format: format,
            owner: wide?.owner ?? stored.file)
        } catch {
          throw Problem("\(error.sentence) (in '\(stored.name)')", at: place)
        }
        guard let values else { return .success(tensor) }
        return .success(try values.canonical(of: tensor))
      } catch {
        return .failure(error)
      }
    }
  }

  /// A stored tensor the plan does not have, which must equal one it has.
  struct Tie: Sendable {
    let stored: StoredTensorEntry
    let canonicalName: String
    let place: Place?

    /// What is wrong when it is not `tensor` again.
    func problem(with tensor: StoredTensor) -> Problem? {
      let same = withExtendedLifetime((stored.file, tensor.owner)) {
        guard stored.format == nil else {
          return stored.format == tensor.format && stored.shape == tensor.shape
            && stored.bytes.elementsEqual(tensor.bytes)
        }
        let wide = try? WidenedTensor(stored: stored, scales: nil).make()
        return wide?.format == tensor.format && wide?.bytes.elementsEqual(tensor.bytes) == true
      }
      if same { return nil }
      return Problem(
        "'\(stored.name)' is stored and differs from '\(canonicalName)', which it is tied to", at: place,
        hint: "untie it in the model's file, or list it under 'ignore'")
    }
  }

  let assignments: [Assignment]
  let ties: [Tie]
  /// The names of stored tensors that the map ignores.
  public let ignored: [String]

  /// How the canonical tensor `name` is stored; nil when it is not.
  public func format(of name: String) -> StorageFormat? {
    assignments.first { $0.targets.contains { $0.contains { $0.name.text == name } } }?.format
  }

  /// Loads one canonical tensor at a time; a second is not in memory with it unless its owner is kept.
  ///
  /// Tensors that are stored twice and tied are compared with their copies when they are loaded.
  public func loader() -> (_ name: String) throws(Problems) -> StoredTensor? {
    var places: [String: (Int, Int)] = [:]
    for (index, assignment) in assignments.enumerated() {
      for (piece, part) in assignment.binding.pieces.enumerated() {
        places[assignment.targets[part.part][part.expert].name.text] = (index, piece)
      }
    }
    return { name throws(Problems) in
      guard let (index, piece) = places[name],
        let result = assignments[index].load(assignments[index].binding.pieces[piece])
      else { return nil }
      switch result {
      case .success(let tensor):
        let problems = Problems(ties.filter { $0.canonicalName == name }.compactMap { $0.problem(with: tensor) })
        try problems.check()
        return tensor
      case .failure(let problem): throw Problems([problem])
      }
    }
  }

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
      if let problem = tensors[tie.canonicalName].flatMap(tie.problem) { problems.add(problem) }
    }
    try problems.check()
    return tensors
  }
}
