import Files
import Templates
// Reads JSON lines {"template":…, "variables":{…}} and writes JSON lines {"text":…} or {"error":…}.
while let line = readLine() {
  var out = JSONObject()
  do {
    let value = try JSONValue(parsing: line)
    let template = try Template(value["template"]?.string ?? "", name: "t")
    out["text"] = .string(try template.render(value["variables"]?.object ?? JSONObject(), now: value["now"]?.integer))
  } catch { out["error"] = .string("\(error)") }
  print(JSONValue.object(out).serialized())
}
