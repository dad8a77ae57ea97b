import Describing
import Components

/// A width that an arm leaves to be found: `match_params`, `match_flops`, or `{match: params, multiple_of: 8}`.
struct SizingRequest {
  /// The path of its key.
  let path: String
  /// What the arm is to have in common with the baseline.
  let quantity: Hold.Quantity
  /// What the width is a multiple of.
  let multiple: Int
  /// Where it was asked for.
  let place: Place?

  init(path: String, quantity: Hold.Quantity, multiple: Int, place: Place?) {
    self.path = path
    self.quantity = quantity
    self.multiple = multiple
    self.place = place
  }

  /// The one width that `patch` leaves to be found; nil when it leaves none. Throws when it is unclear, or two.
  init?(in patch: Setting) throws(Problems) {
    var found: [SizingRequest] = []
    var problems = Problems()
    SizingRequest.look(in: patch, at: "", &found, &problems)
    if found.count > 1 {
      problems.add(
        Problem("an arm can have one width found, and '\(found[1].path)' is a second", at: found[1].place))
    }
    try problems.check()
    guard let first = found.first else { return nil }
    self = first
  }

  private static func look(
    in setting: Setting, at path: String, _ found: inout [SizingRequest], _ problems: inout Problems
  ) {
    if let word = setting.text, let quantity = StudyKeys.sizings[word] {
      found.append(SizingRequest(path: path, quantity: quantity, multiple: 1, place: setting.place))
      return
    }
    guard let entries = setting.entries else { return }
    guard let match = setting["match"] else {
      for entry in entries {
        look(in: entry.value, at: path.isEmpty ? entry.key : "\(path).\(entry.key)", &found, &problems)
      }
      return
    }
    guard let quantity = match.text.flatMap(Hold.Quantity.init(rawValue:)), quantity != .none else {
      problems.add(Problem("'match' takes params or flops, not \(match.kindInWords)", at: match.place))
      return
    }
    var multiple = 1
    for entry in entries where entry.key != "match" {
      if entry.key == "multiple_of", let value = entry.value.integer, (1...1 << 16).contains(value) {
        multiple = value
      } else {
        problems.add(
          Problem(
            "beside 'match' stands multiple_of, an integer of at least 1, not '\(entry.key.prefix(60))'",
            at: entry.value.place ?? entry.place))
      }
    }
    found.append(SizingRequest(path: path, quantity: quantity, multiple: multiple, place: setting.place))
  }
}
