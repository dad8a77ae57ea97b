import Components

/// A schedule with options, looked at over a run.
struct ScheduleTrial: Trial {
  let setting: String
  let checks: [Check] = [.rates]
  let place = "the schedule"
  private let schedule: any Schedule

  /// A look at the schedule of `sample`; throws what is wrong with its options.
  init(_ sample: ConformanceCase, of registry: Registry) throws {
    setting = sample.description
    schedule = try registry.make(.schedule, sample.setting)
  }

  /// Steps of the run: a prime number, so that few places in it are where a schedule turns.
  private static let steps = 997

  func sentences(_ check: Check) throws -> [String] {
    guard check == .rates else { return [] }
    let course = (0...Self.steps).map { step in
      let progress = Double(step) / Double(Self.steps)
      return (progress: progress, factor: schedule.factor(at: progress))
    }
    if let wrong = course.first(where: { !$0.factor.isFinite }) {
      return ["its factor at a progress of \(wrong.progress) is \(wrong.factor), no finite number"]
    }
    var sentences: [String] = []
    if let wrong = course.first(where: { $0.factor < 0 }) {
      sentences.append(
        "its factor at a progress of \(wrong.progress) is \(wrong.factor): a rate below zero goes uphill")
    }
    if let wrong = course.first(where: { $0.factor > 1 + Self.rounding }) {
      sentences.append("its factor at a progress of \(wrong.progress) is \(wrong.factor), above 1, which is the peak")
    }
    if let first = course.first?.factor, abs(first - 1) > Self.rounding {
      sentences.append("its factor at a progress of 0 is \(first), not 1: warm-up never reaches the peak")
    }
    if let last = course.last?.factor, abs(last - schedule.final) > Self.rounding {
      sentences.append("it says that it ends at \(schedule.final), and its factor at a progress of 1 is \(last)")
    }
    if schedule.neverRises,
      let rise = zip(course, course.dropFirst()).first(where: { $1.factor > $0.factor + Self.rounding })
    {
      sentences.append(
        "it says that it never rises, and its factor rises from \(rise.0.factor) to \(rise.1.factor) at a progress of \(rise.1.progress)"
      )
    }
    if course.contains(where: { schedule.factor(at: $0.progress) != $0.factor }) {
      sentences.append("the same progress does not always give the same factor")
    }
    return sentences
  }

  /// Some roundings of a number near 1 in `Double`.
  private static let rounding = 1e-12
}
