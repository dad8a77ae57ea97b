import Components
import Specification

extension Problems {
  /// The same problems, each saying that `file` is what it was found in: places are in the family's files, which say what
  /// the numbers of a configuration or the names of a checkpoint mean, and a user has written neither.
  func naming(_ file: String?) -> Problems {
    guard let file else { return self }
    return Problems(
      list.map { problem in
        if problem.place?.source == Overrides.source || problem.sentence.contains(file) { return problem }
        return Problem("\(file): \(problem.sentence)", at: problem.place, hint: problem.hint)
      }, headline: headline)
  }
}
