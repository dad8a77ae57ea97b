import ArgumentParser

/// Everything that is wrong with the values of a command line, told at once.
struct Mistakes {
  private var list: [String] = []

  /// Notes `sentence` where `isWrong`.
  mutating func note(_ sentence: String, if isWrong: Bool) { if isWrong { list.append(sentence) } }

  /// Throws what was noted.
  func check() throws { if !list.isEmpty { throw ValidationError(list.joined(separator: "\nerror: ")) } }
}

/// Several things that are wrong, each in its own way; thrown once, after all were looked for.
struct SeveralErrors: Error {
  let list: [any Error]

  /// Runs all of `checks` and throws what they throw, together.
  static func gather(_ checks: [() throws -> Void]) throws {
    var errors: [any Error] = []
    for check in checks { do { try check() } catch { errors.append(error) } }
    if errors.count == 1 { throw errors[0] }
    if !errors.isEmpty { throw SeveralErrors(list: errors) }
  }
}
