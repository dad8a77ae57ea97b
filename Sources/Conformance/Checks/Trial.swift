import Components

/// A component with options where it can be tried, and what is looked at in it.
protocol Trial {
  /// The options, as they would be written.
  var setting: String { get }
  /// What there is to look at.
  var checks: [Check] { get }
  /// What it is tried in, in words.
  var place: String { get }
  /// What `check` finds, each in a sentence; throws when it cannot be looked at.
  func sentences(_ check: Check) throws -> [String]
}

extension Trial {
  /// What each of `checks` finds. What cannot even run is a fault of its own check.
  func faults(_ checks: [Check]) -> [Fault] {
    var faults: [Fault] = []
    for check in checks {
      do {
        faults += try sentences(check).map { Fault(check, $0, setting: setting) }
      } catch {
        faults.append(Fault(check, "\(place) cannot be run: \(error)", setting: setting))
      }
    }
    return faults
  }
}
