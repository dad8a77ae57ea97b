import Describing
import Files
import Generation

extension TextGenerator.Drafts {
  /// What was drafted and what of it stayed, as the command line tells it.
  var inWords: String {
    if proposed == 0 { return "nothing drafted" }
    let percent = Int(rounding: 100 * Double(accepted) / Double(proposed), .toNearestOrAwayFromZero)
    return "\(accepted.grouped) of \(proposed.grouped) drafted tokens accepted (\(percent) %)"
  }

  /// The same as a document's member.
  var json: JSONObject {
    var object = JSONObject()
    object["passes"] = .integer(passes)
    object["drafted"] = .integer(proposed)
    object["accepted"] = .integer(accepted)
    return object
  }
}
