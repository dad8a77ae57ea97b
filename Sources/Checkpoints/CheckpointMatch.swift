import Components

/// A checkpoint whose names, shapes and types have been proved to be those of a plan; nothing has been read yet.
public struct CheckpointMatch: Sendable {
  struct Assignment: Sendable {
    let stored: StoredTensorEntry
    let binding: LayoutBinding
    /// The canonical tensors, `[part][expert]`.
    let targets: [[PlannedTensor]]
    let place: Place?
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
  /// Throws when a rearrangement is impossible for a block-quantised tensor, when there is no memory for one, and when a
  /// stored tensor differs from the one it is tied to.
  public func load() throws(Problems) -> [String: StoredTensor] {
    var problems = Problems()
    var tensors: [String: StoredTensor] = [:]
    for assignment in assignments {
      guard let format = assignment.stored.format else { continue }
      for piece in assignment.binding.pieces {
        let target = assignment.targets[piece.part][piece.expert]
        do {
          tensors[target.name] = try assignment.binding.load(
            piece, named: target.name, shape: target.shape, from: assignment.stored.bytes, format: format,
            owner: assignment.stored.file)
        } catch {
          problems.add(Problem("\(error.sentence) (in '\(assignment.stored.name)')", at: assignment.place))
        }
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
            "'\(tie.stored.name)' is stored and differs from '\(tie.canonicalName)', which it is tied to", at: tie.place,
            hint: "untie it in the model's file, or list it under 'ignore'"))
      }
    }
    try problems.check()
    return tensors
  }
}
