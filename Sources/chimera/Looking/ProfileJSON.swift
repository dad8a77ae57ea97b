import Execution
import Files

/// Where a run's time went, as JSON.
struct ProfileJSON {
  let profile: Profile

  var json: JSONValue {
    var object = JSONObject()
    for phase in Profile.Phase.allCases where profile.passes(phase) > 0 {
      var part = JSONObject()
      part["passes"] = .integer(profile.passes(phase))
      part["tokens"] = .integer(profile.tokens(phase))
      part["seconds"] = .number(profile.seconds(phase))
      part["operators"] = .array(profile.byOperator(phase).map(line))
      part["places"] = .array(profile.byScope(phase).map(line))
      object[phase.rawValue] = .object(part)
    }
    return .object(object)
  }

  private func line(_ line: Profile.Line) -> JSONValue {
    var object = JSONObject()
    object["name"] = .string(line.name)
    object["calls"] = .integer(line.calls)
    object["seconds"] = .number(line.seconds)
    object["flops"] = .number(line.work.flops)
    object["weight_bytes"] = .number(line.work.weightBytes)
    return .object(object)
  }
}
